import Core
import TLS

/// An in-memory client and server. Both are sessions of ours, each with a wire and the bytes in flight to it.
final class Pair {
    let client: TLSSession
    let server: TLSSession
    let clientWire = TLSWire()
    let serverWire = TLSWire()
    let toClient = Buffer(capacity: 1 << 20)
    let toServer = Buffer(capacity: 1 << 20)
    private(set) var clientResult = TLSSession.Handshake.needsMore
    private(set) var serverResult = TLSSession.Handshake.needsMore

    init(
        _ server: TLSServerContext, _ client: TLSClientContext = Contexts.client(), name: String = "localhost",
        resuming: TLSResumption? = nil
    ) {
        self.server = TLSSession(server, wire: serverWire)
        let bytes = Array(name.utf8)
        self.client = TLSSession(client, serverName: bytes.span, resuming: resuming, wire: clientWire)
    }

    /// Runs both handshakes until they end or no bytes are in flight.
    @discardableResult func handshake() -> Pair {
        clientResult = client.handshake(nil)
        send()
        for _ in 0..<10 {
            if serverResult == .needsMore { serverResult = server.handshake(toServer) }
            send()
            if clientResult == .needsMore { clientResult = client.handshake(toClient) }
            send()
        }
        return self
    }

    /// Moves the output of each side to the other.
    func send() {
        move(clientWire.outgoing, to: toServer)
        move(serverWire.outgoing, to: toClient)
    }

    /// What the server decrypts of the client's data.
    func deliver(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard client.seal(bytes.span) else { return "the client's session is dead" }
        send()
        let plaintext = Buffer(capacity: 1 << 16)
        let opened = server.open(toServer, into: plaintext)
        return opened == .bytes(bytes.count) ? plaintext.bytes.text : "\(opened)"
    }

    /// What the client decrypts of the server's data.
    func answer(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard server.seal(bytes.span) else { return "the server's session is dead" }
        send()
        let plaintext = Buffer(capacity: 1 << 16)
        let opened = client.open(toClient, into: plaintext)
        return opened == .bytes(bytes.count) ? plaintext.bytes.text : "\(opened)"
    }

    var isDone: Bool { clientResult == .done && serverResult == .done }
}

/// Moves all bytes of `source` to `sink`.
func move(_ source: Buffer, to sink: Buffer) {
    sink.append(source.bytes)
    source.removeAll()
}

/// The contexts of most tests.
enum Contexts {
    static let policy = TLSPolicy(
        name: "test", minimum: .tls12, maximum: .tls13,
        ciphers: [
            "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
            "ECDHE-RSA-AES256-GCM-SHA384",
        ], ciphersuites: ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"],
        postQuantumGroups: false)
    static var policy12: TLSPolicy { versions(.tls12, .tls12) }
    static var policyCBC: TLSPolicy {
        var policy = versions(.tls12, .tls12)
        policy.ciphers = ["ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "AES128-SHA"]
        return policy
    }

    static func versions(_ minimum: TLSVersion, _ maximum: TLSVersion) -> TLSPolicy {
        var policy = policy
        policy.minimum = minimum
        policy.maximum = maximum
        return policy
    }

    static func server(
        _ certificates: [TLSCertificate] = [Mint.ecdsa.served()], policy: TLSPolicy = policy,
        authentication: TLSServerConfiguration.ClientAuthentication = .off,
        protocols: [ApplicationProtocol] = [.http2, .http1], requiresSharedProtocol: Bool = true,
        tickets: TLSTicketKeyRing? = nil
    ) -> TLSServerContext {
        var configuration = TLSServerConfiguration(
            certificates: certificates, policy: policy, clientAuthentication: authentication,
            applicationProtocols: protocols)
        configuration.requiresSharedProtocol = requiresSharedProtocol
        let ring = tickets ?? TLSTicketKeyRing(current: .random(), lifetime: 3600)
        do throws(TLSMaterialError) {
            return try TLSServerContext(configuration, tickets: ring)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    static func client(
        _ verification: TLSClientContext.Verification = .off, protocols: [ApplicationProtocol] = [.http2, .http1]
    ) -> TLSClientContext {
        do throws(TLSMaterialError) {
            return try TLSClientContext(verification: verification, applicationProtocols: protocols)
        } catch {
            preconditionFailure("\(error)")
        }
    }
}
