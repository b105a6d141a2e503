import Core
import Model

/// Opens the sockets of listeners before anything is published: a change whose port cannot be bound is refused.
///
/// Every worker has a socket of its own, and the kernel divides connections among them (`SO_REUSEPORT`). Another
/// program that shares its port in the same way would get a part of our connections, so the port is first bound without
/// sharing.
///
/// Where a service manager has passed sockets for a listener's address, they are used and nothing is bound. If these
/// are fewer than the workers, workers share them: a connection goes to the worker that accepts it first. A socket for
/// datagrams has one worker, since all datagrams of a flow must come to the same one.
///
/// Shape:  one object of the control thread. It owns the sockets from `prepare` to `takePrepared`, then the workers do.
/// Source: socket(7), sd_listen_fds(3).
final class ListenerSockets {
    private let workerCount: Int
    /// The sockets that a service manager has opened, whether listeners use them or not.
    let passed: [PassedSocket]
    /// Listeners whose sockets the workers have.
    private(set) var held: Set<ListenerKey> = []
    /// The sockets that the workers have, to be sent to the process that takes over: until a snapshot closes them their
    /// descriptors are these.
    private(set) var bound: [ListenerKey: [Bound]] = [:]
    private var prepared: [ListenerKey: [Bound]]
    /// Addresses that workers were told to close, and the generation of the snapshot without them.
    private var closing: [(key: ListenerKey, generation: UInt64)] = []

    /// What is bound for one worker.
    struct Bound {
        var socket: Socket?
        var datagrams: DatagramSocket?
        /// Whether flows of datagrams are still to come that another process has begun there.
        var awaitsFlows = false

        func close() {
            socket?.close()
            datagrams?.close()
        }
    }

    /// Nothing is open but what a service manager has `passed`, and the sockets of `received`, which another process
    /// had.
    init(workerCount: Int, passed: [PassedSocket] = [], received: [ListenerKey: [Bound]] = [:]) {
        self.workerCount = workerCount
        self.passed = passed
        prepared = received
    }

    /// Opens the sockets of listeners that are new in `document`, whose places in the file are `places`. On failure
    /// none of them stays open. `metrics` is the address at which `admin.metrics` is still served: this process has it
    /// too.
    ///
    /// Errors: `ConfigErrors` with one mistake for each address that cannot be bound.
    func prepare(
        for document: Document, _ places: DocumentPlaces = DocumentPlaces(), beside metrics: SocketAddress? = nil
    ) throws(ConfigErrors) {
        var opened: [ListenerKey: [Bound]] = [:]
        var mistakes: [ConfigError] = []
        for key in document.listenerKeys where !held.contains(key) && prepared[key] == nil {
            do {
                opened[key] = try open(key, beside: metrics)
            } catch {
                mistakes.append(mistake(key, error, places, beside: metrics))
            }
        }
        guard mistakes.isEmpty else {
            close(opened)
            throw ConfigErrors(mistakes)
        }
        prepared.merge(opened) { $1 }
    }

    /// The mistakes with which `prepare` would refuse `document` now. Nothing stays open. With `mayBeInUse` an address
    /// in use is no error.
    func mistakes(
        for document: Document, _ places: DocumentPlaces, beside metrics: SocketAddress? = nil, mayBeInUse: Bool = false
    ) -> [ConfigError] {
        document.listenerKeys.filter { !held.contains($0) && prepared[$0] == nil }.compactMap { key in
            do throws(SystemError) {
                try tryBinding(key, beside: metrics)
                return nil
            } catch {
                return mayBeInUse && error.code == SystemError.addressInUse
                    ? nil : mistake(key, error, places, beside: metrics)
            }
        }
    }

    /// Closes what was prepared and not taken.
    func abandonPrepared() {
        close(prepared)
        prepared = [:]
    }

    /// Hands over the sockets of the listeners that are new in `document`, which `generation` publishes, one for each
    /// worker; and returns the listeners that it closes.
    func takePrepared(
        for document: Document, generation: UInt64
    ) -> (opened: [ListenerKey: [Bound]], closed: [ListenerKey]) {
        let wanted = Set(document.listenerKeys)
        let opened = prepared.filter { wanted.contains($0.key) }
        close(prepared.filter { !wanted.contains($0.key) })
        prepared = [:]
        let closed = held.filter { !wanted.contains($0) }
        closing += closed.map { ($0, generation) }
        for key in closed { bound[key] = nil }
        bound.merge(opened) { $1 }
        held = wanted
        return (opened, Array(closed))
    }

    /// Every worker uses the snapshot of `generation` or a later one: the sockets that it closes are closed.
    func adopted(_ generation: UInt64) { closing.removeAll { $0.generation <= generation } }

    /// Whether a TCP listener of this process has, or is about to close, a socket that prevents binding `address`
    /// without sharing.
    func takesConnections(at address: SocketAddress) -> Bool { ours(at: address).contains(where: \.hasConnections) }

    private func ours(at address: SocketAddress) -> [ListenerKey] {
        (Array(held) + Array(prepared.keys) + closing.map(\.key)).filter { $0.address.overlaps(address) }
    }

    /// The sockets that were passed and that no listener of `document` uses.
    func passedInVain(for document: Document) -> [PassedSocket] {
        let used = document.listenerKeys.flatMap { passed(for: $0, .connections) + passed(for: $0, .datagrams) }
        return passed.filter { !used.contains($0) }
    }

