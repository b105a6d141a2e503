import Core
import Testing

@testable import Proxy

/// A header, right or wrong, and what it says.
private struct Sample: Sendable, CustomTestStringConvertible {
    let why: String
    let bytes: [UInt8]
    var source: SocketAddress?
    var destination: SocketAddress?
    /// Why it is none, and after how many bytes that is clear.
    var fault: (ProxyHeaderFault, at: Int)?

    var testDescription: String { why.debugDescription }

    static func right(_ why: String, _ bytes: [UInt8], _ source: String? = nil, _ destination: String? = nil) -> Self {
        Sample(why: why, bytes: bytes, source: address(source), destination: address(destination))
    }

    static func wrong(_ why: String, _ bytes: [UInt8], _ fault: ProxyHeaderFault, at index: Int) -> Self {
        Sample(why: why, bytes: bytes, fault: (fault, at: index))
    }

    static func line(_ line: String, _ fault: ProxyHeaderFault, at index: Int) -> Self {
        wrong(line, latin(line), fault, at: index)
    }

    var verdict: ProxyHeaderResult {
        if let fault { return .refused(fault.0) }
        guard let source, let destination else { return .complete(ProxyHeader(byteCount: bytes.count)) }
        return .complete(ProxyHeader(byteCount: bytes.count, source: source, destination: destination))
    }
}

/// `10.0.0.1 80` as an address.
private func address(_ text: String?) -> SocketAddress? {
    guard let parts = text?.split(separator: " "), let port = UInt16(parts[1]) else { return nil }
    return SocketAddress(literal: String(parts[0]), port: port)
}

/// The bytes of `text`, each scalar being one.
private func latin(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

/// The bytes that are written in pairs of hexadecimal digits.
private func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.compactMap(\.hexadecimalValue)
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

private let signature = hex("0D0A0D0A 000D0A51 5549540A")

/// A version 2 header: the bytes of command and family, and what follows their length.
private func binary(_ command: UInt8, _ family: UInt8, _ parts: [UInt8]...) -> [UInt8] {
    let block = parts.flatMap { $0 }
    return signature + [command, family, UInt8(block.count >> 8), UInt8(block.count & 255)] + block
}

/// An extension.
private func tlv(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
    [type, UInt8(value.count >> 8), UInt8(value.count & 255)] + value
}

/// `header` with the right checksum in the four bytes at `index`, which are zero: by the definition, bit by bit.
private func summed(_ header: [UInt8], at index: Int) -> [UInt8] {
    var register = UInt32.max
    for byte in header {
        register ^= UInt32(byte)
        for _ in 0..<8 { register = register & 1 == 1 ? register >> 1 ^ 0x82F6_3B78 : register >> 1 }
    }
    let checksum = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: ~register >> $0) }
    return header[..<index] + checksum + header[(index + 4)...]
}

private let four = hex("C0000201 C0000202 DC04 01BB")
private let fourText = ("192.0.2.1 56324", "192.0.2.2 443")
private let six = hex("20010DB8000000000000000000000001 20010DB8000000000000000000000002 DC04 01BB")
private let sixText = ("2001:db8::1 56324", "2001:db8::2 443")
private let unix = [UInt8](repeating: 0x2F, count: 216)
private let noChecksum = tlv(3, [0, 0, 0, 0])
private let largest = [UInt8](repeating: 7, count: 4096 - 12 - 3)

