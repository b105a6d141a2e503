import Testing

@testable import Model

@Suite struct AddressBlockTests {
    static let right: [(String, String, Int)] = [
        ("0.0.0.0/0", "0.0.0.0/0", 0), ("128.0.0.0/1", "128.0.0.0/1", 1), ("10.0.0.0/8", "10.0.0.0/8", 8),
        ("10.0.0.0/24", "10.0.0.0/24", 24), ("10.1.2.2/31", "10.1.2.2/31", 31), ("10.1.2.3/32", "10.1.2.3/32", 32),
        ("::/0", "::/0", 0), ("8000::/1", "8000::/1", 1), ("fe80::/10", "fe80::/10", 10),
        ("2001:DB8:0:0::/32", "2001:db8::/32", 32), ("2001:db8::fffe/127", "2001:db8::fffe/127", 127),
        ("2001:db8::1/128", "2001:db8::1/128", 128), ("::FFFF:10.0.0.0/104", "::ffff:10.0.0.0/104", 104),
    ]

    @Test(arguments: right) func hasOneForm(_ text: String, _ canonical: String, _ length: Int) throws {
        let block = try #require(AddressBlock(text))
        #expect(block.description == canonical && block.prefixLength == length)
        #expect(AddressBlock(canonical) == block)
    }

    static let wrong = [
        "", "/", "8", "/8", "10.0.0.0", "10.0.0.0/", "10.0.0.0/8/8", "10.0.0.0//8", "10.0.0.0/33", "10.0.0.0/1000",
        "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08", "10.0.0.0/00", "10.0.0.0/0x8", "10.0.0.0/8.0", "10.0.0.0/٨",
        "10.0.0.0/ 8", "10.0.0.0 /8", " 10.0.0.0/8", "10.0.0.0/8 ", "10.0.0/8", "010.0.0.0/8", "10.0.0.0/255.0.0.0",
        "localhost/8", "::/129", "[::]/0", "fe80::%eth0/64", "2001:db8/32", "10.0.0.0-10.0.0.9",
    ]

    @Test(arguments: wrong) func refusesInvalidText(_ text: String) {
        #expect(AddressBlock(text) == nil)
    }

    /// An address with one bit is a network's first if the prefix holds that bit.
    @Test func bitsAfterThePrefixAreRejected() {
        for bit in 0..<32 {
            let bits: UInt32 = 0x8000_0000 >> UInt32(bit)
            let address = [24, 16, 8, 0].map { "\(bits >> UInt32($0) & 0xFF)" }.joined(separator: ".")
            for length in 0...32 { #expect((AddressBlock("\(address)/\(length)") != nil) == (bit < length)) }
        }
        for bit in 0..<128 {
            var groups = [Int](repeating: 0, count: 8)
            groups[bit / 16] = 0x8000 >> (bit % 16)
            let address = groups.map { String($0, radix: 16) }.joined(separator: ":")
            for length in [0, bit, bit + 1, 128] {
                #expect((AddressBlock("\(address)/\(length)") != nil) == (bit < length), "\(address)/\(length)")
            }
        }
    }

    /// A document in which only networks may stand.
    static func trusting(_ networks: String) -> String {
        "loadBalancers: [{ name: web, attributes: { apus.proxy_protocol.trusted: [\(networks)] } }]"
    }

    /// Of the last, ELBv2 has none: nobody can send from it.
    @Test(arguments: ["10.0.0.1/8", "10.0.0.5", "10.0.0.0/33", "::1/64", "localhost", "255.255.255.255/32"])
    func saysWhatToWrite(_ text: String) {
        let error = #expect(throws: ConfigErrors.self) {
            try Document.load(yaml: Self.trusting("10.0.0.0/8, \"\(text)\""), file: "web.yaml")
        }
        #expect(
            error?.description
                == "web.yaml:1:86: apus.proxy_protocol.trusted[1] must be a network such as 10.0.0.0/8 or "
                + "2001:db8::/32, without a bit set behind its prefix, but found \"\(text)\". Write the network's "
                + "first address and the length of its prefix; one address is 10.1.2.3/32.")
    }

    @Test func aListOfNetworksIsReadAndWritten() throws {
        let document = try Document.load(yaml: Self.trusting("\"2001:DB8::/32\", 10.0.0.0/8"), file: "")
        let trusted = document.loadBalancers[0].attributes.proxyProtocolTrusted
        #expect(trusted.map(\.description) == ["2001:db8::/32", "10.0.0.0/8"])
        #expect(try Document(document.encoded()) == document)
    }

    @Test func theNumberOfNetworksIsLimited() throws {
        func networks(_ count: Int) -> String { (0..<count).map { "10.0.\($0).0/24" }.joined(separator: ", ") }
        _ = try Document.load(yaml: Self.trusting(networks(Limits.trustedNetworksMax)), file: "")
        let error = #expect(throws: ConfigErrors.self) {
            try Document.load(yaml: Self.trusting(networks(Limits.trustedNetworksMax + 1)), file: "")
        }
        #expect(error?.first.found == "101")
    }
}
