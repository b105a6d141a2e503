import Glibc
import Testing

@testable import Core

@Suite struct SocketAddressTests {
    @Test(
        arguments: [
            ("0.0.0.0", "0.0.0.0"), ("10.0.0.5", "10.0.0.5"), ("127.0.0.1", "127.0.0.1"), ("1.10.100.9", "1.10.100.9"),
            ("255.255.255.255", "255.255.255.255"), ("192.168.099.1", nil), ("1.2.3", nil), ("1.2.3.4.5", nil),
            ("256.1.1.1", nil), ("1.2.3.-4", nil), ("0x7f.0.0.1", nil), ("127.1", nil), ("2130706433", nil), ("", nil),
            (" 1.2.3.4", nil), ("1.2.3.4 ", nil), ("1.2.3.4\n", nil), ("1.2.3.4:80", nil), ("localhost", nil),
            ("a.example", nil), ("1.2.3.4\0", nil), ("1.2.3.4\0.example", nil), ("::1\0", nil),
        ] as [(String, String?)]) func readsIPv4(literal: String, host: String?)
    {
        let address = SocketAddress(literal: literal, port: 80)
        #expect(address?.host == host)
        guard let address, let host else { return }
        #expect(address.family == .ipv4)
        #expect(address.description == "\(host):80")
    }

    /// The text forms of RFC 5952 §4: lower case, no leading zeros, the longest run of zeros shortened, the first of
    /// equals, and never a run of one.
    @Test(
        arguments: [
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::1", "2001:db8::1"),
            ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("fe80:0:0:0:0202:b3ff:fe1e:8329", "fe80::202:b3ff:fe1e:8329"),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
            (":", nil), (":::", nil), ("1:2:3:4:5:6:7", nil), ("1:2:3:4:5:6:7:8:9", nil), ("::1::", nil),
            ("[::1]", nil),
            ("::1%lo", nil), ("12345::", nil), ("g::", nil), ("::1/128", nil), ("::1.2.3", nil),
        ] as [(String, String?)]) func readsIPv6(literal: String, host: String?)
    {
        let address = SocketAddress(literal: literal, port: 65_535)
        #expect(address?.host == host)
        guard let address, let host else { return }
        #expect(address.family == .ipv6)
        #expect(address.description == "[\(host)]:65535")
    }

    @Test func mappedAddressBecomesIPv4() throws {
        let mapped = try #require(SocketAddress(literal: "::ffff:10.1.2.3", port: 8080))
        let plain = try #require(SocketAddress(literal: "10.1.2.3", port: 8080))
        #expect(mapped == plain && mapped.hashValue == plain.hashValue)
        #expect(mapped.family == .ipv4 && mapped.description == "10.1.2.3:8080")
        // Near misses of the prefix are IPv6 addresses of their own.
        for literal in ["::fffe:10.1.2.3", "::1:ffff:10.1.2.3", "1::ffff:10.1.2.3", "::10.1.2.3"] {
            #expect(try #require(SocketAddress(literal: literal, port: 8080)).family == .ipv6)
        }
    }

    @Test func differsByFamilyAddressAndPort() throws {
        let address = try #require(SocketAddress(literal: "10.0.0.1", port: 80))
        #expect(address.port == 80)
        #expect(address.with(port: 81).port == 81)
        #expect(address.with(port: 81) != address)
        #expect(address.with(port: 81).with(port: 80) == address)
        #expect(SocketAddress(literal: "10.0.0.2", port: 80) != address)
        #expect(SocketAddress(literal: "::", port: 0) != .unspecified)
    }

    @Test(arguments: [("0.0.0.0", true), ("::", true), ("0.0.0.1", false), ("::1", false), ("1::", false)])
    func knowsEveryLocalAddress(literal: String, isUnspecified: Bool) {
        #expect(SocketAddress(literal: literal, port: 9)?.isUnspecified == isUnspecified)
    }

