import Core

/// The states of a target that ELBv2 names.
public enum TargetState: String, CaseIterable, Sendable {
    /// Registered, and its checks have decided nothing yet.
    case initial
    /// Passes its checks.
    case healthy
    /// Fails its checks.
    case unhealthy
    /// Fails its checks, and keeps the connections it has for a while.
    case unhealthyDraining = "unhealthy.draining"
    /// Deregistered, finishing its requests.
    case draining
    /// Kept from use by something other than its checks.
    case unused
    /// Not checked, since its group has no checks, and used as if it were healthy.
    case unavailable

    /// Whether the target is used as a healthy one.
    public var isUsable: Bool { self == .healthy || self == .unavailable }
}

/// How many checks in a row decide, and when failures begin to count.
public struct HealthThresholds: Equatable, Sendable {
    /// Passed checks in a row that make an unhealthy target healthy; at least one.
    public var healthyCount: Int
    /// Failed checks in a row that make a target unhealthy; at least one.
    public var unhealthyCount: Int
    /// For this long after registration no failure counts.
    public var grace: Nanoseconds

    /// Thresholds as configured.
    public init(healthyCount: Int, unhealthyCount: Int, grace: Nanoseconds = 0) {
        self.healthyCount = healthyCount
        self.unhealthyCount = unhealthyCount
        self.grace = grace
    }
}

/// What the health checks of one target, and its registration, have made of it.
///
/// Rules of counting: only an unbroken run counts. A pass ends a run of failures, a failure ends a run of
/// passes, and entering a state begins with no run. The first pass of a target that has been neither healthy
/// nor unhealthy makes it healthy at once. A failure during the grace period ends a run of passes, but begins
/// or lengthens no run of failures. Thresholds are compared when a check ends, so a changed one holds from the
/// next check on.
///
/// A healthy target whose failures are enough stays healthy while it may not be removed; each further failure asks
/// again.
///
/// Shape:  a trivial value; control owns one per target, outside the snapshot, so that history survives change.
/// Errors: none. Results and drain reports travel between threads and may arrive late, so an event that no
///         longer fits the state changes nothing.
/// Source: docs/elbv2.md, "Target health" and "Deregistration".
public struct HealthState: Equatable, Sendable {
    /// Where the target is.
    public enum Phase: Equatable, Sendable {
        /// Registered; leaves by its first pass, or by failures in a row.
        case initial(isChecked: Bool, failures: Int)
        /// Receives requests; leaves by failures in a row.
        case healthy(failures: Int)
        /// Receives requests without being checked; leaves when its group gets checks.
        case unchecked
        /// Receives requests only when too few targets are healthy; leaves by passes in a row.
        case unhealthy(passes: Int, because: CheckFailure)
        /// Deregistered; leaves when its requests have ended, or by being registered again.
        case draining
        /// Cannot be picked or checked; leaves when the cause is gone.
        case unused(UnusedCause)
    }

    /// How a check failed.
    public enum CheckFailure: Equatable, Sendable {
        /// Answered with a status code that the matcher does not list.
        case responseCode(UInt16)
        /// Not answered in time, or not connected in time.
        case timeout
        /// Answered by the standard gRPC health service with another word than SERVING.
        case notServing
        /// Anything else: connection refused or reset, an answer that is not HTTP.
        case failed
    }

    /// Why a target is unused.
    public enum UnusedCause: Equatable, Sendable, CaseIterable {
        /// Deregistered, and done.
        case notRegistered
        /// No listener forwards to its group.
        case notInUse
        /// Its instance is not in the instance registry.
        case invalidState
        /// Its address cannot be a target's.
        case ipUnusable
    }

    /// What happens to a target.
    public enum Event: Equatable, Sendable {
        /// A check was begun.
        case checkBegan
        /// A check was answered as the matcher wants it.
        case checkPassed
        /// A check ended otherwise.
        case checkFailed(CheckFailure)
        /// Registered, perhaps again.
        case registered
        /// Told to leave the group.
        case deregistered
        /// The last request of a draining target ended, or its delay did.
        case drained
        /// Something outside the target keeps it from use; `notRegistered` is not for this event, but for `drained`.
        case becameUnusable(UnusedCause)
        /// Nothing outside the target keeps it from use any more.
        case becameUsable
        /// Its group has no checks.
        case checksDisabled
        /// Its group has checks again.
        case checksEnabled
    }

    /// What the caller must act on: tell the workers, the event log, the schedule of checks.
    public enum Effect: Equatable, Sendable {
        /// The state is the same; its reason and counts may have changed.
        case nothing
        /// The target entered the state of that name.
        case becameInitial, becameHealthy, becameUnhealthy, becameDraining, becameUnused, becameUnchecked
        /// It has failed often enough to be unhealthy, which it had not before, and stays healthy since it may not be
        /// removed.
        case removalWasHeld
    }

