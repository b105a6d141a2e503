/// A target that takes no connection and refuses none: its listen queue has one place, and that is taken, so that the
/// kernel drops further handshakes.
final class FullTarget: Sendable {
    private let listener: Socket
    private let waiting: Socket
    /// How it is registered.
    let address: Document.Address

    /// Listens, and fills the queue.
    init() throws {
        listener = try Socket.listening(backlog: 0)
        address = .init(id: Socket.loopback, port: try listener.localPort())
        waiting = try Socket.connected(port: address.port)
    }

    /// Gives the place free. Until then it is taken.
    func close() { waiting.close() }
}
