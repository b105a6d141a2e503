import Testing

@testable import Core

@Suite struct AddressSetTests {
    private static func range(_ literal: String, _ length: Int) -> AddressRange {
        AddressRange(SocketAddress(literal: literal, port: 0)!, prefixLength: length)
    }

    /// Networks, how many of them lie apart, and addresses inside and outside.
    struct Case: Sendable, CustomTestStringConvertible {
        let why: String, networks: [AddressRange], apart: Int, inside: [String], outside: [String]
        var testDescription: String { why }
    }

    static let cases = [
        Case(why: "none has nobody", networks: [], apart: 0, inside: [], outside: ["0.0.0.0", "::", "10.0.0.1"]),
        Case(
            why: "the bounds of one", networks: [range("10.1.0.0", 16)], apart: 1,
            inside: ["10.1.0.0", "10.1.255.255"], outside: ["10.0.255.255", "10.2.0.0", "::a01:0"]),
        Case(
            why: "one that lies in another, and stands before it",
            networks: [range("10.1.2.0", 24), range("10.1.2.3", 32), range("10.0.0.0", 8), range("10.0.0.0", 24)],
            apart: 1, inside: ["10.0.0.0", "10.1.2.3", "10.255.255.255"], outside: ["9.255.255.255", "11.0.0.0"]),
        Case(
            why: "all addresses of one family", networks: [range("0.0.0.0", 0), range("192.0.2.0", 24)], apart: 1,
            inside: ["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"], outside: ["::", "2001:db8::1"]),
        Case(
            why: "both families", networks: [range("2001:db8::", 32), range("192.0.2.128", 25)], apart: 2,
            inside: ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "192.0.2.255"],
            outside: ["2001:db9::", "2001:db7:ffff::", "192.0.2.127"]),
        Case(
            why: "a mapped address is that of IPv4", networks: [range("::ffff:192.0.2.7", 32)], apart: 1,
            inside: ["192.0.2.7", "::ffff:192.0.2.7"], outside: ["::c000:207", "192.0.2.8"]),
        Case(
            why: "a prefix that ends in the second word", networks: [range("2001:db8::8000:0:0:0", 65)], apart: 1,
            inside: ["2001:db8::8000:0:0:1"], outside: ["2001:db8::7fff:0:0:1", "2001:db8:0:1::"]),
    ]

    @Test(arguments: cases) func findsTheNetworkOfAnAddress(_ test: Case) throws {
        let set = AddressSet(test.networks)
        #expect(set.count == test.apart)
        for literal in test.inside { #expect(set.contains(try #require(SocketAddress(literal: literal, port: 7)))) }
        for literal in test.outside { #expect(!set.contains(try #require(SocketAddress(literal: literal, port: 7)))) }
    }

    /// The plain definition: one of the networks has the address.
    @Test(arguments: 0..<20) func meansWhatItsNetworksMean(_ seed: UInt64) throws {
        var random = FastRandom(seed: seed &+ 1)
        // Few bits differ, so that networks often meet.
        func address() throws -> SocketAddress {
            let bits = (0..<4).map { _ in UInt8(truncatingIfNeeded: random.next() & 0x83) }
            let literal =
                random.next() & 1 == 0
                ? bits.map(String.init).joined(separator: ".")
                : "2001:db8::\(String(bits[0], radix: 16)):\(String(bits[1], radix: 16))"
            return try #require(SocketAddress(literal: literal, port: 0))
        }
        var ranges: [AddressRange] = []
        for _ in 0..<Int(random.next(below: 300)) {
            let first = try address()
            let length = Int(random.next(below: first.family == .ipv4 ? 33 : 129))
            ranges.append(AddressRange(first, prefixLength: random.next() & 7 == 0 ? length : max(length, 20)))
        }
        let set = AddressSet(ranges)
        for _ in 0..<2_000 {
            let client = try address()
            #expect(set.contains(client) == ranges.contains { $0.contains(client) }, "seed \(seed): \(client)")
        }
        #expect(AddressSet(ranges.reversed()) == set)
    }
}
