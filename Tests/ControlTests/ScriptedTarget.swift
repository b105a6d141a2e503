import Core

@testable import Control

/// A target on the loop of the test: takes connections, records what comes, and answers by script.
final class ScriptedTarget: PollHandler {
    /// What is done with a connection.
    enum Script {
        /// These bytes are sent once a whole request head has come; then the connection is closed.
        case answer(String)
        /// Nothing is ever sent.
        case silence
        /// It is closed at once.
        case hangUp
    }

    let port: Int
    var script: Script
    /// Requests, in the order in which their heads were complete.
    private(set) var requests: [String] = []
    /// Connections that are open.
    fileprivate(set) var openCount = 0
    /// The most connections that were open at once.
    private(set) var openMost = 0
    private let loop: ControlLoop
    private let listener: Socket
    private var token = Token.none

    init(_ loop: ControlLoop, _ script: Script) throws {
        self.loop = loop
        self.script = script
        listener = try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: 0)!, sharesPort: false)
        port = Int(listener.localAddress!.port)
        token = loop.add(self, descriptor: listener.descriptor, interest: .readable)
    }

    /// Stops listening.
    func close() {
        loop.remove(token)
        listener.close()
    }

    func ready(_ ready: Poller.Ready, now: Instant) {
        while case .accepted(let socket, _) = listener.accept() {
            if case .hangUp = script {
                socket.closeWithReset()
                continue
            }
            openCount += 1
            openMost = max(openMost, openCount)
            let connection = ScriptedConnection(socket, self)
            connection.token = loop.add(connection, descriptor: socket.descriptor)
        }
    }

    func timerFired(now: Instant) {}

    fileprivate func received(_ request: String) -> String? {
        requests.append(request)
        if case .answer(let answer) = script { return answer }
        return nil
    }

    fileprivate func end(_ connection: ScriptedConnection) {
        openCount -= 1
        loop.remove(connection.token)
        connection.socket.close()
    }
}

private final class ScriptedConnection: PollHandler {
    let socket: Socket
    var token = Token.none
    private let target: ScriptedTarget
    private let inbound = Buffer(capacity: 16384)
    private var outbound: Buffer?

    init(_ socket: Socket, _ target: ScriptedTarget) {
        self.socket = socket
        self.target = target
    }

    func ready(_ ready: Poller.Ready, now: Instant) {
        while outbound == nil {
            switch socket.read(into: inbound) {
            case .bytes:
                let text = Self.text(of: inbound)
                guard text.hasSuffix("\r\n\r\n"), let answer = target.received(text) else { continue }
                let bytes = Array(answer.utf8)
                let buffer = Buffer(capacity: max(1, bytes.count))
                for byte in bytes { buffer.append(byte) }
                outbound = buffer
            case .wouldBlock: return
            case .endOfStream, .failed: return target.end(self)
            }
        }
        guard let outbound else { return }
        while !outbound.isEmpty {
            switch socket.write(outbound) {
            case .bytes: continue
            case .wouldBlock: return
            case .failed: return target.end(self)
            }
        }
        target.end(self)
    }

    func timerFired(now: Instant) {}

    private static func text(of buffer: Buffer) -> String { buffer.bytes.text }
}
