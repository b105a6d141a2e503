import Core
import Model
import Proxy
import Routing
import TLS
import Telemetry

/// The identity of a listener's socket: as long as it stays the same, the listener keeps its state.
struct ListenerKey: Hashable, Sendable {
    /// Name of the load balancer.
    let loadBalancer: String
    /// Address and port that are bound.
    let address: SocketAddress
    /// Which kinds of sockets are bound there.
    var carries = Carries.connections
    /// The kind of its load balancer: a listener that changes its kind begins without the old one's state.
    var kind = LoadBalancer.Kind.application

    /// The kinds of traffic at an address.
    enum Carries: String { case connections, datagrams, both, quic, connectionsAndQUIC }

    /// Whether it takes TCP connections.
    var hasConnections: Bool { carries != .datagrams && carries != .quic }
    /// Whether its datagrams are those of QUIC.
    var hasQUIC: Bool { carries == .quic || carries == .connectionsAndQUIC }
    /// Whether it takes UDP datagrams.
    var hasDatagrams: Bool { carries != .connections }
}

/// What the rate limit of a rule has done.
struct RateLimitFigures {
    let loadBalancer: String
    let port: Int
    let priority: Int
    /// Requests that it has rejected.
    let rejected: UInt64
    /// Buckets that others took though they were not full again.
    let displaced: UInt64
}

/// Compiles documents into snapshots, one for each worker.
///
/// A plan is replaced only when something that it is made of has changed. All others are the same objects as in the
/// last snapshot, so that a worker keeps their state. New weights replace one listener plan, a new target one group
/// plan.
///
/// Shape: one object of the control thread. Every worker gets plans of its own that share no reference-counted storage:
///        strings and arrays are copied for each.
final class Publisher {
    private struct ListenerState {
        let id: Int
        var source: PlanSource
        var plans: [ListenerPlan]
        /// What each worker counts of clients that are denied; empty while none can be.
        var denials: [DenialCounters] = []
    }

    /// What a listener's plan depends on.
    private struct PlanSource: Equatable {
        let listener: Listener
        let attributes: LoadBalancerAttributes
        let tls: TLSServerConfiguration?
        /// `GroupPlan.id` of every group that its actions name.
        let groupIDs: [String: Int]
        /// The prefix lists that its lists of addresses name.
        let prefixLists: [PrefixList]
    }

    private let workerCount: Int
    private let expressions = ExpressionCache()
    private var listeners: [ListenerKey: ListenerState] = [:]
    private var limiters: [RuleLimiter.Key: RuleLimiter] = [:]
    /// What `listeners` were compiled from.
    private var loadBalancers: [LoadBalancer] = []
    private var prefixLists: [PrefixList] = []
    private var membership: UInt64 = 0
    private var certificatesVersion: UInt64 = 0
    private var listenersEver = 0
    /// The generation of the last snapshots; 0 before the first.
    private(set) var generation: UInt64

    /// A publisher that has published nothing; another process has come as far as `generation`.
    init(workerCount: Int, after generation: UInt64 = 0) {
        self.workerCount = workerCount
        self.generation = generation
    }

    /// The snapshots of `document`, by worker, once `registry` was reconciled with it and its certificates were read.
    func snapshots(
        of document: Document, _ registry: TargetRegistry, _ certificates: CertificateStore
    ) -> [Snapshot] {
        generation += 1
        let hasNewCertificates = certificates.version != certificatesVersion
        certificatesVersion = certificates.version
        if document.loadBalancers != loadBalancers || document.prefixLists != prefixLists
            || registry.membership != membership || hasNewCertificates
        {
            compileListeners(of: document, registry, certificates)
            loadBalancers = document.loadBalancers
            prefixLists = document.prefixLists
            membership = registry.membership
        }
        let groups = document.targetGroups.compactMap { registry.groups[$0.name] }
        for group in groups where group.mayNeedPlan || hasNewCertificates { compile(group, certificates) }
        let accessLog = document.logs.access.lineFormat
        let connectionLog = document.logs.connection.lineFormat
        return (0..<workerCount).map { worker in
            Snapshot(
                generation: generation, listeners: listeners.values.map { $0.plans[worker] },
                groups: groups.map { $0.plans[worker] }, accessLog: accessLog, connectionLog: connectionLog)
        }
    }

