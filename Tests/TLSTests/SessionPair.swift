import Core
import TLS
import TestCertificates

/// What all tests of this module share: one authority, and certificates that take long to make.
enum Certificates {
    static let authority = TestAuthority()
    static let other = TestAuthority("Another Authority")
    static let ecdsa = authority.issue(["a.example.com", "shared.example.com"])
    static let rsa = authority.issue(["a.example.com", "shared.example.com"], key: .rsa(2048))
    static let client = authority.issue([], subject: "/C=CH/O=Example/CN=alice")
    static let stranger = other.issue([], subject: "/CN=mallory")
    /// Seconds since 1970, inside every certificate's validity.
    static let now = 1_795_000_000

    static func certificate(_ pair: TestAuthority.Pair, name: String = "a.pem") -> TLSCertificate {
        do {
            return try TLSCertificate(name: name, chain: pair.certificate, privateKey: pair.privateKey, now: today)
        } catch { fatalError("\(error)") }
    }

    /// Now, as the machine that made the certificates sees it.
    static var today: Int { Int(WallClock.now() / 1_000_000_000) }

    static let policy = TLSPolicy(
        name: "test", minimum: .tls12, maximum: .tls13,
        ciphers: ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"],
        ciphersuites: ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"], hasPostQuantumGroups: false)

    static func configuration(
        _ pairs: [TestAuthority.Pair] = [ecdsa], policy: TLSPolicy = policy,
        authentication: ClientAuthentication = .off, protocols: [ApplicationProtocol] = [.http2, .http1]
    ) -> TLSServerConfiguration {
        TLSServerConfiguration(
            certificates: pairs.enumerated().map { certificate($1, name: "\($0).pem") }, policy: policy,
            clientAuthentication: authentication, applicationProtocols: protocols)
    }
}

/// A server's and a client's session that talk through two buffers.
final class SessionPair {
    let serverWire = TLSWire()
    let clientWire = TLSWire()
    let server: TLSSession
    let client: TLSSession
    private let toServer = Buffer(capacity: 1 << 20)
    private let toClient = Buffer(capacity: 1 << 20)

    init(
        _ context: TLSServerContext, _ clientContext: TLSClientContext? = nil, serverName: String = "a.example.com",
        resuming: TLSResumption? = nil
    ) {
        server = TLSSession(context, wire: serverWire)
        client = TLSSession(
            clientContext ?? Self.trusting(), serverName: serverName, resuming: resuming, wire: clientWire)
    }

    static func trusting(_ verification: TargetVerification = .off, _ wanted: ApplicationProtocol = .http1)
        -> TLSClientContext
    {
        do { return try TLSClientContext(verification: verification, applicationProtocol: wanted) } catch {
            fatalError("\(error)")
        }
    }

    /// Shakes hands, `step` octets at a time; what both sides came to.
    @discardableResult func handshake(step: Int = .max) -> (server: TLSSession.Handshake, client: TLSSession.Handshake)
    {
        var ofServer = TLSSession.Handshake.needsMore
        var ofClient = client.handshake(nil)
        for _ in 0..<100_000 {
            collect()
            if ofServer == .needsMore, !toServer.isEmpty {
                ofServer = inSteps(toServer, step) { server.handshake($0) }
                collect()
                if case .failed = ofServer, toClient.isEmpty { break }
            } else if ofClient == .needsMore, !toClient.isEmpty {
                ofClient = inSteps(toClient, step) { client.handshake($0) }
            } else {
                break
            }
        }
        return (ofServer, ofClient)
    }

    private func inSteps(_ all: Buffer, _ step: Int, _ body: (Buffer) -> TLSSession.Handshake) -> TLSSession.Handshake {
        guard step < all.count else { return body(all) }
        let piece = Buffer(capacity: step)
        piece.append(all.bytes.extracting(0..<step))
        all.consume(step)
        let result = body(piece)
        precondition(piece.isEmpty || result != .needsMore, "the handshake left octets behind")
        return result
    }

    private func collect() {
        move(clientWire.outgoing, to: toServer)
        move(serverWire.outgoing, to: toClient)
    }

    private func move(_ from: Buffer, to other: Buffer) {
        other.append(from.bytes)
        from.removeAll()
    }

    /// Sends `text` one way; what came out at the other end.
    func send(_ text: String, fromServer: Bool, step: Int = .max) -> String {
        let octets = Array(text.utf8)
        let sender = fromServer ? server : client
        guard sender.seal(octets.span) else { return "dead" }
        collect()
        return receive(atServer: !fromServer, step: step)
    }

    func receive(atServer: Bool, step: Int = .max) -> String {
        collect()
        let receiver = atServer ? server : client
        let ciphertext = atServer ? toServer : toClient
        let plaintext = Buffer(capacity: 1 << 20)
        while !ciphertext.isEmpty {
            let piece = Buffer(capacity: min(step, ciphertext.count))
            piece.append(ciphertext.bytes.extracting(0..<piece.capacity))
            ciphertext.consume(piece.capacity)
            _ = receiver.open(piece, into: plaintext)
            collect()
        }
        return text(plaintext.bytes)
    }
}

/// What a session has agreed on, as text.
func cipher(of session: TLSSession) -> String { text(session.cipherName) }
func serverName(of session: TLSSession) -> String { text(session.serverName) }

func text(_ octets: borrowing Span<UInt8>) -> String {
    var array: [UInt8] = []
    for index in 0..<octets.count { array.append(octets[index]) }
    return String(decoding: array, as: UTF8.self)
}
