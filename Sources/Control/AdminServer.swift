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

    /// Listens at `path` with mode 0660, and makes the folder it lies in if only that is missing.
    ///
    /// Errors: `AdminError` that names the path, as when another process answers there. A socket that a killed process
    /// left behind is replaced.
    init(path: String, loop: ControlLoop, actions: any AdminActions, logger: Logger) throws(AdminError) {
        self.path = path
        self.loop = loop
        self.logger = logger
        routes = AdminRoutes(actions: actions)
        listener = try Self.listen(at: path)
        token = loop.add(self, descriptor: listener.descriptor, interest: .readable)
    }

    /// How many clients there are.
    var clientCount: Int { connections.count }

    /// Stops listening, removes the socket's file and lets every client go. Answers that are ready were written.
    func close() {
        loop.remove(token)
        listener.close()
        UnixPath.remove(path)
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

    /// Finds out whether `init` would get the socket; nothing is left behind. With `mayBeInUse` it does not matter
    /// whether another process answers there.
    ///
    /// Errors: `AdminError`, as `init`'s.
    static func tryListening(at path: String, mayBeInUse: Bool) throws(AdminError) {
        let occupant = UnixPath.occupant(of: path)
        if occupant == .liveSocket, mayBeInUse { return }
        try refuse(occupant, at: path)
        // One that was left behind is replaced only in earnest.
        if occupant == .deadSocket { return }
        let made = makeFolder(of: path)
        defer { Folder.remove(made) }
        let socket = try open(path)
        UnixPath.remove(path)
        socket.close()
    }

    /// Makes the folder of the socket if only that is missing, and returns what was made. What stands against it is
    /// said when the socket cannot be made.
    static func makeFolder(of path: String) -> [String] {
        (try? Folder.make(Folder.containing(path), mode: 0o755)) ?? []
    }

    private static func listen(at path: String) throws(AdminError) -> Socket {
        let occupant = UnixPath.occupant(of: path)
        try refuse(occupant, at: path)
        if occupant == .deadSocket { UnixPath.remove(path) }
        _ = makeFolder(of: path)
        return try open(path)
    }

    private static func refuse(_ occupant: UnixPath.Occupant, at path: String) throws(AdminError) {
        switch occupant {
        case .nothing, .deadSocket: return
        case .liveSocket:
            throw AdminError(
                code: "ResourceInUse", message: "listen on \(path): another process answers there.",
                remedy: "Stop it, or choose another admin.socket in the file.")
        case .other:
            throw AdminError(
                code: "ResourceInUse", message: "listen on \(path): something that is no socket is there.",
                remedy: "Move it away, or choose another admin.socket in the file.")
        }
    }

    private static func open(_ path: String) throws(AdminError) -> Socket {
        do throws(SystemError) {
            return try Socket.listen(onUnixPath: path, mode: 0o660)
        } catch {
            throw .failure("\(error).", remedy: "Choose an admin.socket in a folder that this user may write to.")
        }
    }
}
