import Core
import Routing

/// The attempts of an exchange or a tunnel to reach a target: a connect race (happy eyeballs) of at most three
/// connections.
///
/// The first target has a head start. If it has not accepted the connection in that time, a second target is tried as
/// well, then a third; the first connection that is established wins. After a failed attempt another target is tried at
/// once.
/// Shape:  part of its exchange or tunnel. Nothing is allocated for a request that finds an open connection.
/// Limits: `Routing.Limits.attemptsMax` attempts.
/// Source: RFC 8305 (the same race among the addresses of one host).
struct Attempts {
    /// An attempt that is still connecting.
    struct Pending {
        let pool: TargetPool
        /// The connection that is being opened; `.none` while it waits for a stream in the target's queue.
        let token: Token
        /// Its ticket in that queue.
        let ticket: Int
        let beganAt: Instant
    }

    /// Attempts that are still connecting, oldest first.
    private(set) var pending: [Pending] = []
    /// Targets that were tried, including pending ones.
    private(set) var tried: [TargetPool] = []
    /// The number of attempts so far.
    private(set) var count = 0
    private var retiredCount = 0
    /// When the next target is tried as well.
    var nextAt = Instant.distantFuture
    /// How the last attempt failed to connect.
    var lastFailure: AttemptOutcome.Ending?

    /// Whether the request was retried after an attempt that may have been processed.
    private(set) var isCopy = false
    /// Whether the next attempt needs a new connection.
    private(set) var needsFreshConnection = false

    /// Empties it and keeps its memory.
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

    /// Tries the next target as well after `delay`, 0 for never.
    mutating func awaitNext(after delay: Nanoseconds, now: Instant) {
        nextAt = delay > 0 && mayBegin ? now + delay : .distantFuture
    }

    /// Does not count an attempt that ended for no fault of the target: it left the group, or is no longer used.
    mutating func uncount() { count -= 1 }

    /// Does not count an attempt whose target ended the connection before it saw the request (a keep-alive race), up to
    /// a limit.
    mutating func uncountRetired() {
        guard retiredCount < Limits.retirementsMax else { return }
        retiredCount += 1
        count -= 1
    }

    /// Records a target that failed although it had accepted the connection.
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
