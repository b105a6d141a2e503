import Core
import TLS
import TestCertificates
import Testing

@Suite struct TLSSessionTests {
    private let ring = TLSTicketKeyRing(current: .random())

    private func context(_ configuration: TLSServerConfiguration = Certificates.configuration()) -> TLSServerContext {
        TLSServerContext(configuration, tickets: ring)
    }

    @Test(arguments: [1, 2, 7, 100, 1_000_000]) func shakesHandsInPiecesOfAnySize(step: Int) {
        let pair = SessionPair(context())
        let (server, client) = pair.handshake(step: step)
        #expect(server == .done && client == .done)
        #expect(pair.server.version == .tls13 && cipher(of: pair.server) == "TLS_AES_128_GCM_SHA256")
        #expect(serverName(of: pair.server) == "a.example.com" && !pair.server.isResumed)
        #expect(pair.server.applicationProtocol == .http1)
        #expect(pair.server.certificate?.name == "0.pem")
        #expect(pair.send("ping", fromServer: false, step: step) == "ping")
        #expect(pair.send("pong", fromServer: true, step: step) == "pong")
    }

    @Test func carriesMuchMoreThanARecord() {
        let pair = SessionPair(context())
        pair.handshake()
        let much = String(repeating: "0123456789abcdef", count: 4096)
        #expect(pair.send(much, fromServer: true, step: 1000) == much)
    }

    @Test func theEndIsToldBehindTheData() {
        let pair = SessionPair(context())
        pair.handshake()
        let octets = Array("last".utf8)
        let isSealed = pair.client.seal(octets.span)
        #expect(isSealed)
        pair.client.close()
        let plaintext = Buffer(capacity: 100)
        let ciphertext = Buffer(capacity: 1000)
        let outgoing = pair.clientWire.outgoing
        ciphertext.append(outgoing.bytes)
        #expect(pair.server.open(ciphertext, into: plaintext) == .octets(4))
        #expect(pair.server.open(ciphertext, into: plaintext) == .closed)
        #expect(pair.server.open(nil, into: plaintext) == .closed)
    }

    @Test func plainHTTPIsRecognised() {
        let session = TLSSession(context(), wire: TLSWire())
        let request = Buffer(capacity: 100)
        request.append("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(session.handshake(request) == .failed(.plainHTTP))
    }

    @Test func garbageIsRefusedWithAnAlert() {
        let wire = TLSWire()
        let session = TLSSession(context(), wire: wire)
        let garbage = Buffer(capacity: 100)
        garbage.append("\u{16}\u{3}\u{1}\u{0}\u{5}\u{1}\u{0}\u{0}\u{1}\u{7}")
        guard case .failed = session.handshake(garbage) else {
            Issue.record("garbage was taken for a ClientHello")
            return
        }
        let outgoing = wire.outgoing
        let kind = outgoing.bytes[0]
        #expect(outgoing.count == 7 && kind == 21, "an alert")
    }

    @Test func versionsWithoutOverlapFail() {
        var policy = Certificates.policy
        policy = TLSPolicy(
            name: "old", minimum: .tls10, maximum: .tls11, ciphers: ["ECDHE-ECDSA-AES128-SHA"], ciphersuites: [],
            hasPostQuantumGroups: false)
        let pair = SessionPair(context(Certificates.configuration(policy: policy)))
        let (server, client) = pair.handshake()
        #expect(server == .failed(.unsupportedVersion) && client == .failed(.alertReceived))
    }

    /// A session is resumed on any worker that has the keys, until they have been rotated twice.
    @Test func ticketsOutliveOneRotation() {
        let resumption = firstSession(context())
        let keys = (TLSTicketKey.random(), TLSTicketKey.random(), TLSTicketKey.random())
        let first = TLSTicketKeyRing(current: keys.0)
        let ticket = firstSession(TLSServerContext(Certificates.configuration(), tickets: first))
        let other = TLSServerContext(
            Certificates.configuration(), tickets: TLSTicketKeyRing(current: keys.1, previous: keys.0))
        #expect(isResumed(other, ticket))
        let late = TLSServerContext(
            Certificates.configuration(), tickets: TLSTicketKeyRing(current: keys.2, previous: keys.1))
        #expect(!isResumed(late, ticket))
        #expect(!isResumed(late, resumption), "another key")
    }

    @Test func aSessionStaysWithItsCertificatesAndPolicy() {
        let ticket = firstSession(context())
        #expect(isResumed(context(), ticket), "a context made anew with the same content")
        let strict = TLSPolicy(
            name: "other", minimum: .tls12, maximum: .tls13, ciphers: Certificates.policy.ciphers,
            ciphersuites: Certificates.policy.ciphersuites, hasPostQuantumGroups: false)
        #expect(!isResumed(context(Certificates.configuration(policy: strict)), ticket))
        let renewed = Certificates.authority.issue(["a.example.com"])
        #expect(!isResumed(context(Certificates.configuration([renewed])), ticket))
        #expect(!isResumed(context(Certificates.configuration(authentication: .passthrough)), ticket))
    }

    @Test func aSessionOfOneNameIsNotResumedForAnother() {
        let second = Certificates.authority.issue(["b.example.com"])
        let context = context(Certificates.configuration([Certificates.ecdsa, second]))
        let ticket = firstSession(context, serverName: "b.example.com")
        #expect(isResumed(context, ticket, serverName: "b.example.com"))
        #expect(!isResumed(context, ticket, serverName: "a.example.com"))
    }

    @Test func aTargetIsVerifiedWhereAsked() {
        let roots = TargetVerification.roots(Certificates.authority.own.certificate)
        let strangers = TargetVerification.roots(Certificates.other.own.certificate)
        func outcome(_ verification: TargetVerification, _ name: String) -> TLSSession.Handshake {
            SessionPair(context(), SessionPair.trusting(verification), serverName: name).handshake().client
        }
        #expect(outcome(roots, "a.example.com") == .done)
        #expect(outcome(roots, "b.example.com") == .failed(.nameMismatch))
        #expect(outcome(roots, "192.0.2.1") == .failed(.nameMismatch))
        #expect(outcome(strangers, "a.example.com") == .failed(.untrustedTarget))
        #expect(outcome(.off, "b.example.com") == .done)
    }

    private func firstSession(_ context: TLSServerContext, serverName: String = "a.example.com") -> TLSResumption? {
        let pair = SessionPair(context, serverName: serverName)
        pair.handshake()
        #expect(pair.send("x", fromServer: true) == "x")
        return pair.client.takeResumption()
    }

    private func isResumed(_ context: TLSServerContext, _ ticket: TLSResumption?, serverName: String = "a.example.com")
        -> Bool
    {
        guard let ticket else { return false }
        let pair = SessionPair(context, serverName: serverName, resuming: ticket)
        let (server, client) = pair.handshake()
        #expect(server == .done && client == .done)
        #expect(pair.server.isResumed == pair.client.isResumed)
        return pair.server.isResumed
    }
}
