import Core
import HTTP1
import Logging

/// The admin socket: takes connections and keeps count of them.
///
/// Shape:  owned by the control thread. Every client is an `AdminConnection`, held here and by the loop.
/// Limits: `Limits.adminClientsMax` clients; one more is answered 503.
/// Source: design.md §8.2.
final class AdminServer: PollHandler {
    /// Where it listens.
    let path: String
    let loop: ControlLoop
    let routes: AdminRoutes
    let logger: Logger
    /// Makes the answers of all clients.
    let response = AdminResponse()
    /// From where octets are written; empty between two calls.
    let staging = Buffer(capacity: Core.Limits.largeBufferBytes)
    private let listener: Socket
    private var token = Token.none
    private var reserve = ReserveDescriptor()
    private var connections: [ObjectIdentifier: AdminConnection] = [:]

    /// Takes the connections of `listener`, which listens at `path` and is closed by `close`.
    init(listener: Socket, path: String, loop: ControlLoop, actions: any AdminActions, logger: Logger) {
        self.listener = listener
        self.path = path
        self.loop = loop
        self.logger = logger
        routes = AdminRoutes(actions: actions)
        token = loop.add(self, descriptor: listener.descriptor, interest: .readable)
    }

    /// How many clients there are.
    var clientCount: Int { connections.count }

    /// Stops listening and lets every client go. Answers that are ready were written. The path is the caller's to
    /// remove.
    func close() {
        loop.remove(token)
        listener.close()
        for connection in connections.values { connection.close() }
    }

    /// Called by a connection that has closed.
    func forget(_ connection: AdminConnection) { connections[ObjectIdentifier(connection)] = nil }

    func timerFired(now: Instant) {}

    func ready(_ ready: Poller.Ready, now: Instant) {
        while true {
            switch listener.accept() {
            case .accepted(let socket, _): admit(socket)
            case .wouldBlock: return
            case .aborted: continue
            case .outOfDescriptors:
                // Room for one, so that the waiting connection can be closed instead of spinning on it.
                guard reserve.release() else { return }
                if case .accepted(let socket, _) = listener.accept() { socket.close() }
                reserve.restore()
                logger.warning("closing an admin client: out of descriptors", metadata: ["socket": "\(path)"])
                return
            }
        }
    }

    private func admit(_ socket: Socket) {
        guard connections.count < Limits.adminClientsMax else {
            let error = AdminError(
                code: "Throttling", status: 503,
                message: "The admin socket serves at most \(Limits.adminClientsMax) clients at once.",
                remedy: "Close connections that are done, and try again.")
            staging.append(response.octets(for: .refused(error), connection: .close, isHEAD: false).span)
            _ = socket.write(staging)
            staging.removeAll()
            socket.close()
            return
        }
        let connection = AdminConnection(socket: socket, server: self)
        connections[ObjectIdentifier(connection)] = connection
        connection.begin()
    }
}