    private func passed(for key: ListenerKey, _ carries: PassedSocket.Carries) -> [PassedSocket] {
        guard carries == .connections ? key.hasConnections : key.hasDatagrams else { return [] }
        return passed.filter { $0.carries == carries && $0.address == key.address }
    }

    private func tryBinding(_ key: ListenerKey, beside metrics: SocketAddress?) throws(SystemError) {
        // Binding without sharing fails on a port that this process has already, for a renamed or closing listener, and
        // would say nothing about other programs. A socket that listened there for a moment would also take connections
        // or datagrams from the workers.
        let ours = ours(at: key.address)
        if key.hasConnections, passed(for: key, .connections).isEmpty {
            if ours.contains(where: \.hasConnections) || metrics?.overlaps(key.address) == true {
                try Socket.bind(to: key.address, sharesPort: true).close()
            } else {
                try Socket.listen(on: key.address, sharesPort: false).close()
            }
        }
        if key.hasDatagrams, passed(for: key, .datagrams).isEmpty, !ours.contains(where: \.hasDatagrams) {
            try DatagramSocket.listen(on: key.address, sharesPort: false).close()
        }
    }

    private func open(_ key: ListenerKey, beside metrics: SocketAddress?) throws(SystemError) -> [Bound] {
        try tryBinding(key, beside: metrics)
        var sockets = [Bound](repeating: Bound(), count: workerCount)
        do throws(SystemError) {
            for worker in 0..<workerCount {
                if key.hasConnections { sockets[worker].socket = try openForConnections(key, worker) }
                if key.hasDatagrams { sockets[worker].datagrams = try openForDatagrams(key, worker) }
            }
        } catch {
            for socket in sockets { socket.close() }
            throw error
        }
        return sockets
    }

    private func openForConnections(_ key: ListenerKey, _ worker: Int) throws(SystemError) -> Socket {
        let passed = passed(for: key, .connections)
        guard !passed.isEmpty else { return try Socket.listen(on: key.address, sharesPort: true) }
        try refuseIfTooMany(passed)
        return try passed[worker % passed.count].accepting()
    }

    /// Nil for a worker that gets none of the sockets that were passed.
    private func openForDatagrams(_ key: ListenerKey, _ worker: Int) throws(SystemError) -> DatagramSocket? {
        let passed = passed(for: key, .datagrams)
        guard !passed.isEmpty else {
            return try DatagramSocket.listen(on: key.address, sharesPort: true, joinsDatagrams: !key.hasQUIC)
        }
        try refuseIfTooMany(passed)
        return worker < passed.count ? try passed[worker].receiving(joinsDatagrams: !key.hasQUIC) : nil
    }

    /// The kernel divides clients among all sockets of an address, and nobody would serve those that no worker has.
    private func refuseIfTooMany(_ passed: [PassedSocket]) throws(SystemError) {
        guard passed.count > workerCount else { return }
        throw SystemError(
            "serve \(passed.count) sockets that were passed for \(passed[0].address)", code: SystemError.tooMany,
            reason: "only \(workerCount) of them would be served")
    }

    private func close(_ sockets: [ListenerKey: [Bound]]) {
        for socket in sockets.values.joined() { socket.close() }
    }

    private func mistake(
        _ key: ListenerKey, _ error: SystemError, _ places: DocumentPlaces, beside metrics: SocketAddress?
    ) -> ConfigError {
        let isOurs = !ours(at: key.address).isEmpty || metrics?.overlaps(key.address) == true
        // A listener that was put over the admin socket has no place in the file.
        let place = places.listener(key.loadBalancer, Int(key.address.port)).key("port")
        return ConfigError(
            file: place.file, location: place.location, path: "loadBalancers[\(key.loadBalancer)]",
            expected: "\(key.address) must be free to listen on",
            found: "that the system refuses it (\(error))",
            remedy: error.listeningRemedy(isOurs: isOurs, hasConnections: key.hasConnections),
            code: .invalidConfigurationRequest)
    }
}

extension Document {
    /// The address and port of every socket that its listeners need.
    var listenerKeys: [ListenerKey] {
        loadBalancers.flatMap { loadBalancer in loadBalancer.listeners.flatMap(loadBalancer.keys) }
    }
}

extension SystemError {
    /// What to do when an address cannot be listened on, for connections or for datagrams. With `isOurs` this process
    /// has sockets on that port already: the kernel lets only sockets of the same user share a port, and they may have
    /// been opened as another user, before the change to `runtime.user`.
    func listeningRemedy(isOurs: Bool, hasConnections: Bool = true) -> String {
        switch code {
        case Self.addressInUse:
            "Stop the program that has the port (see \"ss -\(hasConnections ? "lt" : "lu")np\"), or choose another one."
                + (isOurs ? " If it is this process, which had it as another user, reload without this first." : "")
        case Self.permissionDenied, Self.notPermitted:
            "Ports below 1024 need root or CAP_NET_BIND_SERVICE: start with it, or choose another port."
        case Self.addressNotAvailable: "Write an address that this host has, or 0.0.0.0 for all of them."
        case Self.tooMany: "In the socket unit, name the address once for each worker at most (runtime.workers)."
        case Self.tooManyDescriptors, Self.tooManyDescriptorsOfAll: "Raise the limit on open files (ulimit -n)."
        default: "See that the address can be listened on."
        }
    }
}

extension SocketAddress {
    /// Whether binding one prevents binding the other.
    func overlaps(_ other: SocketAddress) -> Bool {
        port == other.port && family == other.family && (self == other || isUnspecified || other.isUnspecified)
    }
}
