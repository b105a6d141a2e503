import Testing

@testable import Model

/// What a file may say about TLS, and what it reads like when it may not.
@Suite struct ListenerTLSTests {
    /// An HTTPS listener with some keys more, on line 6 from column 11 on.
    static func listener(_ more: String, action: String = answer, certificates: String = certificate) -> String {
        """
        loadBalancers:
          - name: web
            listeners:
              - protocol: HTTPS
                port: 443
                \(more)
                certificates: [\(certificates)]
                defaultActions: [\(action)]
        """
    }

    static let certificate = "{ certificateFile: a.pem, privateKeyFile: a.key }"
    static let answer = "{ type: fixed-response, fixedResponseConfig: { statusCode: 200 } }"

    static func redirect(_ keys: String) -> String {
        "{ type: redirect, redirectConfig: { statusCode: HTTP_301, \(keys) } }"
    }

    private static func fault(in yaml: String) -> ConfigError? {
        do {
            _ = try Document.load(yaml: yaml, file: "web.yaml")
            return nil
        } catch { return error.first }
    }

    @Test(arguments: [
        ("", "no certificate", ConfigError.Code.certificateNotFound, "must have a certificate"),
        (
            "sslPolicy: ELBSecurityPolicy-1999", certificate, .sslPolicyNotFound,
            "sslPolicy must be a security policy of ELB's, but found \"ELBSecurityPolicy-1999\""
        ),
        (
            "mutualAuthentication: { ignoreClientCertificateExpiry: true }", certificate, .invalidConfigurationRequest,
            "6:64: ignoreClientCertificateExpiry belongs to mode verify, but found mode off. Remove it, or write mode"
        ),
        (
            "mutualAuthentication: { mode: passthrough, advertiseTrustStoreCaNames: on }", certificate,
            .invalidConfigurationRequest,
            "advertiseTrustStoreCaNames belongs to mode verify, but found mode passthrough"
        ),
        (
            "mutualAuthentication: { mode: verify }", certificate, .invalidConfigurationRequest,
            "mode verify needs a trust store"
        ),
        (
            "mutualAuthentication: { clientCertificateIdentityFilters: [\(filter)] }", certificate,
            .invalidConfigurationRequest,
            "6:67: clientCertificateIdentityFilters belongs to mode verify, but found mode"
        ),
        (
            "attributes: { routing.http.request.x_amzn_tls_version.header_name: x-amzn-tls-cipher-suite }", certificate,
            .invalidConfigurationRequest, "must have different names, but found X-Amzn-Tls-Cipher-Suite for "
        ),
    ])
    func saysWhatIsWrong(keys: String, certificates: String, code: ConfigError.Code, text: String) throws {
        let list = certificates == "no certificate" ? "" : certificates
        let fault = try #require(Self.fault(in: Self.listener(keys, certificates: list)))
        #expect(fault.code == code)
        #expect(fault.description.contains(text), "\(fault)")
    }

    static let filter = "{ field: subject-cn, matchType: exact, action: accept, value: a }"

    static func filters(_ filters: String) -> String {
        listener(
            "mutualAuthentication: { mode: verify, trustStoreFile: a, clientCertificateIdentityFilters: [\(filters)] }")
    }

    /// Each filter begins in column 101.
    @Test(arguments: [
        (
            "{}",
            "6:101: an identity filter must have the key field. Add field: subject-cn, subject-ou, san-dns or san-uri."
        ),
        (
            "{ field: subject-cm, matchType: exact, action: accept, value: a }",
            "6:110: field must be subject-cn, subject-ou, san-dns or san-uri, but found \"subject-cm\". "
                + "Did you mean subject-cn?"
        ),
        (
            "{ field: san-dns, matchType: regex, action: accept, value: a }",
            "6:130: matchType must be exact or prefix, but found \"regex\". Write exact or prefix."
        ),
        (
            "{ field: san-dns, matchType: exact, action: reject, value: a }",
            "6:145: action must be accept, but found \"reject\". Write accept."
        ),
        (
            "{ field: san-dns, matchType: exact, action: accept, value: \"\" }",
            "6:160: value must be 1 to 256 printable ASCII characters, but found \"\". "
                + "Write a name such as billing.example.com."
        ),
        (
            "{ field: san-dns, matchType: exact, action: accept, value: \"caf\u{E9}\" }",
            "6:160: value must be 1 to 256 printable ASCII characters, but found \"caf\u{E9}\". "
                + "Write a name such as billing.example.com."
        ),
        (
            "{ field: san-uri, matchType: prefix, action: accept, value: //example.com }",
            "6:161: value must begin with a URI's scheme: a letter, then letters, digits, +, - and . up to the first "
                + "colon, but found \"//example.com\". Write a URI such as spiffe://example.com/billing."
        ),
        (
            "{ field: san-uri, matchType: prefix, action: accept, value: \"7a:b\" }",
            "6:161: value must begin with a URI's scheme: a letter, then letters, digits, +, - and . up to the first "
                + "colon, but found \"7a:b\". Write a URI such as spiffe://example.com/billing."
        ),
    ])
    func identityFiltersSayWhatIsWrong(filter: String, text: String) {
        #expect(Self.fault(in: Self.filters(filter))?.description == "web.yaml:" + text)
    }