    /// Where the target is now.
    public private(set) var phase: Phase
    /// When the target was registered or last became usable: the grace period counts from here.
    public private(set) var registeredAt: Instant
    /// What is said of its container.
    public private(set) var container: ContainerHealth

    /// A target registered at `now`, which can be checked at once or is `unused` for a cause.
    public init(
        registeredAt now: Instant, unused cause: UnusedCause? = nil, container: ContainerHealth = .passing
    ) {
        registeredAt = now
        self.container = container
        phase = if let cause { .unused(cause) } else { .initial(isChecked: false, failures: 0) }
    }

    /// A target of which another process has said where it was. `container` is what is said of its container now.
    public init(_ phase: Phase, registeredAt: Instant, container: ContainerHealth = .passing) {
        self.phase = phase
        self.registeredAt = registeredAt
        self.container = container
    }

    /// Moves to the next phase and says what the caller must do about it. `mayBeRemoved` says whether failures may make
    /// a healthy target unhealthy.
    public mutating func receive(
        _ event: Event, thresholds: HealthThresholds, mayBeRemoved: Bool = true, now: Instant
    ) -> Effect {
        let isGrace = now.since(registeredAt) < thresholds.grace || container == .starting
        let before = state
        let (next, effect) = Self.step(phase, event, thresholds, isGrace: isGrace, mayBeRemoved: mayBeRemoved)
        phase = next
        if effect == .becameInitial { registeredAt = now }
        // What its container hides of it nobody must act on.
        return container == .passing ? effect : Self.effect(from: before, to: state)
    }

    /// Takes what is said of its container now, and says what the caller must do about it.
    public mutating func receive(_ container: ContainerHealth) -> Effect {
        let before = state
        self.container = container
        return Self.effect(from: before, to: state)
    }

    private static func effect(from before: TargetState, to state: TargetState) -> Effect {
        if before == state { return .nothing }
        return switch state {
        case .initial: .becameInitial
        case .healthy: .becameHealthy
        case .unavailable: .becameUnchecked
        case .unhealthy, .unhealthyDraining: .becameUnhealthy
        case .draining: .becameDraining
        case .unused: .becameUnused
        }
    }

    /// What `event` makes of `phase`. Complete by the compiler's word: there is no default.
    static func step(
        _ phase: Phase, _ event: Event, _ thresholds: HealthThresholds, isGrace: Bool, mayBeRemoved: Bool = true
    ) -> (Phase, Effect) {
        switch (phase, event) {
        case (.initial(_, let failures), .checkBegan):
            return (.initial(isChecked: true, failures: failures), .nothing)
        case (.initial, .checkPassed):
            return (.healthy(failures: 0), .becameHealthy)
        case (.initial, .checkFailed) where isGrace:
            return (.initial(isChecked: true, failures: 0), .nothing)
        case (.initial(_, let failures), .checkFailed(let failure)):
            return failures + 1 >= thresholds.unhealthyCount
                ? (.unhealthy(passes: 0, because: failure), .becameUnhealthy)
                : (.initial(isChecked: true, failures: failures + 1), .nothing)

        case (.healthy, .checkPassed):
            return (.healthy(failures: 0), .nothing)
        case (.healthy, .checkFailed) where isGrace:
            return (phase, .nothing)
        case (.healthy(let failures), .checkFailed(let failure)):
            if failures + 1 >= thresholds.unhealthyCount, mayBeRemoved {
                return (.unhealthy(passes: 0, because: failure), .becameUnhealthy)
            }
            let isHeld = failures + 1 == thresholds.unhealthyCount
            return (.healthy(failures: failures + 1), isHeld ? .removalWasHeld : .nothing)

        case (.unhealthy(let passes, let failure), .checkPassed):
            return passes + 1 >= thresholds.healthyCount
                ? (.healthy(failures: 0), .becameHealthy)
                : (.unhealthy(passes: passes + 1, because: failure), .nothing)
        case (.unhealthy, .checkFailed(let failure)):
            return (.unhealthy(passes: 0, because: failure), .nothing)

        case (.draining, .registered), (.unused(.notRegistered), .registered):
            return (.initial(isChecked: false, failures: 0), .becameInitial)
        case (.unused(.notInUse), .becameUsable), (.unused(.invalidState), .becameUsable),
            (.unused(.ipUnusable), .becameUsable):
            return (.initial(isChecked: false, failures: 0), .becameInitial)

        case (.initial, .checksDisabled), (.healthy, .checksDisabled), (.unhealthy, .checksDisabled):
            return (.unchecked, .becameUnchecked)
        case (.unchecked, _): return stepUnchecked(event)
        case (.initial, .deregistered), (.healthy, .deregistered), (.unhealthy, .deregistered),
            (.unused(.notInUse), .deregistered), (.unused(.invalidState), .deregistered),
            (.unused(.ipUnusable), .deregistered):
            return (.draining, .becameDraining)
        case (.draining, .drained):
            return (.unused(.notRegistered), .becameUnused)
        case (.initial, .becameUnusable(let cause)), (.healthy, .becameUnusable(let cause)),
            (.unhealthy, .becameUnusable(let cause)):
            return (.unused(cause), .becameUnused)
        case (.unused(.notInUse), .becameUnusable(let cause)), (.unused(.invalidState), .becameUnusable(let cause)),
            (.unused(.ipUnusable), .becameUnusable(let cause)):
            return (.unused(cause), .nothing)

        case (.healthy, .checkBegan), (.unhealthy, .checkBegan),  // says nothing new
            (.initial, .registered), (.healthy, .registered), (.unhealthy, .registered),  // is already
            (.unused(.notInUse), .registered), (.unused(.invalidState), .registered),  // the cause remains
            (.unused(.ipUnusable), .registered),
            (.initial, .becameUsable), (.healthy, .becameUsable), (.unhealthy, .becameUsable),
            (.draining, .deregistered), (.unused(.notRegistered), .deregistered),
            (.draining, .becameUnusable), (.unused(.notRegistered), .becameUnusable),  // it is leaving
            (.draining, .becameUsable), (.unused(.notRegistered), .becameUsable),
            (.initial, .drained), (.healthy, .drained), (.unhealthy, .drained), (.unused, .drained),  // late
            (.draining, .checkBegan), (.draining, .checkPassed), (.draining, .checkFailed),  // late
            (.unused, .checkBegan), (.unused, .checkPassed), (.unused, .checkFailed),  // late
            (.draining, .checksDisabled), (.unused, .checksDisabled), (_, .checksEnabled):
            return (phase, .nothing)
        }
    }
}

