import COpenSSL
import Testing

@testable import TLS

/// Which certificates an identity filter fits.
@Suite struct IdentityFiltersTests {
    static let full = Minted(
        "Alice",
        names: "DNS:a.example.com,DNS:*.wild.example.com,URI:spiffe://Prod.Example.com/Billing/api,IP:10.0.0.1",
        entries: [unit("Payments"), unit("Ops"), Minted.Entry(field: "CN", bytes: Array("second".utf8))])

    static func unit(_ name: String) -> Minted.Entry { Minted.Entry(field: "OU", bytes: Array(name.utf8)) }

    private static func accepts(_ filters: [IdentityFilters.Filter], _ certificate: Minted) -> Bool {
        unsafe IdentityFilters(filters).accepts(X509Facts(certificate.certificate))
    }

    @Test(
        arguments: [
            (.commonName, "alice", true, false), (.commonName, "ALICE", true, false),
            (.commonName, "second", true, false),
            (.commonName, "al", false, true), (.commonName, "alice2", false, false),
            (.commonName, "lice", false, false),
            (.organizationalUnit, "payments", true, false), (.organizationalUnit, "OPS", true, false),
            (.organizationalUnit, "op", false, true), (.organizationalUnit, "Apus tests", false, false),
            (.dnsName, "A.Example.com", true, false), (.dnsName, "a.ex", false, true),
            (.dnsName, "alice", false, false),
            (.dnsName, "*.wild.example.com", true, false), (.dnsName, "b.wild.example.com", false, false),
            (.dnsName, "10.0.0.1", false, false), (.dnsName, "spiffe:", false, false),
            (.uri, "spiffe://prod.example.com/Billing/api", true, false),
            (.uri, "SPIFFE://PROD.example.com/Billing/api", true, false),
            (.uri, "spiffe://prod.example.com/billing/api", false, false),
            (.uri, "Spiffe://prod.Example.com/Billing/", false, true), (.uri, "spiffe://PROD", false, true),
            (.uri, "spiffe://prod.example.com/B", false, true), (.uri, "spiffe://prod.example.com/b", false, false),
            (.uri, "spi", false, true), (.uri, "a.example.com", false, false),
        ] as [(IdentityFilters.Field, String, Bool, Bool)])
    func comparesValues(field: IdentityFilters.Field, value: String, isExact: Bool, isBeginning: Bool) {
        #expect(Self.accepts([.init(field, value)], Self.full) == isExact)
        #expect(Self.accepts([.init(field, value, isPrefix: true)], Self.full) == (isExact || isBeginning))
    }