    /// The rules with rate limits, and what those have done, in no particular order.
    var rateLimits: [RateLimitFigures] {
        limiters.map { key, limiter in
            RateLimitFigures(
                loadBalancer: key.loadBalancer, port: key.port, priority: key.priority,
                rejected: limiter.limiter.rejected, displaced: limiter.limiter.displaced)
        }
    }

    /// The plan of the first worker of a listener that the last snapshots have; nil if it is not there. Plans do not
    /// change, so this thread may read what a worker reads.
    func plan(of key: ListenerKey) -> ListenerPlan? { listeners[key]?.plans.first }

    /// The listeners that may deny clients, and what those have done, in no particular order: one for each of their
    /// addresses.
    var denials: [DenialFigures] {
        listeners.compactMap { key, state in
            state.denials.isEmpty ? nil : DenialFigures(key, state.denials)
        }
    }

    /// `ListenerPlan.id` of a listener that the last snapshots have.
    func id(of key: ListenerKey) -> Int? { listeners[key]?.id }

    /// The listeners of the last snapshots by `ListenerPlan.id`.
    var keysByID: [Int: ListenerKey] {
        Dictionary(listeners.map { ($0.value.id, $0.key) }, uniquingKeysWith: { first, _ in first })
    }

    private func compileListeners(
        of document: Document, _ registry: TargetRegistry, _ certificates: CertificateStore
    ) {
        var old = listeners
        listeners = [:]
        limiters = RuleLimiter.limiters(of: document.loadBalancers, last: limiters)
        let access = AccessCompiler(document)
        for loadBalancer in document.loadBalancers {
            for listener in loadBalancer.listeners {
                let source = PlanSource(
                    listener: listener, attributes: loadBalancer.attributes,
                    tls: certificates.configuration(of: listener, loadBalancer.attributes),
                    groupIDs: listener.groupNames.reduce(into: [:]) { $0[$1] = registry.groups[$1]?.id },
                    prefixLists: document.prefixLists(namedBy: (listener.allow ?? []) + (listener.deny ?? [])))
                for key in loadBalancer.keys(of: listener) {
                    listeners[key] = state(of: key, source, access, old: old.removeValue(forKey: key))
                }
            }
        }
    }

    private func state(
        of key: ListenerKey, _ source: PlanSource, _ access: AccessCompiler, old: ListenerState?
    ) -> ListenerState {
        if let old, old.source == source { return old }
        let id = old?.id ?? listenersEver
        if old == nil { listenersEver += 1 }
        let rules = source.listener.rules.sorted { $0.priority < $1.priority }
        let kind = source.listener.protocol.kind
        let limiters = rules.map { limiter(of: $0, key.loadBalancer, source.listener) }
        let accessPlans = access.plans(of: source.listener, last: old?.denials ?? [], workers: workerCount)
        let plans = (0..<workerCount).map { worker in
            let plans = zip(rules, limiters).map { RulePlan($0, source.groupIDs, expressions, limiter: $1) }
            let last = old?.plans[worker]
            let isSameTable = last.map { $0.rules.map(\.conditions) == plans.map(\.conditions) } ?? false
            return ListenerPlan(
                id: id, loadBalancer: kind.logName(of: key.loadBalancer), port: key.address.port,
                settings: ListenerSettings(source.attributes, source.listener.attributes), tls: source.tls,
                flows: kind == .network ? FlowSettings(source.listener) : nil, access: accessPlans?[worker],
                rules: plans, table: isSameTable ? last?.table : nil,
                defaultAction: ActionPlan(source.listener.defaultActions, source.groupIDs))
        }
        return ListenerState(id: id, source: source, plans: plans, denials: accessPlans?.map(\.denials) ?? [])
    }

    private func limiter(of rule: Rule, _ loadBalancer: String, _ listener: Listener) -> RateLimiter? {
        guard rule.rateLimit != nil else { return nil }
        let key = RuleLimiter.Key(loadBalancer: loadBalancer, port: listener.port, priority: rule.priority)
        return limiters[key]?.limiter
    }

