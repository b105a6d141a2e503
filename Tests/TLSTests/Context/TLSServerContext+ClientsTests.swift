import COpenSSL
import Core
import Testing

@testable import TLS

/// Mutual TLS: client certificates.
@Suite struct TLSServerContextClientsTests {
    static let ca = Minted("Client CA", isCA: true)
    static let good = Minted("good client", by: ca)

    private static func store(
        _ authorities: [Minted] = [ca], crls: [[UInt8]] = [], ignoresExpiry: Bool = false,
        advertisesNames: Bool = false,
        filters: [IdentityFilters.Filter] = []
    ) throws -> TLSServerConfiguration.ClientAuthentication {
        .verify(
            try TLSTrustStore(
                caBundle: authorities.flatMap(\.pem), crls: crls, ignoresExpiry: ignoresExpiry,
                advertisesNames: advertisesNames, identityFilters: IdentityFilters(filters)))
    }

    private static func connect(
        _ certificate: Minted?, _ authentication: TLSServerConfiguration.ClientAuthentication, chain: [Minted] = [],
        version: TLSVersion = .tls13
    ) -> RawClient {
        let policy = Contexts.versions(.tls10, .tls13)
        let server = Contexts.server(policy: policy, authentication: authentication)
        return RawClient(server, .init(maximum: version, certificate: certificate, chain: chain)).handshake()
    }

    @Test(arguments: [TLSVersion.tls12, .tls13])
    func acceptsACertificateOfTheCA(version: TLSVersion) throws {
        for kind in [Minted.KeyKind.p256, .p384, .p521, .rsa(2048)] {
            let client = Self.connect(Minted("client", kind: kind, by: Self.ca), try Self.store(), version: version)
            #expect(client.isDone, "\(kind)")
            #expect(client.server.verifyFailure == nil)
            #expect(client.send("hello") == .bytes(5))
        }
    }

    @Test(arguments: [TLSVersion.tls12, .tls13])
    func aClientWithoutCertificateIsRefused(version: TLSVersion) throws {
        let client = Self.connect(nil, try Self.store(), version: version)
        #expect(client.serverResult == .failed(.noClientCertificate))
        #expect(client.alert == (version == .tls13 ? 116 : 40))
        #expect(client.server.clientCertificate == nil)
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let failure: ClientCertificateFailure
        let certificate: Minted
        var chain: [Minted] = []
    }

    static let deep = (1...4).reduce(into: [Minted("Deep 0", by: ca, isCA: true)]) { chain, index in
        chain.append(Minted("Deep \(index)", by: chain[index - 1], isCA: true))
    }

    static let refusals = [
        Refusal(testDescription: "of a stranger", failure: .untrusted, certificate: Minted("a", by: Mint.other)),
        Refusal(testDescription: "by itself", failure: .untrusted, certificate: Minted("a")),
        Refusal(testDescription: "expired", failure: .expired, certificate: Minted("a", by: ca, to: -60)),
        Refusal(testDescription: "not yet valid", failure: .notYetValid, certificate: Minted("a", by: ca, from: 3600)),
        Refusal(
            testDescription: "for servers", failure: .purposeInvalid,
            certificate: Minted("a", by: ca, usage: "serverAuth")),
        Refusal(
            testDescription: "Ed25519", failure: .typeUnsupported, certificate: Minted("a", kind: .ed25519, by: ca)),
        Refusal(
            testDescription: "RSA 1024", failure: .incompatible, certificate: Minted("a", kind: .rsa(1024), by: ca)),
        Refusal(testDescription: "SHA-1", failure: .incompatible, certificate: Minted("a", by: ca, digest: "SHA1")),
        Refusal(
            testDescription: "chain too deep", failure: .maxChainDepthExceeded,
            certificate: Minted("a", by: deep[4]), chain: deep.reversed()),
        Refusal(
            testDescription: "issued by what is no CA", failure: .invalid, certificate: Minted("a", by: good),
            chain: [good]),
    ]

    @Test(arguments: refusals) func rejectsOtherCertificates(refusal: Refusal) throws {
        for version in [TLSVersion.tls12, .tls13] {
            let client = Self.connect(
                refusal.certificate, try Self.store(), chain: refusal.chain, version: version)
            // A client that supports none of the signature algorithms sends no certificate.
            if client.serverResult == .failed(.noClientCertificate) {
                #expect(refusal.failure == .typeUnsupported)
                continue
            }
            #expect(client.serverResult == .failed(.badCertificate))
            #expect(client.server.verifyFailure == refusal.failure)
            #expect(client.alert != nil)
        }
    }

    @Test func acceptsAChainOfFourIssuers() throws {
        let client = Minted("client", by: Self.deep[2])
        #expect(Self.connect(client, try Self.store(), chain: [2, 1, 0].map { Self.deep[$0] }).isDone)
        let deeper = Self.connect(
            Minted("client", by: Self.deep[3]), try Self.store(), chain: [3, 2, 1, 0].map { Self.deep[$0] })
        #expect(deeper.server.verifyFailure == .maxChainDepthExceeded)
    }

