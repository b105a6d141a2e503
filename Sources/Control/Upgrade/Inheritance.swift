import Core
import Model
import Routing
import TLS

/// What a process that takes the place of another one gets from it before it starts: sockets, the lock of the state's
/// folder, keys, and what is known of targets.
///
/// Shape:  one object of the control thread, from before the start until the services have what they need.
/// Limits: all of it has to come within `Limits.upgradeReadyTime`. It may wait for it: nothing is served yet.
final class Inheritance {
    /// The variable of the environment that names the connection to the other process.
    static let variable = "APUS_UPGRADE"

    /// The connection to the other process.
    let socket: MessageSocket
    /// The process whose place is taken.
    private(set) var predecessor = FinishingProcess(id: 0, version: "", connections: 0)
    /// How many workers have sockets; nil if the other process has no listeners.
    private(set) var workerCount: Int?
    /// The generation of what the other process serves.
    private(set) var generation: UInt64 = 0
    /// What session tickets are sealed with, and were before.
    private(set) var ticketKeys: (current: TLSTicketKey, previous: TLSTicketKey?)?
    /// What is known of targets, by group.
    private(set) var targets: [String: [TargetKey: TargetMemory]] = [:]
    private var discoveredTargets: [String: [DiscoveredMemory]] = [:]
    private var claims: [ClaimMemory] = []
    /// The containers that were told to end, by group, with when they were started.
    private(set) var endingContainers: [String: [String: String]] = [:]
    /// The sockets that a service manager has opened. Listeners that are added later use them.
    private(set) var passedSockets: [PassedSocket] = []
    private var listeners: [ListenerKey: [Int: [Int32]]] = [:]
    private var adminSockets: [String: (descriptor: Int32, identity: UnixPath.Identity?)] = [:]
    /// The admin sockets that this process does not take, with what is at their paths.
    private var adminSocketsLeft: [String: UnixPath.Identity] = [:]
    private var metrics: Int32?
    private var lock: (folder: String, descriptor: Int32)?

    private init(_ socket: MessageSocket) { self.socket = socket }

    /// Receives what another process hands over to this one, if it was started for that.
    ///
    /// Errors: `StartError` when the other process ends, or says nothing for too long.
    static func receive() throws(StartError) -> Inheritance? {
        guard let text = SystemProcess.takeEnvironment(variable) else { return nil }
        guard let number = Int32(text), let socket = MessageSocket.inherited(number) else {
            throw .refused(
                message: "The environment variable \(variable) is \(Value.quoted(text)), which is no connection.",
                remedy: "Start apus without it: apus upgrade sets it for the process that takes over.")
        }
        SystemUser.passNetAdmin(false)
        let inheritance = Inheritance(socket)
        _ = socket.send(
            UpgradeMessage.hello(protocolVersion: UpgradeMessage.protocolVersion, version: Control.version).bytes)
        let deadline = Instant.now() + Limits.upgradeReadyTime
        while try !inheritance.take(socket.receive(until: deadline)) {}
        return inheritance
    }

    /// Takes what has come. Returns whether it was the last.
    private func take(_ result: MessageSocket.ReceiveResult) throws(StartError) -> Bool {
        guard case .message(let bytes, let descriptors) = result else {
            close()
            throw .refused(
                message: "The process whose place this one was to take has "
                    + (result == .ended
                        ? "ended before it had handed over everything." : "not handed over everything."),
                remedy: "Start apus anew.")
        }
        switch (UpgradeMessage(bytes), descriptors.count) {
        case (.listener(let key, let worker)?, _): listeners[key, default: [:]][worker] = descriptors
        case (.passedSocket(let name)?, 1):
            if let passed = try? PassedSocket(descriptor: descriptors[0], name: name) {
                passedSockets.append(passed)
            } else {
                Self.close(descriptors)
            }
        case (.adminSocket(let path)?, 1), (.readOnlySocket(let path)?, 1):
            if let before = adminSockets[path] { Self.close([before.descriptor]) }
            adminSockets[path] = (descriptors[0], UnixPath.identity(of: path))
        case (.metrics?, 1): metrics = descriptors[0]
        case (.lock(let folder)?, 1): lock = (folder, descriptors[0])
        case (.ticketKeys(let current, let previous)?, 0): ticketKeys = (current, previous)
        case (.targets(let group, let targets)?, 0):
            for target in targets { self.targets[group, default: [:]][target.key] = target }
        case (.discovered(let group, let targets)?, 0): discoveredTargets[group, default: []] += targets
        case (.claimed(let claim)?, 0):
            // As many as a process sends: those of containers, and those of groups that are kept without any.
            if claims.count < Limits.containersMax + Limits.emptyClaimsMax { claims.append(claim) }
        case (.ending(let group, let containers)?, 0):
            endingContainers[group, default: [:]].merge(containers) { first, _ in first }
        case (.start(let workers, let predecessor, let generation)?, 0):
            self.generation = UInt64(clamping: generation)
            workerCount = workers > 0 ? workers : nil
            self.predecessor = predecessor
            return true
        default: Self.close(descriptors)
        }
        return false
    }

