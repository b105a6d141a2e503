import Testing

@testable import Core

@Suite struct AddressRangeTests {
    private func address(_ literal: String) -> SocketAddress { SocketAddress(literal: literal, port: 1)! }

    /// The addresses inside and outside of a block.
    @Test(arguments: [
        ("10.0.0.0", 8, ["10.0.0.0", "10.255.255.255"], ["11.0.0.0", "9.255.255.255", "::a00:0"]),
        ("192.0.2.128", 25, ["192.0.2.128", "192.0.2.255"], ["192.0.2.127", "192.0.3.128"]),
        ("192.0.2.7", 32, ["192.0.2.7"], ["192.0.2.6"]), ("0.0.0.0", 0, ["255.255.255.255", "1.2.3.4"], ["::1"]),
        ("2001:db8::", 32, ["2001:db8::", "2001:db8:ffff::1"], ["2001:db9::", "1.2.3.4"]),
        ("2001:db8::8000:0:0:0", 65, ["2001:db8::8000:0:0:1"], ["2001:db8::7fff:0:0:1"]),
        ("::1", 128, ["::1"], ["::2", "0.0.0.1"]), ("::", 0, ["::1", "ffff::"], ["1.2.3.4"]),
    ])
    func containsAddressesByPrefix(first: String, length: Int, inside: [String], outside: [String]) {
        let range = AddressRange(address(first), prefixLength: length)
        for literal in inside { #expect(range.contains(address(literal)), "\(literal)") }
        for literal in outside { #expect(!range.contains(address(literal)), "\(literal)") }
    }
}