    private func compile(_ group: GroupState, _ certificates: CertificateStore) {
        group.mayNeedPlan = false
        let source = GroupState.PlanSource(
            settings: GroupSettings(
                group.configuration,
                tls: certificates.targetTLS(of: group.configuration).map {
                    TargetTLS(verification: $0.verification, serverName: $0.serverName)
                }),
            targets: group.registrations.compactMap { registration in
                registration.address.map {
                    TargetPlan(
                        id: registration.id, address: $0, weight: registration.usedWeight,
                        isInOtherZone: group.zones == .ownFirst && registration.isInOtherZone,
                        serverID: registration.quicServerID?.value, cell: registration.cell,
                        name: "\(registration.key)",
                        keepsClients: !(group.zones == .ownOnly && registration.isInOtherZone))
                }
            })
        if source == group.planSource { return }
        group.planSource = source
        for registration in group.registrations where registration.address != nil { registration.isPublished = true }
        let table = source.settings.picksByTable ? table(of: source.targets, last: group.plans.first) : nil
        group.plans = (0..<workerCount).map { worker in
            GroupPlan(
                id: group.id, name: String(decoding: Array(group.name.utf8), as: UTF8.self),
                targets: source.targets.map { $0 }, settings: source.settings,
                balancing: BalancingAlgorithm(source.settings, table: table?.copy()), cell: group.cell,
                counters: group.counters[worker])
        }
    }

    /// The table that finds the target of a hash among `targets`; `last` is the group's plan in the last snapshots.
    ///
    /// It is made once, and here, because clients would wait while a worker makes it; and only when a target was added
    /// or removed.
    private func table(of targets: [TargetPlan], last: GroupPlan?) -> MaglevTable {
        let keys = targets.map(\.flowKey)
        let weights = targets.map(\.weight)
        if let last, let table = last.balancing.table, last.targets.map(\.flowKey) == keys,
            last.targets.map(\.weight) == weights
        {
            return table
        }
        return MaglevTable(keys: keys, weights: weights)
    }
}

extension LoadBalancer {
    /// The keys of the sockets that `listener` needs, one for each address. Valid documents have only literal
    /// addresses.
    func keys(of listener: Listener) -> [ListenerKey] {
        addresses.compactMap { SocketAddress(literal: $0, port: UInt16(listener.port)) }
            .map {
                ListenerKey(
                    loadBalancer: name, address: $0, carries: listener.protocol.carries, kind: type)
            }
    }
}

extension TrafficProtocol {
    /// The kinds of traffic at its listeners.
    fileprivate var carries: ListenerKey.Carries {
        if hasQUIC { return hasTCP ? .connectionsAndQUIC : .quic }
        return hasUDP ? (hasTCP ? .both : .datagrams) : .connections
    }
}

extension GroupSettings {
    /// Whether the targets of its group are picked by a table.
    fileprivate var picksByTable: Bool { flows != nil || balancing.algorithm == .consistentHash }
}

extension BalancingAlgorithm {
    /// How the targets of a group are picked: by `table` where there is one, or else as the attribute says.
    fileprivate init(_ settings: GroupSettings, table: MaglevTable?) {
        if let table {
            self =
                settings.flows != nil
                ? .flowHash(table) : .consistentHash(table, boundPercent: settings.balancing.hashBoundPercent)
            return
        }
        switch settings.balancing.algorithm {
        case .roundRobin: self = .roundRobin(slowStart: Nanoseconds(seconds: settings.balancing.slowStartSeconds))
        case .leastOutstandingRequests: self = .leastOutstanding
        case .weightedRandom: self = .weightedRandom
        case .leastLatency: self = .leastLatency
        case .consistentHash: preconditionFailure("publisher: a group of consistent hashing without a table")
        }
    }

    /// The table by which targets are picked, if there is one.
    fileprivate var table: MaglevTable? {
        switch self {
        case .flowHash(let table), .consistentHash(let table, _): table
        case .roundRobin, .leastOutstanding, .weightedRandom, .leastLatency: nil
        }
    }
}

extension LogSettings {
    /// The format of its lines; nil when it is off.
    var lineFormat: Telemetry.AccessLog.Format? {
        if destination == .off { return nil }
        return switch format {
        case .alb: .alb
        case .json: .json
        }
    }
}