    /// What discovery has found: the last that is known until the sources of this process have been heard.
    var discovered: Discovered {
        Discovered(discoveredTargets.mapValues { $0.map(\.found) }, claims: claims.map(\.claim))
    }

    /// What is said of the containers of targets, by the groups of `document`.
    func containers(of document: Document) -> [String: [TargetKey: ContainerHealth]] {
        var containers: [String: [TargetKey: ContainerHealth]] = [:]
        for group in document.targetGroups where group.discovery != nil {
            for one in discoveredTargets[group.name] ?? [] where one.container != .passing {
                containers[group.name, default: [:]][group.key(of: one.found.target)] = one.container
            }
        }
        for one in claims where one.health != .passing {
            guard let target = one.claim.target?.target, let port = target.port else { continue }
            containers[one.claim.group, default: [:]][TargetKey(id: target.id, port: port)] = one.health
        }
        return containers
    }

    /// The sockets of listeners, one for each worker.
    func takeListeners() -> [ListenerKey: [ListenerSockets.Bound]] {
        let all = listeners
        listeners = [:]
        var taken: [ListenerKey: [ListenerSockets.Bound]] = [:]
        for (key, byWorker) in all {
            let sockets = (0..<(workerCount ?? 0)).compactMap { byWorker[$0].flatMap { bound(key, $0) } }
            let isWhole = !key.hasDatagrams || sockets.contains { $0.datagrams != nil }
            if isWhole, sockets.count == byWorker.count, sockets.count == workerCount {
                taken[key] = sockets
            } else {
                for descriptors in byWorker.values { Self.close(descriptors) }
            }
        }
        return taken
    }

    private func bound(_ key: ListenerKey, _ descriptors: [Int32]) -> ListenerSockets.Bound? {
        var rest = descriptors[...]
        var bound = ListenerSockets.Bound(awaitsFlows: true)
        if key.hasConnections {
            guard let first = rest.popFirst() else { return nil }
            bound.socket = Socket(descriptor: first)
        }
        // Not every worker has one of those that were passed.
        if key.hasDatagrams { bound.datagrams = rest.popFirst().map { DatagramSocket(descriptor: $0) } }
        return rest.isEmpty ? bound : nil
    }

    /// The admin socket that listens at `path`; nil if none does.
    func takeAdminSocket(at path: String) -> Socket? {
        adminSockets.removeValue(forKey: path).map { Socket(descriptor: $0.descriptor) }
    }

    /// Removes the files of admin sockets that nobody listens at any more, as when the configuration names another
    /// path. To be called once this process has taken over: until then they are the other one's. What somebody else
    /// has put there stays.
    func removeAdminSocketsLeft() {
        for (path, identity) in adminSocketsLeft where UnixPath.identity(of: path) == identity { UnixPath.remove(path) }
        adminSocketsLeft = [:]
    }

    /// The socket of `admin.metrics`, whatever its address.
    func takeMetrics() -> Socket? { metrics.take().map { Socket(descriptor: $0) } }

    /// The lock of the state's folder, if it is that of `folder`.
    func takeLock(of folder: String) -> FileLock? {
        guard let lock, lock.folder == folder else { return nil }
        self.lock = nil
        return FileLock(received: lock.descriptor)
    }

    /// Tells the other process that this one cannot start, and why.
    func fail(_ error: StartError) {
        let reason = error.description.cut(to: Model.Limits.adminErrorBytesMax)
        _ = socket.send(UpgradeMessage.failed(reason: reason).bytes)
        close()
    }

    /// Closes what nobody has taken; the other process has it still. The connection stays open.
    func closeRest() {
        for descriptors in listeners.values.flatMap(\.values) { Self.close(descriptors) }
        listeners = [:]
        for (path, socket) in adminSockets {
            adminSocketsLeft[path] = socket.identity
            Self.close([socket.descriptor])
        }
        adminSockets = [:]
        Self.close([metrics, lock?.descriptor].compactMap(\.self))
        (metrics, lock) = (nil, nil)
    }

    private func close() {
        closeRest()
        socket.close()
    }

    private static func close(_ descriptors: [Int32]) {
        for number in descriptors { FileDescriptor(descriptor: number).close() }
    }
}
