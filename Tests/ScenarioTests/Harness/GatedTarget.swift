import Foundation

/// A target whose host takes connections only while its gate is open. While it is closed the listen queue is full, and
/// the kernel drops further handshakes, as it would be with a host that is gone.
///
/// It answers every request with its name.
final class GatedTarget: Sendable {
    let name: String
    /// How it is registered.
    let address: Document.Address
    private let listener: Socket
    private let state = Locked(State())

    private struct State {
        var isOpen = false
        /// Whether a thread is about to accept.
        var isAccepting = false
        var acceptedCount = 0
        /// The connection that fills the queue.
        var filling: Socket?
    }

    /// A target whose gate is closed.
    init(_ name: String) throws {
        self.name = name
        listener = try Socket.listening(backlog: 0)
        address = .init(id: Socket.loopback, port: try listener.localPort())
        try fill()
        Self.thread { [weak self] in
            while let self { self.acceptOne() }
        }
    }

    deinit { listener.shutDown() }

    /// Connections that it has taken, those of health checks too.
    var acceptedCount: Int { state.withLock { $0.acceptedCount } }

    /// Takes connections from now on; those whose handshakes were dropped come when they are tried again.
    func open() {
        state.withLock {
            $0.filling?.close()
            $0.filling = nil
            $0.isOpen = true
        }
    }

    /// Takes no more connections.
    func close() throws {
        state.withLock { $0.isOpen = false }
        _ = eventually { state.withLock { !$0.isAccepting } }
        try fill()
    }

    private func fill() throws {
        let socket = try Socket.connected(port: address.port)
        state.withLock { $0.filling = socket }
    }

    private func acceptOne() {
        let mayAccept = state.withLock { state in
            state.isAccepting = state.isOpen
            return state.isOpen
        }
        guard mayAccept else { return _ = always(for: 0.005) { true } }
        let socket = listener.accept(by: .after(0.05))
        state.withLock { $0.isAccepting = false }
        guard let socket else { return }
        let (name, state) = (name, state)
        Self.thread {
            let connection = TargetConnection(socket)
            // The connection that filled the queue brings nothing.
            guard connection.peekRequest() != nil else { return }
            state.withLock { $0.acceptedCount += 1 }
            while (try? connection.request()) ?? nil != nil { try? connection.respond(body: "\(name)\n") }
        }
    }

    private static func thread(_ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.stackSize = 1 << 19
        thread.start()
    }
}