    @Test func anIntermediateIsTrustedWithoutItsRoot() throws {
        #expect(Self.connect(Minted("client", by: Self.deep[0]), try Self.store([Self.deep[0]])).isDone)
    }

    @Test func certificateMessageIsLimited() throws {
        let names = (0..<400).map { "DNS:\($0).a-rather-long-name-to-fill-the-certificate.example.com" }
        let large = Minted("large", by: Self.ca, names: names.joined(separator: ","))
        let client = Self.connect(Self.good, try Self.store(), chain: [large, large, large, large])
        #expect(client.serverResult == .failed(.badCertificate))
        #expect(client.server.verifyFailure == .maxSizeExceeded)
    }

    @Test func ignoresExpiryIfConfigured() throws {
        let store = try Self.store(ignoresExpiry: true)
        let expired = Minted("expired", by: Self.ca, to: -60)
        #expect(Self.connect(expired, store).isDone)
        let early = Self.connect(Minted("early", by: Self.ca, from: 3600), store)
        #expect(early.server.verifyFailure == .notYetValid)
        let stranger = Self.connect(Minted("stranger", by: Mint.other, to: -60), store)
        #expect(stranger.server.verifyFailure == .untrusted)
        #expect(stranger.server.takeRefusedCertificate() != nil)
        #expect(stranger.server.takeRefusedCertificate() == nil, "it was released")
    }

    @Test func rejectsRevokedCertificates() throws {
        let revoked = Minted("revoked", by: Self.ca)
        let store = try Self.store([Self.ca, Mint.other], crls: [Self.ca.revoking([revoked])])
        #expect(Self.connect(revoked, store).server.verifyFailure == .crlHit)
        #expect(Self.connect(Self.good, store).isDone)
        // The other CA has no revocation list.
        #expect(Self.connect(Minted("other's", by: Mint.other), store).isDone)
        // Revoked certificates are rejected even if expiry is ignored.
        let both = Minted("both", by: Self.ca, to: -60)
        let lenient = try Self.store(crls: [Self.ca.revoking([both])], ignoresExpiry: true)
        #expect(Self.connect(both, lenient).server.verifyFailure == .crlHit)
    }

    /// The trust store comes first, then the filters, then revocation: the first that says no is named.
    @Test(arguments: [TLSVersion.tls12, .tls13]) func identityFiltersDecideWhoComesIn(version: TLSVersion) throws {
        let withdrawn = Minted("billing", by: Self.ca, names: "URI:spiffe://example.com/billing")
        let filters = [IdentityFilters.Filter(.uri, "spiffe://example.com/billing"), .init(.commonName, "good client")]
        let store = try Self.store(filters: filters)
        let client = Minted("billing", by: Self.ca, names: "URI:spiffe://example.com/billing")
        for accepted in [client, Self.good] { #expect(Self.connect(accepted, store, version: version).isDone) }
        let other = Self.connect(Minted("other", by: Self.ca), store, version: version)
        #expect(other.serverResult == .failed(.identityNotAccepted))
        #expect(other.server.verifyFailure == .identityNotAccepted)
        #expect(other.alert == 42)
        #expect(other.server.takeRefusedCertificate()?.subject == Array("CN=other,O=Apus tests".utf8))
        let stranger = Minted("good client", by: Mint.other)
        #expect(Self.connect(stranger, store, version: version).server.verifyFailure == .untrusted)
        #expect(Self.connect(nil, store, version: version).serverResult == .failed(.noClientCertificate))
        let revoked = Minted("other", by: Self.ca)
        let both = try Self.store(crls: [Self.ca.revoking([revoked, withdrawn])], filters: filters)
        #expect(Self.connect(revoked, both, version: version).server.verifyFailure == .identityNotAccepted)
        #expect(Self.connect(withdrawn, both, version: version).server.verifyFailure == .crlHit)
        #expect(Self.connect(Self.good, both, version: version).isDone)
    }

    @Test func unusableRevocationListRejectsAll() throws {
        let old = try Self.store(crls: [Self.ca.revoking([], nextUpdate: -60)])
        #expect(Self.connect(Self.good, old).server.verifyFailure == .crlProcessingError)
        let forged = try Self.store(crls: [Self.ca.revoking([], by: Mint.other)])
        #expect(Self.connect(Self.good, forged).server.verifyFailure == .crlProcessingError)
    }

    @Test func advertisesNamesIfConfigured() throws {
        let quiet = Self.connect(Self.good, try Self.store())
        #expect(quiet.authorities == 0)
        let open = Self.connect(Self.good, try Self.store([Self.ca, Mint.other], advertisesNames: true))
        #expect(open.isDone && open.authorities == 2)
    }

    @Test func passthroughAcceptsAnyCertificateOrNone() {
        for certificate in [nil, Self.good, Minted("a", to: -60), Minted("a", kind: .ed25519, by: Mint.other)] {
            let client = Self.connect(certificate, .passthrough)
            #expect(client.isDone)
            #expect(client.server.verifyFailure == nil)
            #expect((client.server.clientCertificate == nil) == (certificate == nil))
        }
    }

    @Test func requestsNoCertificateIfOff() {
        let client = Self.connect(Self.good, .off)
        #expect(client.isDone && client.server.clientCertificate == nil)
    }
}
