import Testing

@testable import TLS

/// What the security policy of a listener allows.
@Suite struct TLSServerContextTests {
    private static let old = TLSPolicy(
        name: "old", minimum: .tls10, maximum: .tls13,
        ciphers: [
            "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA",
            "ECDHE-RSA-AES128-SHA", "AES128-GCM-SHA256", "AES128-SHA",
        ], ciphersuites: ["TLS_AES_128_GCM_SHA256"], postQuantumGroups: false)

    private func both(_ policy: TLSPolicy) -> TLSServerContext {
        Contexts.server([Mint.ecdsa.served(), Mint.rsa.served()], policy: policy)
    }

    @Test(arguments: TLSVersion.allCases)
    func acceptsEachAllowedVersion(version: TLSVersion) throws {
        let client = RawClient(both(Self.old), .init(minimum: version, maximum: version)).handshake()
        try #require(client.isDone, "\(client.serverResult)")
        #expect(client.server.version == version)
        #expect(client.send("hello") == .bytes(5))
        #expect(client.server.seal(bytes: Array("hi".utf8)))
        client.distribute()
        #expect(client.read() == "hi")
    }

    @Test(arguments: [TLSVersion.tls10, .tls11])
    func rejectsVersionsThatAreTooOld(version: TLSVersion) {
        let client = RawClient(both(Contexts.policy), .init(minimum: version, maximum: version)).handshake()
        #expect(client.serverResult == .failed(.unsupportedVersion))
        #expect(client.alert == 70)
    }

    @Test func theNewestVersionIsCappedByThePolicy() {
        let client = RawClient(both(Contexts.policy12)).handshake()
        #expect(client.server.version == .tls12)
        let modern = RawClient(both(Contexts.versions(.tls13, .tls13)), .init(maximum: .tls12)).handshake()
        #expect(modern.serverResult == .failed(.unsupportedVersion))
    }

    @Test func policyOrderDecides() {
        var policy = Contexts.policy12
        policy.ciphers = ["ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"]
        let offered = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
        let client = RawClient(Contexts.server([Mint.rsa.served()], policy: policy), .init(ciphers: offered))
        client.handshake()
        #expect(client.server.cipher == "ECDHE-RSA-AES256-GCM-SHA384")
        policy = Contexts.versions(.tls13, .tls13)
        policy.ciphersuites = ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"]
        let newer = RawClient(both(policy), .init(suites: "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"))
        newer.handshake()
        #expect(newer.server.cipher == "TLS_CHACHA20_POLY1305_SHA256")
    }

    @Test func rejectsAlgorithmsOutsideThePolicy() {
        let settings = RawClient.Settings(maximum: .tls12, ciphers: "ECDHE-RSA-CHACHA20-POLY1305")
        let client = RawClient(both(Self.old), settings).handshake()
        #expect(client.serverResult == .failed(.noSharedCipher))
        #expect(client.alert == 40)
        let group = RawClient(both(Contexts.policy), .init(groups: "X448")).handshake()
        #expect(group.serverResult == .failed(.noSharedCipher))
        #expect(group.alert == 40)
        let suite = RawClient(both(Self.old), .init(minimum: .tls13, suites: "TLS_AES_256_GCM_SHA384")).handshake()
        #expect(suite.serverResult == .failed(.noSharedCipher))
    }

    @Test(arguments: [("X25519", "x25519"), ("P-256", "secp256r1"), ("P-384", "secp384r1"), ("P-521", "secp521r1")])
    func theGroupsAreTheClassicalOnes(offered: String, name: String) {
        for policy in [Contexts.policy, Contexts.policy12] {
            let client = RawClient(both(policy), .init(groups: offered)).handshake()
            #expect(client.server.keyExchange == name)
        }
    }

    @Test func helloRetryRequestForAnotherGroup() {
        let settings = RawClient.Settings(name: "x.wild.example.com", minimum: .tls13, groups: "X448:P-384")
        let client = RawClient(both(Contexts.policy), settings).handshake()
        #expect(client.isDone)
        #expect(client.server.keyExchange == "secp384r1")
        #expect(client.server.sentName == "x.wild.example.com")
    }

    @Test func rejectsAPolicyThatOpenSSLDoesNotSupport() {
        var policy = Contexts.policy
        policy.ciphers = ["ECDHE-RSA-ROT13"]
        let configuration = TLSServerConfiguration(
            certificates: [Mint.ecdsa.served()], policy: policy, applicationProtocols: [])
        let ring = TLSTicketKeyRing(current: .random(), lifetime: 60)
        #expect(throws: TLSMaterialError.self) { try TLSServerContext(configuration, tickets: ring) }
    }

    @Test func staplesTheOCSPResponseOnRequest() {
        let response = Mint.intermediate.answer(about: Mint.ecdsa)
        let context = Contexts.server([Mint.ecdsa.served(ocsp: response), Mint.rsa.served()])
        #expect(RawClient(context, .init(asksForStatus: true)).handshake().stapled == response)
        #expect(RawClient(context).handshake().stapled == nil)
        // The RSA certificate has none.
        let rsa = RawClient(context, .init(signatures: "rsa_pss_rsae_sha256", asksForStatus: true)).handshake()
        #expect(rsa.isDone && rsa.stapled == nil)
    }
}
