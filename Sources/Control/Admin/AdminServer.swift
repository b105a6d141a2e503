import Core
import HTTP1
import Logging
import Model

/// An admin socket, or the TCP address of the metrics: takes connections, keeps count of them, and says what each may
/// do.
///
/// Shape:  owned by the control thread. Every client is an `AdminConnection`, held here and by the loop.
/// Limits: `AdminEndpoint.clientsMax` clients. On a socket one more is answered 503, unless it has a role and makes one
///         go that has none; on TCP, the one that has been silent longest is closed.
/// Source: docs/admin-api.md.
final class AdminServer: PollHandler, AdminAccessObserver {
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
    /// Who may do what; nil on TCP, where there is nothing but the metrics.
    private let access: AdminAccess?
    /// What the socket's file gets once this process serves; nil if it has that.
    private var pendingAccess: SocketAccess?
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

    /// Who may connect to a socket.
    struct SocketAccess: Equatable {
        /// The permissions of its file.
        var mode: UInt32 = SocketMode.ownerAndGroup.permissions
        /// The group that it belongs to; nil for that of the process.
        var group: UInt32?
    }

    /// Listens at `path`, and makes the folder it lies in if only that is missing.
    ///
    /// Errors: `AdminError` that names the path, as when another process answers there. A socket that a killed process
    /// left behind is replaced.
    convenience init(
        path: String, isReadOnly: Bool = false, _ socketAccess: SocketAccess = SocketAccess(), loop: ControlLoop,
        services: any AdminServices, logger: Logger
    ) throws(AdminError) {
        let listener = try Self.listen(at: path, socketAccess)
        self.init(
            .socket(path: path, isReadOnly: isReadOnly), listener, AdminRoutes(services), services.access, loop: loop,
            logger: logger)
        begin()
    }

    /// Takes no connections of `received` before `begin`: it listens at `path`, and another process has it too. The
    /// socket gets `socketAccess` then.
    convenience init(
        path: String, isReadOnly: Bool = false, received: Socket, _ socketAccess: SocketAccess = SocketAccess(),
        loop: ControlLoop, services: any AdminServices, logger: Logger
    ) {
        self.init(
            .socket(path: path, isReadOnly: isReadOnly), received, AdminRoutes(services), services.access, loop: loop,
            logger: logger)
        pendingAccess = socketAccess
    }

    /// Serves the metrics of `services`, and nothing else, on `listener`, a listening TCP socket.
    convenience init(metrics listener: Socket, loop: ControlLoop, services: any AdminServices, logger: Logger) {
        let address = listener.localAddress ?? .unspecified
        self.init(
            .metrics(address), listener, AdminRoutes(observing: services, SharedMetricsPage()), nil, loop: loop,
            logger: logger)
        begin()
    }

    private init(
        _ endpoint: AdminEndpoint, _ listener: Socket, _ routes: AdminRoutes, _ access: AdminAccess?,
        loop: ControlLoop, logger: Logger
    ) {
        self.endpoint = endpoint
        self.listener = listener
        self.routes = routes
        self.access = access
        self.loop = loop
        self.logger = logger
        access?.add(self)
    }

    /// Takes connections from now on, if it does not yet.
    func begin() {
        guard state == .waiting else { return }
        state = .listening
        applyPendingAccess()
        token = loop.add(self, descriptor: listener.descriptor, interest: .readable)
    }

    /// Gives a socket that was another process's the mode and the group that it shall have. Who has connected by the
    /// former ones, and was not accepted by the other process, is closed: roles may count on the new ones.
    private func applyPendingAccess() {
        guard let wanted = pendingAccess.take() else { return }
        let group = wanted.group ?? SystemUser.currentGroupID
        if let found = UnixPath.access(of: endpoint.name), found == (wanted.mode, group) { return }
        do throws(SystemError) {
            try UnixPath.setAccess(of: endpoint.name, mode: wanted.mode, group: group)
        } catch {
            logger.error(
                "the admin socket keeps its former mode and group",
                metadata: ["socket": "\(endpoint.name)", "error": "\(error)"])
        }
        for _ in 0..<Core.Limits.listenBacklog {
            guard case .accepted(let socket, _) = listener.accept() else { return }
            socket.close()
        }
    }