    @Test func anyFilterWillDoAndWithoutAnyAllAreIn() {
        #expect(Self.accepts([], Self.full))
        #expect(Self.accepts([], Minted("nobody")))
        let filters = [IdentityFilters.Filter(.commonName, "bob"), .init(.dnsName, "a.", isPrefix: true)]
        #expect(Self.accepts(filters, Self.full))
        #expect(!Self.accepts(filters, Minted("carol", names: "DNS:b.example.com")))
        #expect(
            !Self.accepts([.init(.uri, "https://a/")], Minted("no names")), "a field that is not there fits nothing")
    }

    /// Of `user@host` the user has a case, and what follows the host has one.
    @Test(
        arguments: [
            ("https://Joe@Host/", "https://Joe@hOST/", true), ("https://Joe@Host/", "https://joe@host/", false),
            ("https://Host?Q", "https://hoST?Q", true), ("https://Host?Q", "https://host?q", false),
            ("https://Host#F", "https://HOST#f", false), ("URN:Example:A", "urn:Example:A", true),
            ("urn:Example:A", "urn:example:A", false), ("https://HOST", "https://host", true),
        ])
    func ofURIsSchemeAndHostIgnoreCase(filter: String, value: String, isAccepted: Bool) {
        #expect(Self.accepts([.init(.uri, filter)], Minted("a", names: "URI:\(value)")) == isAccepted)
    }

    // MARK: Hostile certificates

    /// To a program that ends texts at a zero byte these are `admin`.
    @Test(arguments: [UInt8(0), 10, 13, 0x7F]) func aControlCharacterFitsNothing(control: UInt8) {
        let value = Array("admin".utf8) + [control] + Array(".attacker.example".utf8)
        let subject = Minted("x", entries: [Minted.Entry(field: "CN", bytes: value)])
        let names = Minted(
            "x", alternativeNames: Self.names([(Self.dns, value), (Self.uri, Array("https://".utf8) + value)]))
        for isPrefix in [true, false] {
            #expect(!Self.accepts([.init(.commonName, "admin", isPrefix: isPrefix)], subject))
            #expect(!Self.accepts([.init(.dnsName, "admin", isPrefix: isPrefix)], names))
            #expect(!Self.accepts([.init(.uri, "https://admin", isPrefix: isPrefix)], names))
        }
    }

    @Test func textsHaveManyEncodings() {
        let utf16 = "admin".utf8.flatMap { [0, $0] as [UInt8] }
        let utf32 = "admin".utf8.flatMap { [0, 0, 0, $0] as [UInt8] }
        let plain = Array("admin".utf8)
        for (type, bytes) in [
            (V_ASN1_BMPSTRING, utf16), (V_ASN1_UNIVERSALSTRING, utf32), (V_ASN1_PRINTABLESTRING, plain),
            (V_ASN1_T61STRING, plain), (V_ASN1_IA5STRING, plain), (V_ASN1_UTF8STRING, plain),
        ] {
            let certificate = Minted("x", entries: [Minted.Entry(field: "CN", type: type, bytes: bytes)])
            #expect(Self.accepts([.init(.commonName, "ADMIN")], certificate), "\(type)")
            #expect(!Self.accepts([.init(.commonName, "root")], certificate), "\(type)")
        }
        // What is none is passed over, and does not hide what stands behind it.
        let odd = Minted.Entry(field: "CN", type: V_ASN1_BMPSTRING, bytes: [0, 97, 0])
        #expect(!Self.accepts([.init(.commonName, "a", isPrefix: true)], Minted("x", entries: [odd])))
        let both = Minted("x", entries: [odd, Minted.Entry(field: "CN", bytes: plain)])
        #expect(Self.accepts([.init(.commonName, "admin")], both))
    }

    @Test func ofThousandsOfNamesTheFirstAreLookedAt() {
        let many = (0..<10_000).map { (Self.dns, Array("n\($0)".utf8)) }
        let certificate = Minted("x", alternativeNames: Self.names(many))
        #expect(Self.accepts([.init(.dnsName, "n0")], certificate))
        #expect(Self.accepts([.init(.dnsName, "n\(Limits.identityValuesMax - 1)")], certificate))
        #expect(!Self.accepts([.init(.dnsName, "n\(Limits.identityValuesMax)")], certificate))
        #expect(!Self.accepts([.init(.dnsName, "n9999")], certificate))
        let hundred = (0..<100).map { IdentityFilters.Filter(.dnsName, "m\($0)", isPrefix: true) }
        #expect(!Self.accepts(hundred, certificate))
        let units = (0..<1_500).map { Self.unit("u\($0)") }
        #expect(Self.accepts([.init(.organizationalUnit, "u999")], Minted("x", entries: units)))
        #expect(!Self.accepts([.init(.organizationalUnit, "u1000")], Minted("x", entries: units)))
    }

    @Test func twoListsOfNamesAreNone() {
        let certificate = Minted(
            "x", names: "DNS:a.example.com", alternativeNames: Self.names([(Self.dns, Array("b.example.com".utf8))]))
        for name in ["a.example.com", "b.example.com"] {
            #expect(!Self.accepts([.init(.dnsName, name)], certificate))
        }
    }

    @Test(arguments: [[0x30, 0x05, 0x82, 0x0A, 97], [], [4, 0]] as [[UInt8]])
    func aBrokenListOfNamesIsNone(der: [UInt8]) {
        #expect(!Self.accepts([.init(.dnsName, "a", isPrefix: true)], Minted("x", alternativeNames: der)))
    }

    @Test func contentTellsFiltersApart() {
        let filters: [[IdentityFilters.Filter]] = [
            [], [.init(.commonName, "a")], [.init(.commonName, "a", isPrefix: true)], [.init(.dnsName, "a")],
            [.init(.commonName, "ab")], [.init(.commonName, "a"), .init(.commonName, "b")],
        ]
        #expect(Set(filters.map { IdentityFilters($0).content }).count == filters.count)
        let one = IdentityFilters([.init(.uri, "a:"), .init(.uri, "b:")])
        #expect(one.content == IdentityFilters([.init(.uri, "b:"), .init(.uri, "A:")]).content)
    }

    // MARK: DER

    /// The tags of names in subjectAltName. Source: RFC 5280 §4.2.1.6.
    static let dns: UInt8 = 0x82
    static let uri: UInt8 = 0x86

    /// A list of names, with their tags.
    static func names(_ names: [(tag: UInt8, bytes: [UInt8])]) -> [UInt8] {
        element(0x30, names.flatMap { element($0.tag, $0.bytes) })
    }

    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let count = content.count
        let length: [UInt8] =
            count < 128 ? [UInt8(count)] : [0x83, UInt8(count >> 16), UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF)]
        return [tag] + length + content
    }
}

extension IdentityFilters.Filter {
    /// A filter with its value as text.
    init(_ field: IdentityFilters.Field, _ value: String, isPrefix: Bool = false) {
        self.init(field, Array(value.utf8), isPrefix: isPrefix)
    }
}
