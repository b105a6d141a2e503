import Core
import TLS
import TestCertificates

/// Two ends of a connection over loopback.
final class SocketPair {
    let own: Socket
    let other: Socket

    init() throws {
        guard let address = SocketAddress(literal: "127.0.0.1", port: 0) else { fatalError("no loopback") }
        let listening = try Socket.listen(on: address, sharesPort: false)
        defer { listening.close() }
        guard let bound = listening.localAddress else { fatalError("not bound") }
        other = try Socket.connect(to: bound)
        var accepted: Socket?
        while accepted == nil {
            if case .accepted(let socket, _) = listening.accept() { accepted = socket }
        }
        own = accepted ?? other
    }

    /// How the other end's stream ends, once it does; what comes before is thrown away.
    func otherEnd() -> Socket.ReadResult {
        let input = Buffer(capacity: 1 << 16)
        while true {
            input.removeAll()
            switch other.read(into: input) {
            case .bytes, .wouldBlock: continue
            case let end: return end
            }
        }
    }
}

extension Socket {
    /// What a poller says of the socket now.
    func nextEvent() -> Poller.Ready {
        var poller = Poller()
        poller.add(descriptor, token: .none, interest: .edges)
        while poller.wait(until: nil, now: .now()) == 0 {}
        return poller.ready(0)
    }
}

/// A client that speaks TLS on its end of a connection.
final class SecurePeer {
    private static let authority = TestAuthority()
    private static let pair = authority.issue(["localhost"])
    private let socket: Socket
    private let wire = TLSWire()
    private let tls: TLSSession
    private let incoming = Buffer(capacity: 1 << 18)
    private let plaintext = Buffer(capacity: 1 << 17)
    private(set) var isShaken = false
    private(set) var receivedCount = 0
    /// What has come, as text.
    private(set) var text = ""
    /// Whether the other end has said by TLS that no more comes.
    private(set) var isTold = false

    init(_ socket: Socket) throws {
        self.socket = socket
        let context = try TLSClientContext(verification: .off, applicationProtocols: [.http1])
        tls = TLSSession(context, serverName: Span(), wire: wire)
    }

    /// The other end's session, on its own wire.
    func session(for wire: TLSWire) throws -> TLSSession {
        TLSSession(try TLSServerContext(try Self.serverConfiguration(), tickets: Plans.tickets), wire: wire)
    }

    /// What a server does about TLS that accepts any client.
    static func serverConfiguration() throws -> TLSServerConfiguration {
        let certificate = try TLSCertificate(
            chain: pair.certificate, privateKey: pair.privateKey, name: "test",
            now: Int(WallClock.now() / 1_000_000_000))
        let policy = TLSPolicy(
            name: "test", minimum: .tls13, maximum: .tls13, ciphers: [], ciphersuites: ["TLS_AES_128_GCM_SHA256"],
            postQuantumGroups: false)
        return TLSServerConfiguration(
            certificates: [certificate], policy: policy, clientAuthentication: .off, applicationProtocols: [.http1])
    }

    /// Goes on with the handshake as far as it goes.
    func shakeHands() {
        fill()
        if tls.handshake(incoming) == .done { isShaken = true }
        while !wire.outgoing.isEmpty { _ = socket.write(wire.outgoing) }
    }

    /// Opens what has come.
    func read() {
        fill()
        while true {
            switch tls.open(incoming, into: plaintext) {
            case .bytes(let count):
                receivedCount += count
                text += plaintext.text
                plaintext.removeAll()
            case .closed:
                isTold = true
                return
            case .nothing, .failed: return
            }
        }
    }

    /// Sends text, of which there is room for all.
    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = tls.seal(bytes.span)
        while !wire.outgoing.isEmpty { _ = socket.write(wire.outgoing) }
    }

    /// Says by TLS that no more comes.
    func close() {
        tls.close()
        while !wire.outgoing.isEmpty { _ = socket.write(wire.outgoing) }
    }

    private func fill() {
        incoming.compact()
        if incoming.freeCount > 0 { _ = socket.read(into: incoming) }
    }
}