    // MARK: What clients may do

    /// The role of `client` here; nil for none.
    func role(of client: UnixCredentials?) -> AdminRole? {
        guard let access else { return .read }
        return access.role(of: client).map { endpoint.isReadOnly ? min($0, .read) : $0 }
    }

    /// Why `client` may not do `request`, which takes the role `needed`; nil if it may.
    func refusal(of request: String, needing needed: AdminRole, _ client: UnixCredentials?) -> AdminError? {
        access?.refusal(
            of: request, needing: needed, client, has: role(of: client), isReadOnly: endpoint.isReadOnly)
    }

    func accessChanged() {
        for connection in connections.values { connection.accessChanged() }
    }

    // MARK: Connections

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
        if state == .listening, case .socket(let path, _) = endpoint { UnixPath.remove(path) }
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
        makeRoom(for: socket)
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

    /// At the cap, has a client without a role make room for one that has one.
    private func makeRoom(for socket: Socket) {
        guard !endpoint.isPublic, connections.count >= endpoint.clientsMax, role(of: socket.unixCredentials) != nil
        else { return }
        let useless = connections.values.filter { role(of: $0.client) == nil }
        if let oldest = useless.min(by: { $0.waitsSince < $1.waitsSince }) { closeLate(oldest) }
    }

    /// Finds out whether `init` would get the socket; nothing is left behind. With `mayBeInUse` it does not matter
    /// whether another process answers there.
    ///
    /// Errors: `AdminError`, as `init`'s.
    static func tryListening(at path: String, _ access: SocketAccess, mayBeInUse: Bool) throws(AdminError) {
        let occupant = UnixPath.occupant(of: path)
        if occupant == .liveSocket, mayBeInUse { return }
        try refuse(occupant, at: path)
        // One that was left behind is replaced only in earnest.
        if occupant == .deadSocket { return }
        let made = makeFolder(of: path)
        defer { Folder.remove(made) }
        let socket = try open(path, access)
        UnixPath.remove(path)
        socket.close()
    }

    /// Makes the folder of the socket if only that is missing, and returns what was made. What stands against it is
    /// said when the socket cannot be made.
    static func makeFolder(of path: String) -> [String] {
        (try? Folder.make(Folder.containing(path), mode: 0o755)) ?? []
    }

    private static func listen(at path: String, _ access: SocketAccess) throws(AdminError) -> Socket {
        let occupant = UnixPath.occupant(of: path)
        try refuse(occupant, at: path)
        if occupant == .deadSocket { UnixPath.remove(path) }
        _ = makeFolder(of: path)
        return try open(path, access)
    }

    private static func refuse(_ occupant: UnixPath.Occupant, at path: String) throws(AdminError) {
        switch occupant {
        case .nothing, .deadSocket: return
        case .liveSocket:
            throw AdminError(
                code: "ResourceInUse", message: "listen on \(path): another process answers there.",
                remedy: "Stop it, or choose another path for the socket in the file.")
        case .other:
            throw AdminError(
                code: "ResourceInUse", message: "listen on \(path): something that is no socket is there.",
                remedy: "Move it away, or choose another path for the socket in the file.")
        }
    }

    private static func open(_ path: String, _ access: SocketAccess) throws(AdminError) -> Socket {
        do throws(SystemError) {
            return try Socket.listen(onUnixPath: path, mode: access.mode, group: access.group)
        } catch {
            if let group = access.group, error.operation.hasPrefix("change the group") {
                throw .failure(
                    "\(error).",
                    remedy: "Make the user of the process a member of group \(group), or start it as root.")
            }
            throw .failure("\(error).", remedy: "Choose a path for the socket in a folder that this user may write to.")
        }
    }
}
