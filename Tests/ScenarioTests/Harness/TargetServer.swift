/// A scripted HTTP/1.1 target that records every byte it receives, connection by connection.
///
/// Shape:  one thread per connection, each running the script. Health checks are answered apart, with
///         `healthStatus`, and leave no record; neither does a connection that brings no byte (a TCP check).
final class TargetServer: Sendable {
    /// What happens on one connection, from its first request on. It is closed when the script returns or throws.
    typealias Script = @Sendable (TargetConnection) throws -> Void

    /// What it is called in failures, and what it answers by default.
    let name: String
    /// The status that health checks are answered with; `nil` leaves them without an answer.
    let healthStatus = Locked<Int?>(200)
    private let server: SocketServer
    private let script: Script
    private let records = Locked<[TargetConnection]>([])
    private let checks = Locked(0)

    /// Starts to listen. `port` is given only to come back where another target was.
    init(
        _ name: String = "blue", host: String = Socket.loopback, port: UInt16 = 0, script: Script? = nil
    ) throws {
        self.name = name
        self.script = script ?? TargetScript.answer(body: name + "\n")
        server = try SocketServer(host: host, port: port)
        server.start { [weak self] socket in self?.serve(socket) }
    }

    deinit { stop() }

    /// Where it listens.
    var host: String { server.host }
    var port: UInt16 { server.port }

    /// How it is registered.
    var address: Document.Address { server.address }

    /// Connections that carried requests, in the order of their first byte.
    var connections: [TargetConnection] { records.value }
    /// Requests read by the script so far, over all connections.
    var requests: [Message] { connections.flatMap(\.requests) }
    /// Every byte received on connections that carried requests.
    var received: [UInt8] { connections.flatMap(\.received) }
    /// Health checks answered so far.
    var healthChecksCount: Int { checks.value }

    /// Stops listening and ends every connection.
    func stop() { server.stop() }

    private func serve(_ socket: Socket) {
        let connection = TargetConnection(socket)
        guard let first = connection.peekRequest() else {
            if !connection.received.isEmpty { records.withLock { $0.append(connection) } }
            return
        }
        if first["user-agent"]?.hasPrefix("ELB-HealthChecker/") == true {
            checks.withLock { $0 += 1 }
            if let status = healthStatus.value {
                try? connection.respond(status: status, fields: "Connection: close\r\n")
            } else {
                _ = connection.wire.ended(within: 60)
            }
            return
        }
        records.withLock { $0.append(connection) }
        try? script(connection)
    }
}
