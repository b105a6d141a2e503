import Core
import Testing

@testable import TLS

/// Choice of certificate and protocol by server name (SNI), algorithms and ALPN.
@Suite struct TLSServerContextCallbacksTests {
    static let byName = Minted("shop", by: Mint.root, names: "DNS:shop.example.com")
    static let wide = Minted("wide", by: Mint.root, names: "DNS:*.example.com")
    static let certificates = [
        Mint.ecdsa.served("0"), Mint.rsa.served("1"), byName.served("2"), wide.served("3"),
    ]

    @Test(
        arguments: [
            (nil, 0), ("localhost", 0), ("unknown.test", 0), ("shop.example.com", 2), ("SHOP.Example.COM", 2),
            ("shop.example.com.", 2),
            ("other.example.com", 3), ("deep.other.example.com", 0), ("example.com", 0), ("x.wild.example.com", 0),
        ] as [(String?, Int)])
    func choosesTheCertificateByName(name: String?, index: Int) {
        let context = Contexts.server(Self.certificates)
        for version in [TLSVersion.tls12, .tls13] {
            let client = RawClient(context, .init(name: name, maximum: version)).handshake()
            #expect(client.isDone)
            #expect(client.server.certificateIndex == index)
            #expect(client.shown == Self.certificates[index].fingerprint)
            let known = name?.hasSuffix(".") == true ? name?.dropLast().description : name
            #expect(client.server.name == Array((known ?? "").lowercased().utf8))
        }
    }

    @Test func presentsRSAToAClientWithoutECDSA() {
        let context = Contexts.server(Self.certificates)
        for version in [TLSVersion.tls12, .tls13] {
            let settings = RawClient.Settings(maximum: version, signatures: "rsa_pss_rsae_sha256:RSA+SHA256")
            let client = RawClient(context, settings).handshake()
            #expect(client.isDone)
            #expect(client.server.certificateIndex == 1)
        }
        let both = RawClient(context, .init(maximum: .tls12, signatures: "RSA+SHA256:ECDSA+SHA256")).handshake()
        #expect(both.server.certificateIndex == 0)
    }

    @Test func withoutRSAForTheNameAnRSAClientIsRefused() {
        let settings = RawClient.Settings(name: "shop.example.com", signatures: "rsa_pss_rsae_sha256")
        let client = RawClient(Contexts.server(Self.certificates), settings).handshake()
        #expect(client.serverResult == .failed(.noSharedCipher))
        #expect(client.alert == 40)
    }

    @Test(
        arguments: [
            ([ApplicationProtocol.http2, .http1], "h2 http/1.1", ApplicationProtocol.http2),
            ([.http2, .http1], "http/1.1 h2", .http2), ([.http1, .http2], "h2 http/1.1", .http1),
            ([.http1], "h2 http/1.1", .http1), ([.http1], "spdy/1 http/1.0", .http10), ([.http2], "", nil),
            ([.http2, .http1], "", nil), ([], "h2", nil),
        ] as [([ApplicationProtocol], String, ApplicationProtocol?)])
    func serverPreferenceDecidesTheProtocol(ours: [ApplicationProtocol], offered: String, chosen: ApplicationProtocol?)
    {
        let client = RawClient(Contexts.server(protocols: ours), .init(protocols: wireForm(offered))).handshake()
        #expect(client.isDone)
        #expect(client.server.applicationProtocol == chosen)
    }

    @Test(arguments: [TLSVersion.tls12, .tls13])
    func noCommonProtocolIsFatal(version: TLSVersion) {
        let settings = RawClient.Settings(maximum: version, protocols: wireForm("spdy/1 h3"))
        let client = RawClient(Contexts.server(), settings).handshake()
        #expect(client.serverResult == .failed(.noSharedProtocol))
        #expect(client.alert == 120)
    }

    @Test(
        "Where it is not demanded, a handshake without a shared protocol goes on without one",
        arguments: [TLSVersion.tls12, .tls13])
    func noCommonProtocolMayBeFine(version: TLSVersion) {
        let context = Contexts.server(requiresSharedProtocol: false)
        for (offered, chosen) in [("spdy/1 h3", nil), ("h3 h2", ApplicationProtocol.http2)] {
            let settings = RawClient.Settings(maximum: version, protocols: wireForm(offered))
            let client = RawClient(context, settings).handshake()
            #expect(client.isDone)
            #expect(client.server.applicationProtocol == chosen)
        }
    }

    private func wireForm(_ names: String) -> [UInt8] {
        names.split(separator: " ").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
    }

    @Test func offersTheContextsProtocolsToTargets() {
        let pair = Pair(Contexts.server(protocols: [.http1, .http2]), Contexts.client(protocols: [.http2])).handshake()
        #expect(pair.client.applicationProtocol == .http2)
        #expect(pair.server.applicationProtocol == .http2)
        let none = Pair(Contexts.server(), Contexts.client(protocols: [])).handshake()
        #expect(none.client.applicationProtocol == nil)
    }
}
