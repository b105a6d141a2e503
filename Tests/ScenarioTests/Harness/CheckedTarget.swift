/// A TCP target whose health the scenario sets: it answers health checks for `/health`, and echoes everything else
/// after its name.
final class CheckedTarget: Sendable {
    let name: String
    let stream: StreamTarget
    private let isWell: Locked<Bool>

    /// A healthy target.
    init(_ name: String) throws {
        let isWell = Locked(true)
        self.name = name
        self.isWell = isWell
        stream = try StreamTarget { connection in
            while case .bytes(let bytes) = connection.read() {
                if bytes.starts(with: Array("GET /health ".utf8)) {
                    let status = isWell.value ? "200 Well" : "503 Ill"
                    return connection.send(Array("HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n".utf8))
                }
                connection.send(Array("\(name):".utf8) + bytes)
            }
        }
    }

    /// How it is registered.
    var address: Document.Address { stream.address }

    /// Passes its checks from now on, or fails them.
    func become(well: Bool) { isWell.withLock { $0 = well } }

    /// Connections of clients, and not of checks.
    var connections: [StreamConnection] { stream.connections.filter { !$0.received.starts(with: Array("GET".utf8)) } }
}

/// A client's tunnel to a `CheckedTarget`.
struct HeldFlow {
    let client: RawClient
    /// The target's name.
    let target: String
    /// Its client's address, as the log has it.
    let address: String

    /// Connects, and reads the target's name.
    init(_ apus: ApusProcess, source: String? = nil) throws {
        client = try apus.client(source: source)
        address = "\(source ?? Socket.loopback):\(try client.socket.localPort())"
        try client.send("?")
        let answer = client.text()
        target = answer.hasSuffix(":?") ? String(answer.dropLast(2)) : answer
    }

    /// Connects until the target has this name.
    static func to(_ name: String, _ apus: ApusProcess) throws -> HeldFlow {
        for _ in 0..<100 {
            let flow = try HeldFlow(apus)
            if flow.target == name { return flow }
            flow.client.reset()
        }
        throw WireError.silence(after: "100 connections")
    }

    /// Whether bytes still pass in both directions.
    var isAlive: Bool {
        guard (try? client.send("!")) != nil else { return false }
        return client.text() == "\(target):!"
    }

    /// Whether it is reset, or soon is.
    var isReset: Bool { client.socket.read(by: .after(10)) == .reset }
}