    @Test func identityFiltersAreCounted() throws {
        func filters(_ count: Int) -> String {
            Self.filters(Array(repeating: Self.filter, count: count).joined(separator: ", "))
        }
        let document = try Document.load(yaml: filters(100), file: "")
        let read = document.loadBalancers[0].listeners[0].mutualAuthentication?.clientCertificateIdentityFilters
        #expect(read == Array(repeating: .init(field: .subjectCN, matchType: .exact, value: "a"), count: 100))
        #expect(try Document(document.encoded()) == document)
        let fault = Self.fault(in: filters(101))?.description
        #expect(
            fault?.contains("clientCertificateIdentityFilters must be a list of at most 100") == true, "\(fault ?? "")")
    }

    @Test(arguments: ["spiffe", "urn:a", "a+b-c.9:x"]) func whatBeginsWithASchemeIsAURI(value: String) {
        let filter = "{ field: san-uri, matchType: prefix, action: accept, value: '\(value)' }"
        #expect(Self.fault(in: Self.filters(filter)) == nil)
    }

    @Test func anEmptyFieldNameIsELBsOwn() throws {
        let name = "routing.http.request.x_amzn_tls_version.header_name"
        func read(_ value: String) throws -> String? {
            let text = Self.listener("attributes: { \(name): \(value) }")
            return try Document.load(yaml: text, file: "").loadBalancers[0].listeners[0].attributes?.tlsVersion
        }
        #expect(try read("\"\"") == "X-Amzn-Tls-Version")
        #expect(try read("X-Version") == "X-Version")
    }

    /// A certificate's number has a cap, with a code of its own.
    @Test func certificatesAreCounted() {
        let many = Array(repeating: Self.certificate, count: Limits.certificatesMax + 1).joined(separator: ", ")
        #expect(Self.fault(in: Self.listener("", certificates: many))?.code == .tooManyCertificates)
    }

    @Test(
        arguments: [
            ("protocol: HTTP", "must not lead from HTTPS to HTTP"),
            ("protocol: HTTPS", "found one to this very listener"),
            ("protocol: HTTPS, port: 443", "found one to this very listener"),
            ("port: 443", "found one to this very listener"),
            ("protocol: HTTPS, query: a=1", "found one to this very listener"),
            ("protocol: HTTPS, port: 8443", nil),
            ("host: www.example.com", nil),
        ] as [(String, String?)])
    func redirectsLeadSomewhereElse(keys: String, text: String?) {
        let fault = Self.fault(in: Self.listener("", action: Self.redirect(keys)))
        guard let text else { return #expect(fault == nil, "\(keys): \(String(describing: fault))") }
        #expect(fault?.code == .invalidLoadBalancerAction)
        #expect(fault?.description.contains(text) == true, "\(String(describing: fault))")
    }

    @Test(arguments: ["apus.target_tls.verify: system", "apus.target_tls.server_name: a.example.com"])
    func targetTLSNeedsAGroupOfHTTPS(attribute: String) {
        func group(_ scheme: String) -> String {
            "targetGroups: [{ name: blue, protocol: \(scheme), port: 80, attributes: { \(attribute) } }]"
        }
        #expect(Self.fault(in: group("HTTPS")) == nil)
        #expect(Self.fault(in: group("HTTP"))?.code == .invalidConfigurationRequest)
    }

    @Test(arguments: [
        ("ELBSecurityPolicy-TLS13", "Did you mean ELBSecurityPolicy-TLS13-1-2-Res-2021-06?"),
        ("TLS13", "Did you mean ELBSecurityPolicy-TLS13-1-2-Res-2021-06?"),
        ("ELBSecurityPolicy-TLS13-1-2-Ext1", "Did you mean ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06?"),
        ("ELBSecurityPolicy-TLS13-1-2-Res-2021-60", "Did you mean ELBSecurityPolicy-TLS13-1-2-Res-2021-06?"),
        ("ELBSecurityPolicy-2016-80", "Did you mean ELBSecurityPolicy-2016-08?"),
        // Never a weak policy for a new one that is mistyped.
        ("ELBSecurityPolicy-TLS13-1-1-2021-60", "Did you mean ELBSecurityPolicy-TLS13-1-3-2021-06?"),
        ("ELBSecurityPolicy-TLS1-1--0221-06", "Did you mean ELBSecurityPolicy-TLS13-1-3-2021-06?"),
        ("ELBSecurityPolicy-1-2-Res-2021-06", "Did you mean ELBSecurityPolicy-TLS13-1-2-Res-2021-06?"),
        ("ELBSecurityPolicy-FS-1-2-2021-06", "Did you mean ELBSecurityPolicy-TLS13-1-2-2021-06?"),
        ("ELBSecurityPolicy-TLS213-1-1-2021-06", "Did you mean ELBSecurityPolicy-TLS13-1-3-2021-06?"),
        ("ELBSecurityPolicy-TLS13-1-0-PQ-2025-9", "Did you mean ELBSecurityPolicy-TLS13-1-3-PQ-2025-09?"),
        (
            "ELBSecurityPolicy-2021-08",
            "Write ELBSecurityPolicy-TLS13-1-2-Res-2021-06, or another that ELBv2 documents."
        ),
        ("ELBSecurityPolicy-FS", "Did you mean ELBSecurityPolicy-FS-1-2-2019-08?"),
        ("TLS13-1-3-2021-06", "Write ELBSecurityPolicy-TLS13-1-3-2021-06."),
        ("ELBSecurityPolicy-", "Write ELBSecurityPolicy-TLS13-1-2-Res-2021-06, or another that ELBv2 documents."),
        ("modern", "Write ELBSecurityPolicy-TLS13-1-2-Res-2021-06, or another that ELBv2 documents."),
    ]) func anUnknownPolicyIsNotTakenForAWeakerOne(name: String, remedy: String) {
        let error = #expect(throws: ConfigErrors.self) { try SecurityPolicy.codec.read(.string(name)) }
        #expect(error?.first.remedy == remedy)
    }
}
