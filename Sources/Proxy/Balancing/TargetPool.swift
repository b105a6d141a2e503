import Core
import Routing
import TLS

/// One registered target on one worker: its idle connections and its exchanges in flight.
///
/// Shape:  kept by the registration (`TargetPlan.id`), so it outlives snapshots. The most recently used idle connection
///         is reused first (keep-alive), so that a pool shrinks with its traffic.
/// Limits: `GroupPlan.poolConnectionsMax` idle connections; beyond, the oldest is closed.
final class TargetPool {
    let id: Int
    let address: SocketAddress
    /// The target as balancers see it: its health, and what is in flight.
    let balanced: BalancedTarget
    let cell: TargetCell
    /// What its server puts into the connection IDs of QUIC; nil for a target of anything else.
    let serverID: UInt64?
    private(set) var idle = IdleConnections()
    /// The hash of its name, by which cookies name it.
    let nameHash: UInt64
    /// The cookie that names it, as it was sealed last.
    var cookie = SealedCookie()
    /// When control was last told that it accepts no connections.
    var lastWarningAt: Instant?
    /// When control was last told that it fails requests in a row.
    var failuresToldAt: Instant?
    /// When its exchanges were last moved because its host acknowledges nothing.
    var unresponsiveHandledAt: Instant?
    /// Since when the host has acknowledged nothing, as long as no attempt on it has been answered.
    private(set) var unresponsiveSince: Instant?
    /// HTTP/2 connections, those being opened included.
    var connections: [HTTP2TargetConnection] = []
    /// Exchanges that wait for a stream on one of them.
    var queue = StreamQueue()
    /// Attempts in a row that it has sent away (`AttemptOutcome.isRejection`).
    var rejectionCount = 0
    /// `GroupPlan.id` of its group, and its place among the targets of that.
    var groupID = 0
    var place = 0
    /// Exchanges that wait until this very target takes one more.
    var waiting = StreamQueue()
    /// Whether it stands in `Worker.freedPools`.
    var isFreed = false
    /// Its SETTINGS_MAX_CONCURRENT_STREAMS, as last heard on any connection; nil before the first.
    var streamCountMax: Int?
    /// When the newest of those connections was begun.
    var openedAt = Instant(nanoseconds: 0)
    /// Exchanges and tunnels in flight on this target.
    var inFlight: Int { balanced.inFlight }
    /// Set when the target is deregistered: it gets no new exchange, and control is notified when the last one has
    /// ended.
    private(set) var draining: Draining?

    /// How the exchanges ended that were in flight when the target was deregistered.
    struct Draining {
        var finished = 0
        var cut = 0
    }

    init(_ plan: TargetPlan) {
        id = plan.id
        address = plan.address
        cell = plan.cell
        nameHash = plan.nameHash
        serverID = plan.serverID
        balanced = BalancedTarget(plan.cell)
    }

    /// The name that TLS asked the target for last, where that is the host of the request.
    private(set) var serverName: [UInt8] = []

    /// `host` as the name that TLS asks the target for: the array of last time if it is the same.
    func serverName(_ host: Span<UInt8>) -> [UInt8] {
        let last = serverName
        if host.equals(last.span) { return last }
        serverName = Array(copying: host)
        return serverName
    }

    /// The newest TLS session with the target, which the next may resume if it asks for the same name.
    var resumption: TLSResumption?

    /// The most recently used idle connection, which is taken out.
    func takeIdle() -> TargetConnection? { idle.popLast() }

    /// The most recently used idle connection whose TLS has asked for this name, which is taken out.
    func takeIdle(for serverName: [UInt8]) -> TargetConnection? {
        guard let connection = idle.last(where: { $0.serverName == serverName }) else { return nil }
        idle.remove(connection)
        return connection
    }

    /// Adds an idle connection. The caller closes those beyond the limit.
    func putIdle(_ connection: TargetConnection) { idle.append(connection) }

    /// The oldest idle connection, taken out, while there are more than `most`.
    func takeExcess(over most: Int) -> TargetConnection? { idle.count > most ? idle.popFirst() : nil }

    /// Removes a connection that was closed or timed out while idle.
    func removeIdle(_ connection: TargetConnection) { idle.remove(connection) }

    /// Its host has acknowledged nothing of what was sent to it at `instant`. False if it was heard on another
    /// connection since then: it is there, and only the one connection is broken.
    func recordUnresponsive(since instant: Instant) -> Bool {
        if let heardAt, heardAt >= instant { return false }
        unresponsiveSince = min(unresponsiveSince ?? instant, instant)
        return true
    }

    /// Its host is there.
    func recordResponsive(now: Instant) {
        heardAt = now
        unresponsiveSince = nil
    }

    /// Whether it was heard in the last so many nanoseconds.
    func wasHeard(within duration: Nanoseconds, now: Instant) -> Bool {
        heardAt.map { now.since($0) < duration } ?? false
    }

    /// Whether what was sent at `instant` has certainly not arrived. A host may keep an acknowledgement back for half a
    /// second, and may have died in that time with the request read and acted on: so only what was sent later than that
    /// after the first silence is certain.
    /// Source: RFC 9293 §3.8.6.3 (the delay of an acknowledgement must be less than 0.5 seconds).
    func wasGone(at instant: Instant) -> Bool {
        unresponsiveSince.map { instant >= $0 + Limits.acknowledgementDelayMax } ?? false
    }

    /// When an attempt on it was last answered, or a connection taken.
    private var heardAt: Instant?

    /// Whether it is one of `pools`.
    func isAmong(_ pools: [TargetPool]) -> Bool {
        for pool in pools where pool === self { return true }
        return false
    }

    /// An attempt on it has begun.
    func begin() { balanced.began() }

    /// Begins an attempt on it, unless it has as many requests as it may.
    func beginWithinLimit() -> Bool { balanced.begin() }

    /// An attempt on it has ended; `cut` if the deregistration delay ended it.
    func end(cut: Bool) {
        balanced.ended()
        if cut { draining?.cut += 1 } else { draining?.finished += 1 }
    }

    /// Ends draining before the last exchange has ended. Returns the counts so far; nil if it is not draining.
    func endDraining() -> Draining? {
        defer { draining = nil }
        return draining
    }

    func drain() {
        precondition(draining == nil, "target pool: drained twice")
        draining = Draining()
        balanced.leaveGroup()
    }
}