extension HealthState {
    /// The same for a target of a group without checks.
    private static func stepUnchecked(_ event: Event) -> (Phase, Effect) {
        switch event {
        case .checksEnabled: (.healthy(failures: 0), .becameHealthy)
        case .deregistered: (.draining, .becameDraining)
        case .becameUnusable(let cause): (.unused(cause), .becameUnused)
        // Late, passive, or nothing new.
        case .checkBegan, .checkPassed, .checkFailed, .registered, .drained, .becameUsable, .checksDisabled:
            (.unchecked, .nothing)
        }
    }
}

extension HealthState {
    /// The state, as ELBv2 names it.
    public var state: TargetState {
        switch (container, stateByChecks) {
        case (.unhealthy, .initial), (.unhealthy, .healthy), (.unhealthy, .unavailable): .unhealthy
        case (.starting, .healthy), (.starting, .unavailable), (.starting, .unhealthy): .initial
        case (_, let state): state
        }
    }

    /// The state as far as its container has no say in it.
    private var stateByChecks: TargetState {
        switch phase {
        case .initial: .initial
        case .healthy: .healthy
        case .unchecked: .unavailable
        case .unhealthy: .unhealthy
        case .draining: .draining
        case .unused: .unused
        }
    }

    /// Why the target is in this state; a healthy one needs no reason.
    public var reason: HealthReason? {
        switch (container, state) {
        case (.unhealthy, .unhealthy): return .containerUnhealthy
        case (.starting, .initial): return .initialHealthChecking
        default: break
        }
        return switch phase {
        case .initial(isChecked: false, _): .registrationInProgress
        case .initial(isChecked: true, _): .initialHealthChecking
        case .healthy: nil
        case .unchecked: .healthChecksDisabled
        case .unhealthy(_, .responseCode(let status)): .responseCodeMismatch(status)
        case .unhealthy(_, .timeout): .timeout
        case .unhealthy(_, .notServing): .notServing
        case .unhealthy(_, .failed): .failedHealthChecks
        case .draining: .deregistrationInProgress
        case .unused(.notRegistered): .notRegistered
        case .unused(.notInUse): .notInUse
        case .unused(.invalidState): .invalidState
        case .unused(.ipUnusable): .ipUnusable
        }
    }

    /// Whether it has failed often enough to be unhealthy, and is kept.
    public func isHeld(_ thresholds: HealthThresholds) -> Bool {
        if case .healthy(let failures) = phase { failures >= thresholds.unhealthyCount } else { false }
    }
}
