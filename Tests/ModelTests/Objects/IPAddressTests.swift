import Testing

@testable import Model

@Suite struct IPAddressTests {
    static let right: [(String, String)] = [
        ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("10.0.0.5", "10.0.0.5"), ("::", "::"),
        ("::1", "::1"), ("1::", "1::"), ("2001:DB8::0:1", "2001:db8::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ("0001:2:3:4:5:6:7:0008", "1:2:3:4:5:6:7:8"), ("::ffff:10.0.0.5", "::ffff:10.0.0.5"),
        ("::FFFF:A00:5", "::ffff:10.0.0.5"), ("64:ff9b::10.0.0.5", "64:ff9b::a00:5"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ]

    @Test(arguments: right) func hasOneForm(_ text: String, _ canonical: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
        #expect(address.bytes.count == (text.contains(":") ? 16 : 4))
    }

    static let wrong = [
        "", ".", ":", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "+1.2.3.4", "1..3.4", "0x1.2.3.4",
        ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::", "g::", "+1::", "1:",
        ":1",
        "::1%eth0", "[::1]", "::1/64", "1.2.3.4::", "::1.2.3", "1:2:3:4:5:6:7:1.2.3.4", "localhost",
    ]

    @Test(arguments: wrong) func refusesInvalidText(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        "0.0.0.0", "224.0.0.1", "239.255.255.255", "255.255.255.255", "::", "ff02::1", "FF0E::5", "::ffff:224.0.0.1",
        "::ffff:0.0.0.0",
    ]) func isNoTarget(_ text: String) throws { #expect(try !#require(IPAddress(text)).isUnicast) }

    @Test(arguments: [
        "10.0.0.1", "223.255.255.255", "240.0.0.1", "0.0.0.1", "::1", "fe80::1", "::ffff:10.0.0.1", "ff::1",
    ])
    func canBeATarget(_ text: String) throws { #expect(try #require(IPAddress(text)).isUnicast) }
}
