import Core
import HTTP1
import Routing
import TLS
import Telemetry

/// One listener on one worker: its rules, and the state of its weighted groups.
///
/// Connections keep the listener on which they were accepted. A listener that was removed from the configuration serves
/// them by its last plan, each for one more response (drain): nothing is cut.
final class WorkerListener {
    private(set) var plan: ListenerPlan
    private(set) var settings: ListenerSettings
    private(set) var options: RequestOptions
    /// The TLS context for new connections; nil without TLS.
    private(set) var tls: TLSServerContext?
    /// Configured names of fields that clients must not set, where they differ from the defaults.
    private(set) var ownFieldNames: [[UInt8]] = []
    /// Whether `settings.responseFields` has any, which responses ask without copying the settings.
    private(set) var changesResponses = false
    /// By the rule's index; the default action is the last.
    private(set) var actions: [Action]
    /// The groups that it forwards to, if it is one of QUIC; else none.
    private var quicGroups: [Group] = []
    /// Its load balancer as access logs write it.
    let logName: [UInt8]
    /// The hash of that name: cookies count at one load balancer alone.
    let nameHash: UInt64
    /// The address that its clients connect to; nil if it listens on all addresses of the host, so that only the
    /// connection's own socket knows.
    private var localAddress: SocketAddress?
    /// Which clients are taken when they connect. Nil for all, and where a PROXY header has to tell who they are first.
    private(set) var accessAtConnect: AccessPlan?
    /// Whether the listener was removed from the configuration.
    var isRemoved = false

    /// The action for a request: an `ActionPlan` with the worker's state.
    enum Action {
        case forward(Forward)
        case fixedResponse(FixedResponsePlan)
        case redirect(RedirectPlan)
    }

    init(_ plan: ListenerPlan, actions: [Action], tickets: TLSTicketKeyRing) {
        self.plan = plan
        self.actions = actions
        logName = Array(plan.loadBalancer.utf8)
        nameHash = cookieName(plan.loadBalancer)
        settings = plan.settings
        options = plan.settings.requestOptions
        tls = Self.context(plan, tickets)
        adoptAccess()
        adoptFieldNames()
        adoptGroups()
    }

    /// The kind of its flows that are connections, for counters.
    var flowKind: FlowKind { plan.tls == nil ? .tcp : .tls }

    /// Whether its datagrams are those of QUIC.
    var isQUIC: Bool { plan.flows?.isQUIC ?? false }

    /// The target that has this server id, in any of the groups that it forwards to.
    func target(serverID: UInt64) -> (group: Group, pool: TargetPool)? {
        for group in quicGroups {
            if let pool = group.serverIDs[serverID] { return (group, pool) }
        }
        return nil
    }

    private func adoptGroups() {
        quicGroups = []
        guard isQUIC else { return }
        for case .forward(let forward) in actions {
            for group in forward.groups where !quicGroups.contains(where: { $0 === group }) { quicGroups.append(group) }
        }
    }

    /// Records the address of `socket`, by which it accepts connections.
    func recordAddress(of socket: Socket) {
        localAddress = socket.localAddress.flatMap { $0.isUnspecified ? nil : $0 }
    }

    /// The address that the client of `socket` connected to: the listener's, or that of the socket, which is asked of
    /// the kernel once and kept in `known`.
    func localAddress(of socket: Socket, known: inout SocketAddress?) -> SocketAddress? {
        if let localAddress { return localAddress }
        if known == nil { known = socket.localAddress }
        return known
    }

    /// Whether a connection from this address is accepted: if a PROXY header is required, the network has to be
    /// trusted.
    func mayConnect(_ address: SocketAddress) -> Bool {
        settings.trustedProxies.isEmpty || settings.trustedProxies.contains { $0.contains(address) }
    }

    /// What the rule of this priority forwards to; nil if there is no such rule or it does not forward.
    func forward(priority: Int?) -> Forward? {
        let index = priority.map { priority in plan.rules.firstIndex { $0.priority == priority } } ?? actions.count - 1
        guard let index, case .forward(let forward) = actions[index] else { return nil }
        return forward
    }

    /// Works by a new plan from now on.
    func adopt(_ plan: ListenerPlan, actions: [Action], tickets: TLSTicketKeyRing) {
        let before = self.plan.tls
        self.plan = plan
        self.actions = actions
        settings = plan.settings
        options = plan.settings.requestOptions
        // Existing connections keep their context.
        if plan.tls != before { tls = Self.context(plan, tickets) }
        adoptAccess()
        adoptFieldNames()
        adoptGroups()
    }

    private static func context(_ plan: ListenerPlan, _ tickets: TLSTicketKeyRing) -> TLSServerContext? {
        guard let configuration = plan.tls else { return nil }
        do { return try TLSServerContext(configuration, tickets: tickets) } catch {
            preconditionFailure("listener: a policy that control has checked: \(error)")
        }
    }

    private func adoptAccess() { accessAtConnect = settings.trustedProxies.isEmpty ? plan.access : nil }

    private func adoptFieldNames() {
        ownFieldNames = settings.ownFieldNames
        changesResponses = !settings.responseFields.isEmpty
    }
}

/// One forward action on one worker.
final class Forward {
    let plan: ForwardPlan
    let groups: [Group]
    private(set) var turns: SmoothWeights

    init(_ plan: ForwardPlan, groups: [Group], turns: SmoothWeights) {
        precondition(plan.groups.count == groups.count, "forward: a group for every name")
        self.plan = plan
        self.groups = groups
        self.turns = turns
    }

    /// Whether its groups are still those in `groups` with the same ids.
    func isCurrent(in groups: [Group?]) -> Bool {
        zip(plan.groups, self.groups).allSatisfy { id, group in groups[id] === group }
    }

    /// The group whose turn it is by weight; nil if all weights are zero.
    func next() -> Group? { turns.next().map { groups[$0] } }

    /// The group of a request where users are divided; nil if it has none, as all weights are zero.
    func next(_ request: Head, client: SocketAddress, by cohorts: CohortPlan) -> Group? {
        let (pinned, place) = cohorts.place(of: request, client: client)
        return (pinned ?? turns.index(atPlace: place)).map { groups[$0] }
    }

    /// The group with this name, if it is one of the action's, and its weight.
    func group(named name: UInt64) -> (group: Group, weight: Int)? {
        for index in groups.indices where groups[index].nameHash == name { return (groups[index], plan.weights[index]) }
        return nil
    }

    /// The group of a connection from an address with this hash; nil if all weights are zero.
    func next(source hash: UInt64) -> Group? {
        plan.isSticky ? turns.index(for: hash).map { groups[$0] } : next()
    }
}

/// One listening socket of a listener.
final class ListenerSocket {
    let listener: WorkerListener
    let socket: Socket
    let token: Token
    /// Whether accepting is paused, because the process is out of descriptors.
    var isPaused = false

    init(listener: WorkerListener, socket: Socket, token: Token) {
        self.listener = listener
        self.socket = socket
        self.token = token
    }
}
