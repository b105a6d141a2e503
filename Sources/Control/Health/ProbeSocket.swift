import Core
import TLS

/// The connection of one health check: a socket, and TLS on it where the check asks for it.
struct ProbeSocket {
    private let socket: Socket
    private let tls: TLSSession?
    private let workbench: ProbeWorkbench
    private var isShaken = false
    /// Ciphertext that the kernel did not take yet, and ciphertext that was not opened yet.
    private let unsent: Buffer?
    private let unopened: Buffer?

    /// How a step went.
    enum Step { case done, wouldBlock, ended, failed }

    init(_ socket: Socket, tls: TLSSession?, workbench: ProbeWorkbench) {
        self.socket = socket
        self.tls = tls
        self.workbench = workbench
        unsent = tls == nil ? nil : Buffer(capacity: Limits.checkCiphertextBytes)
        unopened = tls == nil ? nil : Buffer(capacity: Limits.checkCiphertextBytes)
    }

    /// Whether it is over TLS.
    var isTLS: Bool { tls != nil }
    /// What ALPN has chosen.
    var applicationProtocol: ApplicationProtocol? { tls?.applicationProtocol }

    /// Goes on with the handshake, if there is one to make.
    mutating func handshake() -> Step {
        guard let tls, let unopened, !isShaken else { return .done }
        while true {
            let result = tls.handshake(unopened)
            guard sendAnswers() else { return .failed }
            switch result {
            case .done:
                isShaken = true
                return .done
            case .failed: return .failed
            case .needsMore:
                let step = fill(unopened)
                if step != .done { return step == .wouldBlock ? .wouldBlock : .failed }
            }
        }
    }

    private func fill(_ buffer: Buffer) -> Step {
        buffer.compact()
        guard buffer.freeCount > 0 else { return .failed }
        return switch socket.read(into: buffer) {
        case .bytes: .done
        case .wouldBlock: .wouldBlock
        case .endOfStream: .ended
        case .failed: .failed
        }
    }

    /// Takes what TLS wants to send out of the wire, which all checks share. False: it is more than a check may hold.
    private func keepUnsent() -> Bool {
        guard let unsent else { return true }
        let outgoing = workbench.wire.outgoing
        defer { outgoing.removeAll() }
        unsent.compact()
        guard outgoing.count <= unsent.freeCount else { return false }
        unsent.append(outgoing.bytes)
        return true
    }

    /// Sends what TLS answers by itself: its part of the handshake, alerts, key updates.
    private func sendAnswers() -> Bool { keepUnsent() && flush() != .failed }

    private func flush() -> Step {
        guard let unsent else { return .done }
        while !unsent.isEmpty {
            switch socket.write(unsent) {
            case .bytes: continue
            case .wouldBlock: return .wouldBlock
            case .failed: return .failed
            }
        }
        return .done
    }

    /// Writes `buffer`, all of it if nothing blocks.
    func write(_ buffer: Buffer) -> Step {
        guard let tls else {
            while !buffer.isEmpty {
                switch socket.write(buffer) {
                case .bytes: continue
                case .wouldBlock: return .wouldBlock
                case .failed: return .failed
                }
            }
            return .done
        }
        let flushed = flush()
        if flushed != .done || buffer.isEmpty { return flushed }
        let count = min(buffer.count, 16 * 1024)
        guard tls.seal(buffer.bytes.extracting(0..<count)), keepUnsent() else { return .failed }
        buffer.consume(count)
        let step = flush()
        return step == .done && !buffer.isEmpty ? write(buffer) : step
    }

    /// Reads what there is into `buffer`, which has room.
    func read(into buffer: Buffer) -> Step {
        guard let tls, let unopened else { return fill(buffer) }
        while true {
            let opened = tls.open(unopened, into: buffer)
            guard sendAnswers() else { return .failed }
            switch opened {
            case .bytes: return .done
            case .closed: return .ended
            case .failed: return .failed
            case .nothing: break
            }
            let step = fill(unopened)
            if step != .done { return step }
        }
    }

    /// Tells the target that no more comes.
    mutating func endWriting() {
        if let tls {
            tls.close()
            _ = sendAnswers()
        }
        socket.shutdownWrite()
    }

    /// Reads what there is, ciphertext or not, to throw it away.
    func discard(into buffer: Buffer) -> Step { fill(buffer) }

    /// Gives the socket back.
    func close() { socket.close() }
}
