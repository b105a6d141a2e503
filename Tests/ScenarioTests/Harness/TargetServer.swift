import Foundation

/// A scripted HTTP/1.1 target that records every octet it receives, connection by connection.
///
/// Shape:  one thread per connection, each running the script. Health checks are answered apart, with
///         `healthStatus`, and leave no record; neither does a connection that brings no octet (a TCP check).
final class TargetServer: Sendable {
    /// What happens on one connection, from its first request on. It is closed when the script returns or throws.
    typealias Script = @Sendable (TargetConnection) throws -> Void

    /// What it is called in failures, and what it answers by default.
    let name: String
    /// Where it listens.
    let host: String
    let port: UInt16
    /// The status that health checks are answered with; `nil` leaves them without an answer.
    let healthStatus = Locked<Int?>(200)
    private let listener: Socket
    private let script: Script
    private let records = Locked<[TargetConnection]>([])
    private let open = Locked<[ObjectIdentifier: Socket]>([:])
    private let checks = Locked(0)

    /// Starts to listen. `port` is given only to come back where another target was.
    init(
        _ name: String = "blue", host: String = Socket.loopback, port: UInt16 = 0, script: Script? = nil
    ) throws {
        self.name = name
        self.host = host
        self.script = script ?? TargetScript.answer(body: name + "\n")
        listener = try Socket.listening(port: port, host: host)
        self.port = try listener.localPort()
        Self.thread { [listener, weak self] in
            while let connection = listener.accept(by: .after(600)) {
                guard let self else { return }
                Self.thread { self.serve(connection) }
            }
        }
    }

    deinit { stop() }

    /// How it is registered.
    var address: Document.Address { .init(id: host, port: port) }

    /// Connections that carried requests, in the order of their first octet.
    var connections: [TargetConnection] { records.value }
    /// Requests read by the script so far, over all connections.
    var requests: [Message] { connections.flatMap(\.requests) }
    /// Every octet received on connections that carried requests.
    var received: [UInt8] { connections.flatMap(\.received) }
    /// Health checks answered so far.
    var healthChecksCount: Int { checks.value }

    /// Stops listening and ends every connection.
    func stop() {
        listener.shutDown()
        for socket in open.value.values { socket.shutDown() }
    }

    private func serve(_ socket: Socket) {
        let key = ObjectIdentifier(socket)
        open.withLock { $0[key] = socket }
        defer {
            open.withLock { _ = $0.removeValue(forKey: key) }
            socket.close()
        }
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

    private static func thread(_ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.stackSize = 1 << 19
        thread.start()
    }
}
