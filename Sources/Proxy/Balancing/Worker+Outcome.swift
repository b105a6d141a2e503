import Core
import Routing
import Telemetry

/// Handles the outcome of every attempt: counters, suspicion, passive health checks.
extension Worker {
    /// Notes what an attempt on `pool`'s target came to.
    mutating func note(_ outcome: AttemptOutcome, of pool: TargetPool, _ group: Group?) {
        counters.attempts.add(outcome.ending)
        if pool.balanced.note(outcome, now: now) { tellFailedInARow(pool) }
        switch outcome.ending {
        case .answered:
            pool.recordResponsive(now: now)
            pool.rejectionCount = 0
            if pool.cell.isSuspect { trust(pool, group) }
        case .connectFailed:
            countConnectFailure(group)
            suspect(pool, group, .connectFailed, outcome.duration)
            warn(pool, group)
        case .connectTimedOut:
            countConnectFailure(group)
            suspectIfUnresponsive(pool, group, .connectTimedOut, outcome.duration)
            warn(pool, group)
        case .handshakeFailed, .notAttempted: countConnectFailure(group)
        case .overtaken: suspectIfUnresponsive(pool, group, .connectTimedOut, outcome.duration)
        case .timedOut: suspectIfUnresponsive(pool, group, .timedOut, outcome.duration)
        // Whether it is the host that is silent, or one connection, `hostUnresponsive` has found out.
        case .unacknowledged: break
        case .closed, .refused: counters.targetConnectionErrors.add()
        case .malformed, .outrun, .withdrawn, .unhealthy, .abandoned, .cut: break
        }
        if outcome.isRejection { noteRejection(pool, group, outcome.duration) }
    }

    /// A target that sends one request after the other away is never busy, which attracts more. One rejection alone may
    /// be for the name that the client has asked for.
    private func noteRejection(_ pool: TargetPool, _ group: Group?, _ duration: Nanoseconds) {
        pool.rejectionCount += 1
        guard pool.rejectionCount >= Limits.rejectionsInARow else { return }
        pool.rejectionCount = 0
        suspect(pool, group, .rejecting, duration)
    }

    /// Control may not be able to take the target out: whoever makes it fail must not keep control busy.
    private func tellFailedInARow(_ pool: TargetPool) {
        if let last = pool.failuresToldAt, now.since(last) < Limits.connectWarningInterval { return }
        pool.failuresToldAt = now
        control.send(.failedInARow(target: pool.id))
    }

    private func countConnectFailure(_ group: Group?) {
        counters.targetConnectFailures.add()
        group?.plan.counters.connectionErrors.add()
    }

    /// A target that has answered other requests since the attempt began is only slow for this one. Otherwise a client
    /// could make targets suspect by slow requests.
    private func suspectIfUnresponsive(
        _ pool: TargetPool, _ group: Group?, _ cause: SuspicionCause, _ duration: Nanoseconds
    ) {
        guard !pool.wasHeard(within: duration, now: now) else { return }
        suspect(pool, group, cause, duration)
    }

    /// Makes the target suspect, so that all workers skip it while others are eligible. `duration` is the length of the
    /// attempt.
    func suspect(_ pool: TargetPool, _ group: Group?, _ cause: SuspicionCause, _ duration: Nanoseconds) {
        guard pool.cell.suspect(now: now) else { return }
        counters.suspicions.add(cause)
        group?.plan.cell.flip()
        control.send(.suspected(target: pool.id, cause, after: duration))
    }

    /// The target has responded: clears the suspicion.
    func trust(_ pool: TargetPool, _ group: Group?) {
        guard pool.cell.clearSuspicion() else { return }
        group?.plan.cell.flip()
        control.send(.trusted(target: pool.id))
    }

    /// Reports to control that a target accepted no connection for a tunnel: a passive health check.
    /// Source: Network Load Balancer user guide, "Health checks for target groups".
    private func warn(_ pool: TargetPool, _ group: Group?) {
        guard group?.plan.flows != nil else { return }
        if let last = pool.lastWarningAt, now.since(last) < Limits.connectWarningInterval { return }
        pool.lastWarningAt = now
        control.send(.connectFailed(target: pool.id))
    }

    /// Ends a count of `begin`, and tells control when it was the last of a draining target.
    mutating func endCount(_ pool: TargetPool, cut: Bool) {
        pool.end(cut: cut)
        if pool.balanced.limit > 0 { noteFreeSlot(pool) }
        reportIfDrained(pool)
    }
}