    /// The text that the system writes for the same bytes.
    private func systemText(_ bytes: [UInt8]) -> String {
        var text = [CChar](repeating: 0, count: 64)
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        let result = unsafe inet_ntop(family, bytes, &text, socklen_t(text.count))
        #expect(unsafe result != nil)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Random addresses, with many zeros and bytes of one, two and three digits, against the system's text form.
    @Test(arguments: [4, 16]) func writesAsTheSystemDoes(byteCount: Int) throws {
        var random = FastRandom(seed: UInt64(byteCount))
        for _ in 0..<3000 {
            var bytes = (0..<byteCount).map { _ in UInt8(random.next(below: 256)) }
            for index in bytes.indices where random.next(below: 3) > 0 { bytes[index] = UInt8(random.next(below: 2)) }
            if byteCount == 16 { bytes[0] |= 0x20 }
            let text = systemText(bytes)
            let address = try #require(SocketAddress(literal: text, port: 7))
            #expect(address.host == text)
        }
    }

    @Test func writesEveryByteOfADottedQuad() throws {
        for byte in 0...255 {
            let text = "\(byte).\(255 - byte).\(byte).\(byte ^ 0x55)"
            #expect(try #require(SocketAddress(literal: text, port: 1)).host == text)
        }
    }

    /// Converts to the kernel's form and back.
    @Test(arguments: ["0.0.0.0", "10.1.2.3", "255.255.255.255", "::", "::1", "2001:db8:1:2:3:4:5:6"])
    func survivesTheKernelsForm(literal: String) throws {
        for port in [0, 80, 0x1234, 65_535] as [UInt16] {
            let address = try #require(SocketAddress(literal: literal, port: port))
            let (storage, length) = unsafe address.withSystemAddress { unsafe ($0.pointee, $1) }
            #expect(SocketAddress(storage) == address)
            let size = address.family == .ipv4 ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
            #expect(Int(length) == size)
            #expect(Int32(storage.ss_family) == address.domain)
        }
    }

    @Test func otherFamiliesGiveNil() {
        var storage = sockaddr_storage()
        #expect(SocketAddress(storage) == nil)
        storage.ss_family = sa_family_t(AF_UNIX)
        #expect(SocketAddress(storage) == nil)
    }

    // MARK: In buffers and heads

    @Test(arguments: [
        ("10.0.0.5", "10.0.0.5", "10.0.0.5", "10.0.0.5:443"),
        ("2001:db8::1", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:443"),
    ]) func appendsItsText(literal: String, plain: String, bracketed: String, withPort: String) throws {
        let address = try #require(SocketAddress(literal: literal, port: 443))
        let buffer = Buffer(capacity: 200)
        buffer.append(hostOf: address)
        #expect(buffer.text == plain)
        buffer.removeAll()
        buffer.append(hostOf: address, bracketed: true)
        #expect(buffer.text == bracketed)
        buffer.removeAll()
        buffer.append(address)
        #expect(buffer.text == withPort)
        let head = Head()
        head.append("before ")
        #expect(head.bytes(head.append(hostOf: address)).text == plain)
        #expect(head.bytes(head.append(hostOf: address, bracketed: true)).text == bracketed)
        #expect(head.bytes.text == "before \(plain)\(bracketed)")
    }

    @Test func theLongestTextFits() throws {
        for literal in ["255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"] {
            let buffer = Buffer(capacity: 54)
            buffer.append(try #require(SocketAddress(literal: literal, port: 65_535)))
            #expect(buffer.count <= 54)
        }
    }

    @Test(arguments: [
        ("10.1.0.2", "10.2.0.2", true), ("2001:db8::2", "2001:db8::3", true), ("127.0.0.1", "127.0.0.2", true),
        ("10.1.0.2", "127.0.0.1", true), ("10.1.0.2", "2001:db8::3", false), ("2001:db8::2", "10.2.0.2", false),
        ("10.2.0.2", "10.2.0.2", false), ("127.0.0.1", "10.2.0.2", false), ("::1", "2001:db8::3", false),
        ("0.0.0.0", "10.2.0.2", false), ("::", "2001:db8::3", false), ("224.0.0.1", "10.2.0.2", false),
        ("255.255.255.255", "10.2.0.2", false), ("ff02::1", "2001:db8::3", false), ("fe80::1", "2001:db8::3", false),
        ("febf::1", "2001:db8::3", false), ("fec0::1", "2001:db8::3", true), ("223.255.255.255", "10.2.0.2", true),
    ]) func canBeASource(client: String, target: String, can: Bool) throws {
        let source = try #require(SocketAddress(literal: client, port: 40_000))
        #expect(source.canBeSource(towards: try #require(SocketAddress(literal: target, port: 80))) == can)
    }
}
