import Testing

@testable import TLS

@Suite struct TLSSessionFactsTests {
    @Test func factsOfTLS13() {
        let pair = Pair(Contexts.server(), name: "A.Example.com").handshake()
        for session in [pair.client, pair.server] {
            #expect(session.version == .tls13)
            #expect(session.cipher == "TLS_AES_128_GCM_SHA256")
            #expect(session.keyExchange == "x25519")
            #expect(session.sentName == "a.example.com")
            #expect(session.applicationProtocol == .http2)
            #expect(!session.isResumed)
        }
        #expect(pair.server.certificateIndex == 0)
        #expect(pair.client.certificateIndex == nil)
        #expect(pair.server.clientCertificate == nil && pair.client.clientCertificate == nil)
    }

    @Test func factsOfTLS12() {
        let pair = Pair(Contexts.server(policy: Contexts.policy12)).handshake()
        #expect(pair.server.version == .tls12)
        #expect(pair.server.cipher == "ECDHE-ECDSA-AES128-GCM-SHA256")
        #expect(pair.server.keyExchange == "x25519")
    }

    @Test func aKeyExchangeByTheCertificateIsCalledRSA() {
        var policy = Contexts.policy12
        policy.ciphers = ["AES128-GCM-SHA256"]
        let client = RawClient(Contexts.server([Mint.rsa.served()], policy: policy), .init(maximum: .tls12)).handshake()
        #expect(client.server.cipher == "AES128-GCM-SHA256")
        #expect(client.server.keyExchange == "RSA")
    }

    @Test func aFailedSessionHasEmptyFacts() {
        let client = RawClient(Contexts.server(), .init(maximum: .tls11)).handshake()
        #expect(client.server.cipher == "" && client.server.keyExchange == "")
        #expect(!client.server.isResumed && client.server.applicationProtocol == nil)
    }
}
