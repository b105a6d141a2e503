/// A scripted TCP target that records the bytes of each connection and runs a script.
///
/// Shape:  one thread per connection. A connection that ends without a byte, as a health check's does, leaves no
///         record; one that the script speaks on first is on record at once.
final class StreamTarget: Sendable {
    /// What happens on one connection. It is closed when the script returns.
    typealias Script = @Sendable (StreamConnection) -> Void

    private let server: SocketServer
    private let records = Locked<[StreamConnection]>([])

    /// Starts to listen. Without a script it gives back what it gets, and its end.
    init(host: String = Socket.loopback, port: UInt16 = 0, script: @escaping Script = StreamTarget.echo) throws {
        server = try SocketServer(host: host, port: port)
        server.start { [records] socket in
            let connection = StreamConnection(socket)
            records.withLock { $0.append(connection) }
            script(connection)
        }
    }

    deinit { stop() }

    /// Where it listens.
    var host: String { server.host }
    var port: UInt16 { server.port }

    /// Echoes until the connection ends.
    static let echo: Script = { connection in
        while case .bytes(let bytes) = connection.read() { connection.send(bytes) }
    }

    /// Sends its name, then reads until the connection ends.
    static func naming(_ name: String) -> Script {
        { connection in
            connection.send(Array(name.utf8))
            while case .bytes = connection.read() {}
        }
    }

    /// How it is registered.
    var address: Document.Address { server.address }

    /// Connections that brought bytes, in the order of their first one.
    var connections: [StreamConnection] { records.value.filter { !$0.received.isEmpty } }

    /// Stops listening and ends every connection.
    func stop() { server.stop() }
}

/// One connection of a `StreamTarget`. The script's one thread reads and writes; any thread may read the record.
final class StreamConnection: Sendable {
    let socket: Socket
    private let record = Locked<[UInt8]>([])
    private let end = Locked<Socket.Arrival?>(nil)

    init(_ socket: Socket) { self.socket = socket }

    /// Every byte that came so far.
    var received: [UInt8] { record.value }
    /// How the client's direction ended; nil while it has not.
    var ending: Socket.Arrival? { end.value }

    /// Reads once.
    func read(within seconds: Double = 60) -> Socket.Arrival {
        let arrival = socket.read(by: .after(seconds))
        switch arrival {
        case .bytes(let bytes): record.withLock { $0 += bytes }
        case .endOfStream, .reset: end.withLock { $0 = arrival }
        case .silence: break
        }
        return arrival
    }

    /// Reads until so many bytes have come in all, or the connection ends. Whether they have: on a health check's
    /// connection, which the script runs for too, they never do.
    func read(upTo count: Int) -> Bool {
        while received.count < count {
            guard case .bytes = read() else { return false }
        }
        return true
    }

    /// Sends bytes; the connection may be gone.
    func send(_ bytes: [UInt8]) { try? socket.write(bytes, by: .after(60)) }
}
