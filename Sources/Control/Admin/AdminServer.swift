import Core
import HTTP1
import Logging
import Model

/// The admin socket, or the TCP address of the metrics: takes connections and keeps count of them.
///
/// Shape:  owned by the control thread. Every client is an `AdminConnection`, held here and by the loop.
/// Limits: `AdminEndpoint.clientsMax` clients. On the socket one more is answered 503; on TCP, the one that has been
///         silent longest is closed.
/// Source: docs/admin-api.md.
final class AdminServer: PollHandler {
    /// Where it listens.
    let endpoint: AdminEndpoint
    let loop: ControlLoop
    let routes: AdminRoutes
    let logger: Logger
    /// Makes the answers of all clients.
    let response = AdminResponse()
    /// From where bytes are written; empty between two calls.
    let staging = Buffer(capacity: Core.Limits.largeBufferBytes)
    private let listener: Socket
    private var state = State.waiting
    private var token = Token.none
    private var reserve = ReserveDescriptor()
    private(set) var connections: [ObjectIdentifier: AdminConnection] = [:]
    /// Clients that were closed to make room, or because they took too long.
    private(set) var clientsClosed: UInt64 = 0
    private var lastWarningAt: Instant?

    private enum State {
        /// Another process takes the connections of the socket.
        case waiting
        case listening
        /// The listening socket is closed.
        case closed
    }

    /// Listens at `path` with mode 0660, and makes the folder it lies in if only that is missing.
    ///
    /// Errors: `AdminError` that names the path, as when another process answers there. A socket that a killed process
    /// left behind is replaced.
    convenience init(path: String, loop: ControlLoop, services: any AdminServices, logger: Logger) throws(AdminError) {
        self.init(path: path, received: try Self.listen(at: path), loop: loop, services: services, logger: logger)
        begin()
    }

    /// Takes no connections of `received` before `begin`: it listens at `path`, and another process has it too.
    convenience init(
        path: String, received: Socket, loop: ControlLoop, services: any AdminServices, logger: Logger
    ) {
        self.init(.socket(path: path), received, AdminRoutes(services), loop: loop, logger: logger)
    }

    /// Serves the metrics of `services`, and nothing else, on `listener`, a listening TCP socket.
    convenience init(metrics listener: Socket, loop: ControlLoop, services: any AdminServices, logger: Logger) {
        let address = listener.localAddress ?? .unspecified
        self.init(
            .metrics(address), listener, AdminRoutes(observing: services, SharedMetricsPage()), loop: loop,
            logger: logger)
        begin()
    }

    private init(
        _ endpoint: AdminEndpoint, _ listener: Socket, _ routes: AdminRoutes, loop: ControlLoop, logger: Logger
    ) {
        self.endpoint = endpoint
        self.listener = listener
        self.routes = routes
        self.loop = loop
        self.logger = logger
    }

    /// Takes connections from now on, if it does not yet.
    func begin() {
        guard state == .waiting else { return }
        state = .listening
        token = loop.add(self, descriptor: listener.descriptor, interest: .readable)
    }

    /// Takes no more connections, and leaves the socket's file to the process that does. Clients get one more answer.
    func stopListening() {
        guard state != .closed else { return }
        state = .closed
        loop.remove(token)
        listener.close()
    }

    /// The listening socket's descriptor.
    var descriptor: Int32 { listener.descriptor }
    /// Whether clients may ask again over their connections.
    var isListening: Bool { state == .listening }

    /// How many clients there are.
    var clientCount: Int { connections.count }

    /// Stops listening, removes the socket's file if there is one, and closes all connections. Answers that are ready
    /// were written.
    func close() {
        // Where another process has the socket as well, its file is not ours.
        if state == .listening, case .socket(let path) = endpoint { UnixPath.remove(path) }
        stopListening()
        for connection in connections.values { connection.close() }
    }

    /// Called by a connection that has closed.
    func forget(_ connection: AdminConnection) { connections[ObjectIdentifier(connection)] = nil }

    /// A client took too long.
    func closeLate(_ connection: AdminConnection) {
        clientsClosed += 1
        connection.close()
    }

    func timerFired(now: Instant) {}

    func ready(_ ready: Poller.Ready, now: Instant) {
        // If new clients replace others, each gets its turn before later ones.
        for _ in 0..<(endpoint.isPublic ? Limits.metricsAcceptsMax : Limits.adminAcceptsMax) {
            switch listener.accept() {
            case .accepted(let socket, _): admit(socket)
            case .wouldBlock: return
            case .aborted: continue
            case .outOfDescriptors:
                // Room for one, so that the waiting connection can be closed instead of spinning on it.
                guard reserve.release() else { return }
                if case .accepted(let socket, _) = listener.accept() { socket.close() }
                reserve.restore()
                warn(now: now)
                return
            }
        }
    }

    /// Clients can cause this at any rate, so the warning is rate limited.
    private func warn(now: Instant) {
        if let lastWarningAt, now.since(lastWarningAt) < Limits.warningInterval { return }
        lastWarningAt = now
        logger.warning("closing an admin client: out of descriptors", metadata: ["socket": "\(endpoint.name)"])
    }

    private func admit(_ socket: Socket) {
        if endpoint.isPublic, connections.count >= endpoint.clientsMax,
            let oldest = connections.values.min(by: { $0.waitsSince < $1.waitsSince })
        {
            closeLate(oldest)
        }
        guard connections.count < endpoint.clientsMax else {
            let error = AdminError(
                code: "Throttling", status: 503,
                message: "The admin socket serves at most \(endpoint.clientsMax) clients at once.",
                remedy: "Close connections that are done, and try again.")
            staging.append(response.bytes(for: .refused(error), connection: .close, isHEAD: false).span)
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