private let rightLines: [Sample] = [
    .right("IPv4", latin("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"), fourText.0, fourText.1),
    .right("IPv6", latin("PROXY TCP6 2001:db8::1 2001:DB8:0:0::2 56324 443\r\n"), sixText.0, sixText.1),
    .right("mapped", latin("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n"), "192.0.2.1 1", "::1 2"),
    .right(
        "the longest of IPv4", latin("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
        "255.255.255.255 65535", "255.255.255.255 65535"),
    .right(
        "the longest of IPv6, 39 bytes an address", latin("PROXY TCP6 \(longSix) \(longSix) 65535 65535\r\n"),
        "\(longSix) 65535", "\(longSix) 65535"),
    .right("the least", latin("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0 0", "0.0.0.0 0"),
    .right("unknown", latin("PROXY UNKNOWN\r\n")),
    .right("unknown, with the longest addresses", latin("PROXY UNKNOWN \(longSix) \(longSix) 65535 65535\r\n")),
    .right("unknown, with anything", latin("PROXY UNKNOWN \0\u{FF}\t TCP4\r\n")),
]
private let longSix = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"

private let rightBinaries: [Sample] = [
    .right("TCP over IPv4", binary(0x21, 0x11, four), fourText.0, fourText.1),
    .right("UDP over IPv4", binary(0x21, 0x12, four), fourText.0, fourText.1),
    .right("TCP over IPv6", binary(0x21, 0x21, six), sixText.0, sixText.1),
    .right("UDP over IPv6", binary(0x21, 0x22, six), sixText.0, sixText.1),
    .right(
        "mapped", binary(0x21, 0x21, hex("00000000000000000000FFFFC0000201"), Array(six[16...])),
        fourText.0, sixText.1),
    .right("Unix streams", binary(0x21, 0x31, unix)),
    .right("Unix datagrams, with an extension", binary(0x21, 0x32, unix, tlv(5, [1]))),
    .right("unspecified", binary(0x21, 0x00)),
    .right("unspecified streams, with an extension", binary(0x21, 0x01, tlv(4, []))),
    .right("local", binary(0x20, 0x00)),
    .right("local, with a checksum", summed(binary(0x20, 0x00, noChecksum), at: 19)),
    .right("local with addresses, which do not count", binary(0x20, 0x11, four)),
    .right("local with a family, but without addresses", binary(0x20, 0x11)),
    .right("local with a family that is not assigned", binary(0x20, 0xF7, [1, 2])),
    .right(
        "extensions of all kinds",
        binary(0x21, 0x11, four, tlv(1, latin("h2")), tlv(2, latin("a.example")), tlv(4, []), tlv(0xFF, [0])),
        fourText.0, fourText.1),
    .right("the longest", binary(0x21, 0x11, four, tlv(4, largest)), fourText.0, fourText.1),
    .right(
        "a checksum in front", summed(binary(0x21, 0x11, four, noChecksum, tlv(2, [9, 9])), at: 31), fourText.0,
        fourText.1),
    .right(
        "a checksum at the end", summed(binary(0x21, 0x21, six, tlv(4, [0, 0]), noChecksum), at: 60), sixText.0,
        sixText.1),
]

/// What others send. Source: HAProxy 2.6 with `send-proxy` or `send-proxy-v2` and `crc32c`, `unique-id`; a Network Load
/// Balancer with a PrivateLink endpoint and its padding, as in `proprot` of the repository aws/elastic-load-balancing-
/// tools, with addresses of our own.
private let captures: [Sample] = [
    .right("HAProxy, version 1", latin("PROXY TCP6 ::1 ::1 57038 28102\r\n"), "::1 57038", "::1 28102"),
    .right(
        "HAProxy, IPv4", signature + hex("2111 0013 7F000001 7F000001 C09E 6DC5 030004 CAE191DA"), "127.0.0.1 49310",
        "127.0.0.1 28101"),
    .right(
        "HAProxy, IPv6", signature + hex("2121 002B \(loopback) \(loopback) C66C 6DC5 030004 BF5C67DB"), "::1 50796",
        "::1 28101"),
    .right(
        "HAProxy, IPv6, with an identifier",
        signature + hex("2121 0053 \(loopback) \(loopback) C40C 6DC8 030004 06756189 050025")
            + latin("00000000000000000000000000000001-C40C"), "::1 50188", "::1 28104"),
    .right("HAProxy, health check", signature + hex("2000 0007 030004 A9B87E8F")),
    .right(
        "Network Load Balancer",
        summed(
            signature + hex("2111 0054") + four + hex("030004 00000000 EA0017 01")
                + latin("vpce-08d2bf15fac5001c9") + hex("040024") + [UInt8](repeating: 0, count: 36), at: 31),
        fourText.0, fourText.1),
]
private let loopback = "00000000000000000000000000000001"

private let wrongLines: [Sample] = [
    .line("GET / HTTP/1.1\r\n", .missing, at: 1),
    .line("\u{16}\u{3}\u{1}", .missing, at: 1),
    .line("\0", .missing, at: 1),
    .line("proxy TCP4 ", .missing, at: 1),
    .line("PROPFIND / HTTP/1.1\r\n", .missing, at: 4),
    .line("PROXY\r\n", .missing, at: 6),
    .line("PROXY  TCP4", .badLine, at: 7),
    .line("PROXY tcp4 1.1.1.1 2.2.2.2 1 2\r\n", .badLine, at: 7),
    .line("PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n", .badLine, at: 8),
    .line("PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n", .badLine, at: 10),
    .line("PROXY TCP4\r\n", .badLine, at: 11),
    .line("PROXY TCP44 1.1.1.1 2.2.2.2 1 2\r\n", .badLine, at: 11),
    .line("PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n", .badAddress, at: 12),
    .line("PROXY TCP4 ::1 ::1 1 2\r\n", .badAddress, at: 12),
    .line("PROXY TCP4 1.1.1 2.2.2.2 1 2\r\n", .badAddress, at: 17),
    .line("PROXY TCP4 1.1.1.1\t2.2.2.2 1 2\r\n", .badAddress, at: 19),
    .line("PROXY TCP4 1.1.1.1 2.2.2.256 1 2\r\n", .badAddress, at: 29),
    .line("PROXY TCP4 01.1.1.1 2.2.2.2 1 2\r\n", .badAddress, at: 20),
    .line("PROXY TCP4 1.1.1.1\r\n", .badAddress, at: 19),
    .line("PROXY TCP4 1111111111111111", .badAddress, at: 27),
    .line("PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n", .badAddress, at: 19),
    .line("PROXY TCP6 [::1] ::1 1 2\r\n", .badAddress, at: 12),
    .line("PROXY TCP6 ::1%lo ::1 1 2\r\n", .badAddress, at: 15),
    .line("PROXY TCP6 ::1 1::2::3 1 2\r\n", .badAddress, at: 23),
    .line("PROXY TCP6 \(String(repeating: "0", count: 46))", .badAddress, at: 57),
    .line("PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n", .badPort, at: 29),
    .line("PROXY TCP4 1.1.1.1 2.2.2.2 1 \r\n", .badPort, at: 30),
    .line("PROXY TCP4 1.1.1.1 2.2.2.2  1 2\r\n", .badPort, at: 28),
    .line("PROXY TCP4 1.1.1.1 2.2.2.2 00 2\r\n", .badPort, at: 29),
    .line("PROXY TCP4 1.1.1.1 2.2.2.2 080 2\r\n", .badPort, at: 29),
    .line("PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n", .badPort, at: 32),
    .line("PROXY TCP4 1.1.1.1 2.2.2.2 100000 2\r\n", .badPort, at: 33),
    .line("PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n", .badPort, at: 28),
    .line("PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n", .badPort, at: 28),
    .line("PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n", .badPort, at: 31),
    .line("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n", .badPort, at: 31),
    .line("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\r\n", .badLine, at: 32),
    .line("PROXY UNKNOWNS\r\n", .badLine, at: 14),
    .line("PROXY UNKNOWN\n", .badLine, at: 14),
    .line("PROXY UNKNOWN a\nb\r\n", .badLine, at: 16),
    .line("PROXY UNKNOWN a\rb\r\n", .badLine, at: 17),
    .line("PROXY UNKNOWN \(String(repeating: "a", count: 92))\r\n", .tooLong, at: 106),
    .line("PROXY UNKNOWN \(String(repeating: "a", count: 91))\r\r\n", .badLine, at: 107),
    .line(
        "PROXY TCP6 0\(longSix.dropLast(9)):255.255.255.255 \(longSix.dropLast(9)):255.255.255.255 1 2\r\n",
        .badAddress, at: 57),
    .line(
        "PROXY TCP6 \(longSix.dropLast(10)):255.255.255.255 \(longSix.dropLast(10)):255.255.255.255 65535 65535\r\n",
        .tooLong, at: 106),
]

private let wrongBinaries: [Sample] = [
    .wrong("another first byte", [0x0A] + signature, .missing, at: 1),
    .wrong("another fifth byte", hex("0D0A0D0A 0D0A"), .missing, at: 5),
    .wrong("another last byte", Array(signature.dropLast()) + [0x0D], .missing, at: 12),
    .wrong("version 1", binary(0x11, 0x11, four), .unknownVersion, at: 13),
    .wrong("version 3", binary(0x31, 0x11, four), .unknownVersion, at: 13),
    .wrong("command 2", binary(0x22, 0x11, four), .unknownCommand, at: 13),
    .wrong("command 15", binary(0x2F, 0x11, four), .unknownCommand, at: 13),
    .wrong("family 4", binary(0x21, 0x41, four), .unknownFamily, at: 14),
    .wrong("neither stream nor datagram", binary(0x21, 0x13, four), .unknownFamily, at: 14),
    .wrong("IPv4 that says not how", binary(0x21, 0x10, four), .unknownFamily, at: 14),
    .wrong("IPv6 that says not how", binary(0x21, 0x20, six), .unknownFamily, at: 14),
    .wrong("Unix that says not how", binary(0x21, 0x30, unix), .unknownFamily, at: 14),
    .wrong("unspecified in an unknown way", binary(0x21, 0x03), .unknownFamily, at: 14),
    .wrong("no addresses", binary(0x21, 0x11), .tooShort, at: 16),
    .wrong("a byte too few for IPv4", binary(0x21, 0x11, Array(four.dropLast())), .tooShort, at: 16),
    .wrong("a byte too few for IPv6", binary(0x21, 0x22, Array(six.dropLast())), .tooShort, at: 16),
    .wrong("a byte too few for Unix", binary(0x21, 0x31, Array(unix.dropLast())), .tooShort, at: 16),
    .wrong("too long", binary(0x21, 0x11, four, tlv(4, largest + [7])), .tooLong, at: 16),
    .wrong("too long, and local", binary(0x20, 0x11, four, tlv(4, largest + [7])), .tooLong, at: 16),
    .wrong("the longest length", signature + hex("2111 FFFF"), .tooLong, at: 16),
    .wrong("one byte of an extension", binary(0x21, 0x11, four, [4]), .badExtension, at: 16),
    .wrong("two bytes of an extension", binary(0x20, 0x00, tlv(4, [1]), [4, 0]), .badExtension, at: 19),
    .wrong("an extension that goes beyond", binary(0x21, 0x11, four, [4, 0, 2, 7]), .badExtension, at: 31),
    .wrong("an extension that goes far beyond", binary(0x21, 0x00, [4, 255, 255, 7]), .badExtension, at: 19),
    .wrong("one after another", binary(0x21, 0x11, four, tlv(4, [1]), [4, 0, 1]), .badExtension, at: 35),
    .wrong("a checksum of three bytes", binary(0x21, 0x00, tlv(3, [0, 0, 0]), tlv(4, [])), .badExtension, at: 19),
    .wrong("a checksum of no bytes", binary(0x21, 0x00, tlv(3, [])), .badExtension, at: 19),
    .wrong("two checksums", binary(0x21, 0x00, noChecksum, noChecksum), .badExtension, at: 26),
    .wrong("a wrong checksum", binary(0x21, 0x11, four, noChecksum), .badChecksum, at: 35),
    .wrong("a wrong checksum, local", binary(0x20, 0x00, noChecksum, tlv(4, [])), .badChecksum, at: 26),
]

@Suite struct ProxyHeaderTests {
    private func read(_ bytes: [UInt8], first count: Int? = nil) -> ProxyHeaderResult {
        ProxyHeader.read(bytes.span.extracting(first: count ?? bytes.count))
    }

    private func bytes(of buffer: Buffer) -> [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<buffer.count { bytes.append(buffer.bytes[index]) }
        return bytes
    }

    private func written(_ source: SocketAddress, _ destination: SocketAddress) -> [UInt8] {
        let buffer = Buffer(capacity: ProxyHeader.writtenBytesMax)
        ProxyHeader.write(source: source, destination: destination, into: buffer)
        return bytes(of: buffer)
    }

    // MARK: Reading

    @Test(arguments: rightLines + rightBinaries + captures) private func aHeaderIsRead(_ sample: Sample) {
        #expect((sample.source == nil) == (sample.destination == nil), "the test's own addresses are such")
        #expect(read(sample.bytes) == sample.verdict)
        for next in [latin("GET / HTTP/1.1\r\n"), [0], sample.bytes] {
            #expect(read(sample.bytes + next) == sample.verdict, "what follows is not the header's")
        }
    }

    @Test(arguments: rightLines + rightBinaries + captures)
    private func aHeaderThatComesByteByByteIsRead(_ sample: Sample) {
        for count in 0..<sample.bytes.count {
            let early = read(sample.bytes, first: count)
            #expect(early == .needMore, "after \(count) bytes")
        }
    }

    @Test(arguments: wrongLines + wrongBinaries) private func anInvalidHeaderIsRefusedAtOnce(_ sample: Sample) throws {
        let index = try #require(sample.fault).at
        for count in 0...sample.bytes.count {
            let result = read(sample.bytes, first: count)
            #expect(result == (count < index ? .needMore : sample.verdict), "after \(count) bytes")
        }
        #expect(index <= sample.bytes.count, "the test's own bytes are enough")
    }

    @Test func aChecksumCoversEveryBit() {
        let header = summed(binary(0x21, 0x11, four, noChecksum, tlv(0xEA, [1, 2, 3])), at: 31)
        for bit in 16 * 8..<header.count * 8 {
            var other = header
            other[bit / 8] ^= 1 << UInt8(bit % 8)
            if case .complete = read(other) {
                // Its type has become another, so that there is no checksum any more.
                #expect(bit / 8 == 28)
            }
        }
    }

    @Test func theLongestHeadersHaveTheAnnouncedLength() {
        #expect(rightLines.map(\.bytes.count).max() == ProxyHeader.lineBytesMax)
        #expect(rightBinaries.map(\.bytes.count).max() == ProxyHeader.binaryBytesMax)
        #expect(captures.last?.bytes.count == 100)
    }

    @Test func everyFaultHappensAndHasItsOwnWord() {
        let faults = (wrongLines + wrongBinaries).compactMap { $0.fault?.0 }
        #expect(Set(faults) == Set(ProxyHeaderFault.allCases))
        let words = ProxyHeaderFault.allCases.map { "\($0.reasonCode)" }
        #expect(Set(words).count == words.count)
        #expect(words.allSatisfy { $0.hasPrefix("ProxyHeader") && $0.allSatisfy(\.isLetter) })
    }

    // MARK: Writing

    @Test(arguments: captures.filter { $0.why == "HAProxy, IPv4" || $0.why == "HAProxy, IPv6" })
    private func whatIsWrittenIsWhatHAProxyWrites(_ sample: Sample) throws {
        #expect(try written(#require(sample.source), #require(sample.destination)) == sample.bytes)
    }

    @Test func aLocalHeaderIsWhatHAProxyWrites() throws {
        let buffer = Buffer(capacity: ProxyHeader.writtenBytesMax)
        ProxyHeader.writeLocal(into: buffer)
        #expect(bytes(of: buffer) == captures.first { $0.why == "HAProxy, health check" }?.bytes)
        #expect(ProxyHeader.read(buffer.bytes) == .complete(ProxyHeader(byteCount: 23)))
    }

    @Test(
        arguments: [
            (fourText.0, fourText.1, 0x11, 35), (sixText.0, sixText.1, 0x21, 59),
            (fourText.0, sixText.1, 0x21, 59), (sixText.0, fourText.1, 0x21, 59),
        ] as [(String, String, UInt8, Int)])
    func whatIsWrittenIsRead(source: String, destination: String, family: UInt8, count: Int) throws {
        let source = try #require(address(source))
        let destination = try #require(address(destination))
        let verdict = ProxyHeader(byteCount: count, source: source, destination: destination)
        let header = written(source, destination)
        #expect(header.count == count && header[12] == 0x21 && header[13] == family)
        #expect(read(header) == .complete(verdict))
        #expect(summed(header.dropLast(4) + [0, 0, 0, 0], at: count - 4) == header, "its checksum is right")
    }

    @Test func aMappedAddressHasItsPrefix() throws {
        let header = try written(#require(address(fourText.0)), #require(address(sixText.1)))
        #expect(Array(header[16..<32]) == hex("00000000000000000000FFFFC0000201"))
    }

    @Test func aHeaderIsAppendedBehindWhatWaits() throws {
        let alone = try written(#require(address(sixText.0)), #require(address(sixText.1)))
        #expect(alone.count == ProxyHeader.writtenBytesMax)
        let buffer = Buffer(capacity: 200)
        buffer.append("gone, here")
        buffer.consume(6)
        try ProxyHeader.write(
            source: #require(address(sixText.0)), destination: #require(address(sixText.1)), into: buffer)
        #expect(bytes(of: buffer) == latin("here") + alone)
    }

    // MARK: Random

    @Test(arguments: 1...4 as ClosedRange<UInt64>) func randomAddressesComeBack(seed: UInt64) {
        var random = FastRandom(seed: seed)
        for _ in 0..<300 {
            let ends = [0, 1].map { _ in
                let bytes = (0..<(random.next(below: 2) == 0 ? 4 : 16)).map { _ in UInt8(random.next(below: 256)) }
                return SocketAddress(bytes: bytes.span, port: UInt16(random.next(below: 65_536)))
            }
            func verdict(_ bytes: [UInt8]) -> ProxyHeaderResult {
                .complete(ProxyHeader(byteCount: bytes.count, source: ends[0], destination: ends[1]))
            }
            let header = written(ends[0], ends[1])
            #expect(read(header) == verdict(header))
            guard ends[0].family == ends[1].family else { continue }
            let word = ends[0].family == .ipv4 ? "TCP4" : "TCP6"
            let line = latin("PROXY \(word) \(ends[0].host) \(ends[1].host) \(ends[0].port) \(ends[1].port)\r\n")
            #expect(read(line) == verdict(line))
        }
    }

    /// Right headers with up to four bytes changed, removed, doubled, or pieces put in.
    private func mutated(_ bytes: [UInt8], _ random: inout FastRandom) -> [UInt8] {
        let pieces = ["\r\n", "\r", " ", "0", "\0\0", "\u{3}\0\u{4}", "TCP4 ", "::", ".1", "PROXY ", "\u{FF}"]
        var bytes = bytes
        for _ in 0..<random.next(below: 5) {
            let index = random.next(below: bytes.count)
            switch random.next(below: 4) {
            case 0: bytes[index] = UInt8(random.next(below: 256))
            case 1: if bytes.count > 1 { bytes.remove(at: index) }
            case 2: bytes.insert(bytes[index], at: index)
            default: bytes.insert(contentsOf: latin(pieces[random.next(below: pieces.count)]), at: index)
            }
        }
        return bytes
    }

    /// Whatever comes, nothing traps, and the verdict is the same however the bytes arrive.
    @Test(arguments: 1...8 as ClosedRange<UInt64>) func anyBytesHaveOneVerdict(seed: UInt64) {
        var random = FastRandom(seed: seed)
        let samples = (rightLines + rightBinaries + captures).filter { $0.bytes.count < 400 }
        var completeCount = 0
        var refusedCount = 0
        for _ in 0..<400 {
            let bytes = mutated(samples[random.next(below: samples.count)].bytes, &random)
            let final = read(bytes)
            var isFaithful = true
            for count in 0..<bytes.count {
                let early = read(bytes, first: count)
                if case .complete(let header) = early { isFaithful = isFaithful && header.byteCount <= count }
                isFaithful = isFaithful && (early == .needMore || early == final)
            }
            #expect(isFaithful, "\(bytes)")
            switch final {
            case .complete(let header):
                completeCount += 1
                #expect(header.byteCount <= bytes.count)
                guard let source = header.source, let destination = header.destination else { continue }
                let again = written(source, destination)
                let same = ProxyHeader(byteCount: again.count, source: source, destination: destination)
                #expect(read(again) == .complete(same))
            case .refused: refusedCount += 1
            case .needMore: #expect(bytes.count < ProxyHeader.binaryBytesMax)
            }
        }
        #expect(completeCount > 50 && refusedCount > 50)
    }
}
