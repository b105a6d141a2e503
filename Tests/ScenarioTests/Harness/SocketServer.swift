import Foundation

/// A listening socket that serves each connection on a thread of its own; the base of scripted targets.
final class SocketServer: Sendable {
    /// Where it listens.
    let host: String
    let port: UInt16
    private let listener: Socket
    private let open = Locked<[ObjectIdentifier: Socket]>([:])

    /// Binds; `port` 0 lets the kernel choose. Connections wait until `start`.
    init(host: String, port: UInt16) throws {
        self.host = host
        listener = try Socket.listening(port: port, host: host)
        self.port = try listener.localPort()
    }

    deinit { stop() }

    /// How it is registered.
    var address: Document.Address { .init(id: host, port: port) }

    /// Serves what comes from now on; a connection is closed when `serve` returns.
    func start(_ serve: @escaping @Sendable (Socket) -> Void) {
        Self.thread { [listener, weak self] in
            while let socket = listener.accept(by: .after(600)) {
                guard let self else { return }
                Self.thread { self.run(socket, serve) }
            }
        }
    }

    /// Stops listening and ends every connection.
    func stop() {
        listener.shutDown()
        for socket in open.value.values { socket.shutDown() }
    }

    private func run(_ socket: Socket, _ serve: (Socket) -> Void) {
        let key = ObjectIdentifier(socket)
        open.withLock { $0[key] = socket }
        defer {
            open.withLock { _ = $0.removeValue(forKey: key) }
            socket.close()
        }
        serve(socket)
    }

    private static func thread(_ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.stackSize = 1 << 19
        thread.start()
    }
}
