/// A target that neither accepts nor refuses connections: its accept queue has one place, which is occupied, so that
/// the kernel drops further SYNs.
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

    /// Empties the accept queue.
    func close() { waiting.close() }
}
