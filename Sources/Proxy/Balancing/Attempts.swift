import Core
import Routing

/// How an exchange or a tunnel is trying to reach a target: a race of at most three connections.
///
/// The first target has a head start. When it has not taken the connection in that time, a second one is connected to
/// as well, then a third; the first that is connected wins. A target that fails is followed by another one at once.
/// Shape:  part of its exchange or tunnel. Nothing is allocated for a request that finds an open connection.
/// Limits: `Routing.Limits.attemptsMax` attempts.
/// Source: RFC 8305 (the same race among the addresses of one host).
struct Attempts {
    /// One that has begun and not ended.
    struct Pending {
        let pool: TargetPool
        /// The connection that is being opened; `.none` while it waits for a stream in the target's queue.
        let token: Token
        /// Its place in that queue.
        let ticket: Int
        let beganAt: Instant
    }

    /// Those in the race, oldest first.
    private(set) var pending: [Pending] = []
    /// Targets that were tried, those in the race among them.
    private(set) var tried: [TargetPool] = []
    /// How many were begun.
    private(set) var count = 0
    private var retiredCount = 0
    /// When another target joins the race.
    var nextAt = Instant.distantFuture
    /// How the last one failed that found no connection.
    var lastFailure: AttemptOutcome.Ending?

    /// A copy of the request went out after an attempt that may have been processed.
    private(set) var isCopy = false
    /// The next attempt goes out by a connection on which nothing was sent before.
    private(set) var needsFreshConnection = false

    /// Forgets everything but memory.
    mutating func reset() {
        // Most never hold anything, and emptying an array costs more than asking.
        if !pending.isEmpty { pending.removeAll(keepingCapacity: true) }
        if !tried.isEmpty { tried.removeAll(keepingCapacity: true) }
        count = 0
        retiredCount = 0
        nextAt = .distantFuture
        lastFailure = nil
        isCopy = false
        needsFreshConnection = false
    }

    /// An attempt begins. On a connection that is open already it never has to `wait`.
    mutating func begin() { count += 1 }

    /// The attempt that began last has to wait.
    mutating func wait(for pool: TargetPool, _ token: Token = .none, ticket: Int = 0, now: Instant) {
        pending.append(Pending(pool: pool, token: token, ticket: ticket, beganAt: now))
        tried.append(pool)
    }

    /// The request goes out again after an attempt that came to `outcome`.
    mutating func noteSentAgain(after outcome: AttemptOutcome) {
        if !outcome.isUnprocessed { isCopy = true }
        needsFreshConnection = outcome.ending == .closed
    }

    /// Whether another one may begin.
    var mayBegin: Bool { count < Routing.Limits.attemptsMax }

    /// Has another target join the race after `delay`, 0 for never.
    mutating func awaitNext(after delay: Nanoseconds, now: Instant) {
        nextAt = delay > 0 && mayBegin ? now + delay : .distantFuture
    }

    /// An attempt ended that says nothing: the target left the group, or is used no more.
    mutating func uncount() { count -= 1 }

    /// The target ended the connection before it saw the request: that does not count, but not for ever.
    mutating func uncountRetired() {
        guard retiredCount < Limits.retirementsMax else { return }
        retiredCount += 1
        count -= 1
    }

    /// Remembers a target that failed though it had taken the connection.
    mutating func exclude(_ pool: TargetPool) {
        if !tried.contains(where: { $0 === pool }) { tried.append(pool) }
    }

    /// Takes the attempt with this connection out of the race; nil if it is not in it.
    mutating func take(_ token: Token) -> Pending? {
        pending.firstIndex { $0.token == token }.map { pending.remove(at: $0) }
    }

    /// Takes the attempt on this target out of the race; nil if there is none.
    mutating func take(_ pool: TargetPool) -> Pending? {
        pending.firstIndex { $0.pool === pool }.map { pending.remove(at: $0) }
    }

    /// Puts an attempt back that was just taken out.
    mutating func putBack(_ attempt: Pending) { pending.append(attempt) }

    /// Takes the oldest attempt out of the race; nil if it is empty.
    mutating func takeFirst() -> Pending? { pending.isEmpty ? nil : pending.removeFirst() }
}
