import Testing

@testable import Core

@Suite struct SocketAddressBytesTests {
    static let addresses: [(text: String, bytes: [UInt8])] = [
        ("0.0.0.0", [0, 0, 0, 0]), ("10.1.2.3", [10, 1, 2, 3]), ("255.255.255.255", [255, 255, 255, 255]),
        ("::", [UInt8](repeating: 0, count: 16)), ("::1", [UInt8](repeating: 0, count: 15) + [1]),
        ("2001:db8:102:304:506:708:90a:b0c", [0x20, 0x01, 0x0D, 0xB8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
        ("::fffe:a01:203", [UInt8](repeating: 0, count: 10) + [0xFF, 0xFE, 10, 1, 2, 3]),
    ]

    private func read(_ literal: [UInt8], _ family: SocketAddress.Family, port: UInt16 = 80) -> SocketAddress? {
        SocketAddress(literal: literal.span, family: family, port: port)
    }

    private func written(_ address: SocketAddress, _ family: SocketAddress.Family) -> [UInt8] {
        let buffer = Buffer(capacity: 16)
        buffer.append(bytesOf: address, as: family)
        return copyBytes(buffer.bytes)
    }

    @Test(arguments: addresses) func readsAndWritesBytes(text: String, bytes: [UInt8]) throws {
        let address = SocketAddress(bytes: bytes.span, port: 443)
        #expect(address == SocketAddress(literal: text, port: 443))
        #expect(address.host == text && address.port == 443)
        #expect(written(address, address.family) == bytes)
    }

    @Test func mappedAddressBecomesIPv4() {
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 10, 1, 2, 3]
        let address = SocketAddress(bytes: mapped.span, port: 8080)
        #expect(address.description == "10.1.2.3:8080")
        #expect(address == SocketAddress(bytes: ([10, 1, 2, 3] as [UInt8]).span, port: 8080))
        #expect(written(address, .ipv4) == [10, 1, 2, 3])
        #expect(written(address, .ipv6) == mapped)
    }

    @Test(arguments: 1...2 as ClosedRange<UInt64>) func randomBytesRoundTrip(seed: UInt64) {
        var random = FastRandom(seed: seed)
        for count in [4, 16] {
            for _ in 0..<500 {
                let bytes = (0..<count).map { _ in UInt8(random.next(below: 256)) }
                let address = SocketAddress(bytes: bytes.span, port: UInt16(random.next(below: 65_536)))
                #expect(written(address, count == 4 ? .ipv4 : .ipv6) == bytes)
                #expect(read(Array(address.host.utf8), address.family, port: address.port) == address)
            }
        }
    }

    @Test func thirteenBytesAreNoAddress() async {
        await #expect(processExitsWith: .failure) {
            _ = SocketAddress(bytes: [UInt8](repeating: 1, count: 13).span, port: 1)
        }
    }

    @Test func ipv6AsIPv4Traps() async {
        await #expect(processExitsWith: .failure) {
            let address = SocketAddress(bytes: [UInt8](repeating: 1, count: 16).span, port: 1)
            Buffer(capacity: 16).append(bytesOf: address, as: .ipv4)
        }
    }

    // MARK: Literals

    @Test(arguments: [
        "0.0.0.0", "1.10.100.9", "255.255.255.255", "192.168.099.1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "127.1", "",
        " 1.2.3.4", "1.2.3.4 ", "1.2.3.4\0", "localhost", "1.2.3.4:80", "::", "::1", "2001:DB8::1", "1::2::3", "[::1]",
        "::ffff:10.1.2.3", "::fffe:10.1.2.3", "fe80::1%lo", "12345::", "::1\0",
        "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ]) func agreesWithTheReadingOfText(literal: String) {
        let isIPv6 = literal.contains(":")
        let bytes = Array(literal.utf8)
        #expect(read(bytes, isIPv6 ? .ipv6 : .ipv4) == SocketAddress(literal: literal, port: 80))
        #expect(read(bytes, isIPv6 ? .ipv4 : .ipv6) == nil, "of the other family")
    }

    @Test func readsTheLongestLiteralAndNoLonger() throws {
        let longest = Array("0001:0002:0003:0004:0005:0006:100.100.100.100".utf8)
        #expect(longest.count == SocketAddress.Family.ipv6.literalBytesMax)
        #expect(read(longest, .ipv6)?.host == "1:2:3:4:5:6:6464:6464")
        #expect(read(longest + [0x30], .ipv6) == nil)
        #expect(read(Array("255.255.255.255".utf8), .ipv4) != nil)
        #expect(read(Array("255.255.255.2550".utf8), .ipv4) == nil)
        #expect(read([UInt8](repeating: 0x31, count: 1000), .ipv6) == nil)
    }

    // MARK: Numbers

    @Test(
        arguments: [
            (0x1234, 2, [0x12, 0x34]), (0x0102_0304, 4, [1, 2, 3, 4]), (0x1234, 1, [0x34]), (7, 4, [0, 0, 0, 7]),
            (.max, 8, [UInt8](repeating: 255, count: 8)), (5, 0, []),
        ] as [(UInt64, Int, [UInt8])]) func numbersAreWrittenHighestByteFirst(value: UInt64, count: Int, all: [UInt8])
    {
        let buffer = Buffer(capacity: 8)
        buffer.append(bigEndian: value, byteCount: count)
        #expect(copyBytes(buffer.bytes) == all)
    }
}
