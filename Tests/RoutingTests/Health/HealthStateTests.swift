import Core
import Testing

@testable import Routing

@Suite struct HealthStateTests {
    typealias Phase = HealthState.Phase
    typealias Event = HealthState.Event
    typealias Effect = HealthState.Effect

    static let thresholds = HealthThresholds(healthyCount: 3, unhealthyCount: 2)
    static let events: [Event] = [
        .checkBegan, .checkPassed, .checkFailed(.timeout), .registered, .deregistered, .drained,
        .becameUnusable(.invalidState), .becameUsable,
    ]
    /// The transition of a phase for each event, in the order of `events`; nil if nothing changes.
    static let table: [(phase: Phase, outcomes: [(Phase, Effect)?])] = {
        let fresh = (Phase.initial(isChecked: false, failures: 0), Effect.becameInitial)
        let leaving = (Phase.draining, Effect.becameDraining)
        let unusable = (Phase.unused(.invalidState), Effect.becameUnused)
        let healthy = (Phase.healthy(failures: 0), Effect.becameHealthy)
        let unhealthy = (Phase.unhealthy(passes: 0, because: .timeout), Effect.becameUnhealthy)
        func counted(_ phase: Phase) -> (Phase, Effect) { (phase, .nothing) }
        return [
            (
                .initial(isChecked: false, failures: 0),
                [
                    counted(.initial(isChecked: true, failures: 0)), healthy,
                    counted(.initial(isChecked: true, failures: 1)), nil, leaving, nil, unusable, nil,
                ]
            ),
            (.initial(isChecked: true, failures: 1), [nil, healthy, unhealthy, nil, leaving, nil, unusable, nil]),
            (
                .healthy(failures: 0),
                [nil, nil, counted(.healthy(failures: 1)), nil, leaving, nil, unusable, nil]
            ),
            (
                .healthy(failures: 1),
                [nil, counted(.healthy(failures: 0)), unhealthy, nil, leaving, nil, unusable, nil]
            ),
            (
                .unhealthy(passes: 0, because: .failed),
                [
                    nil, counted(.unhealthy(passes: 1, because: .failed)),
                    counted(.unhealthy(passes: 0, because: .timeout)), nil, leaving, nil, unusable, nil,
                ]
            ),
            (
                .unhealthy(passes: 2, because: .timeout),
                [
                    nil, healthy, counted(.unhealthy(passes: 0, because: .timeout)), nil, leaving, nil, unusable, nil,
                ]
            ),
            (
                .draining,
                [nil, nil, nil, fresh, nil, (.unused(.notRegistered), .becameUnused), nil, nil]
            ),
            (.unused(.notRegistered), [nil, nil, nil, fresh, nil, nil, nil, nil]),
            (
                .unused(.notInUse),
                [nil, nil, nil, nil, leaving, nil, counted(.unused(.invalidState)), fresh]
            ),
            (.unused(.invalidState), [nil, nil, nil, nil, leaving, nil, nil, fresh]),
            (
                .unused(.ipUnusable),
                [nil, nil, nil, nil, leaving, nil, counted(.unused(.invalidState)), fresh]
            ),
        ]
    }()

    @Test func everyPhaseAndEvent() {
        for (phase, outcomes) in Self.table {
            #expect(outcomes.count == Self.events.count)
            for (event, outcome) in zip(Self.events, outcomes) {
                let expected = outcome ?? (phase, .nothing)
                let (next, effect) = HealthState.step(phase, event, Self.thresholds, isGrace: false)
                #expect(next == expected.0, "\(event) in \(phase)")
                #expect(effect == expected.1, "\(event) in \(phase)")
            }
        }
    }

    /// A target of a group without checks is used, whatever checks would have said; checks that begin again have to
    /// find out first that it is not healthy.
    @Test func withoutChecksATargetIsUsed() {
        func step(_ phase: Phase, _ event: Event) -> (Phase, Effect) {
            HealthState.step(phase, event, Self.thresholds, isGrace: false)
        }
        for (phase, _) in Self.table {
            let (next, effect) = step(phase, .checksDisabled)
            switch phase {
            case .initial, .healthy, .unhealthy: #expect(next == .unchecked && effect == .becameUnchecked)
            case .unchecked, .draining, .unused: #expect(next == phase && effect == .nothing)
            }
            #expect(step(phase, .checksEnabled) == (phase, .nothing))
        }
        #expect(step(.unchecked, .checksEnabled) == (.healthy(failures: 0), .becameHealthy))
        #expect(step(.unchecked, .deregistered) == (.draining, .becameDraining))
        #expect(step(.unchecked, .becameUnusable(.notInUse)) == (.unused(.notInUse), .becameUnused))
        for event in [Event.checkBegan, .checkPassed, .checkFailed(.timeout), .registered, .drained, .becameUsable] {
            #expect(step(.unchecked, event) == (.unchecked, .nothing), "\(event)")
        }
        #expect(TargetState.unavailable.isUsable && TargetState.healthy.isUsable && !TargetState.initial.isUsable)
    }

    /// It is asked again with every further failure.
    @Test func aTargetThatMayNotBeRemovedStaysHealthy() {
        var health = HealthState(registeredAt: Instant(nanoseconds: 0))
        func receive(_ event: Event, mayBeRemoved: Bool) -> Effect {
            health.receive(
                event, thresholds: Self.thresholds, mayBeRemoved: mayBeRemoved, now: Instant(nanoseconds: 0))
        }
        _ = receive(.checkPassed, mayBeRemoved: false)
        #expect(receive(.checkFailed(.timeout), mayBeRemoved: false) == .nothing)
        #expect(!health.isHeld(Self.thresholds))
        #expect(receive(.checkFailed(.timeout), mayBeRemoved: false) == .removalWasHeld)
        #expect(health.isHeld(Self.thresholds) && health.state == .healthy)
        #expect(receive(.checkFailed(.timeout), mayBeRemoved: false) == .nothing, "it is said once")
        #expect(receive(.checkFailed(.timeout), mayBeRemoved: true) == .becameUnhealthy)
        _ = receive(.checksDisabled, mayBeRemoved: true)
        _ = receive(.checksEnabled, mayBeRemoved: true)
        for _ in 0..<2 { _ = receive(.checkFailed(.timeout), mayBeRemoved: false) }
        #expect(receive(.checkPassed, mayBeRemoved: false) == .nothing && !health.isHeld(Self.thresholds))
    }

    @Test func graceChangesOnlyWhatFailuresDo() {
        for (phase, _) in Self.table {
            for event in Self.events where event != .checkFailed(.timeout) {
                let with = HealthState.step(phase, event, Self.thresholds, isGrace: true)
                let without = HealthState.step(phase, event, Self.thresholds, isGrace: false)
                #expect(with == without, "\(event) in \(phase)")
            }
        }
        let cases: [(Phase, Phase)] = [
            (.initial(isChecked: false, failures: 0), .initial(isChecked: true, failures: 0)),
            (.healthy(failures: 0), .healthy(failures: 0)),
            (.healthy(failures: 1), .healthy(failures: 1)),
            (.unhealthy(passes: 2, because: .failed), .unhealthy(passes: 0, because: .timeout)),
        ]
        for (phase, expected) in cases {
            let (next, effect) = HealthState.step(phase, .checkFailed(.timeout), Self.thresholds, isGrace: true)
            #expect(next == expected)
            #expect(effect == .nothing)
        }
    }

    /// Runs a script of checks, `+` passed and `-` failed, one per second, and returns the state after each.
    private func play(_ script: String, _ thresholds: HealthThresholds) -> String {
        var health = HealthState(registeredAt: Instant(nanoseconds: 0))
        var now = Instant(nanoseconds: 0)
        var states = ""
        for check in script {
            let event = check == "+" ? Event.checkPassed : .checkFailed(.failed)
            let before = health.state
            let effect = health.receive(event, thresholds: thresholds, now: now)
            #expect((effect == .nothing) == (health.state == before))
            states += health.state.rawValue.prefix(1)
            now = now + 1_000_000_000
        }
        return states
    }

    static let scripts: [(script: String, states: String, healthy: Int, unhealthy: Int, grace: Nanoseconds)] = [
        ("+", "h", 5, 2, 0),  // one pass is enough at first
        ("-+", "ih", 5, 2, 0),  // even after a failure
        ("--", "iu", 5, 2, 0),
        ("--++++", "iuuuuu", 5, 2, 0),  // but not once it is unhealthy
        ("--+++++", "iuuuuuh", 5, 2, 0),
        ("--++-++++", "iuuuuuuuu", 5, 2, 0),  // only an unbroken run counts
        ("+-+-+-", "hhhhhh", 5, 2, 0),
        ("+-+--", "hhhhu", 5, 2, 0),
        ("+-", "hu", 2, 1, 0),  // thresholds of one
        ("-+-+", "uhuh", 1, 1, 0),
        ("------", "iiiiiu", 2, 3, 3_000_000_000),  // seconds 0, 1 and 2 do not count, 3, 4 and 5 do
        ("+-----", "hhhhhu", 2, 3, 3_000_000_000),  // healthy targets have grace too
        ("-----", "iiiii", 2, 2, 1_000_000_000_000),
        ("---+", "iiih", 2, 2, 1_000_000_000_000),  // a pass counts during grace
    ]

    @Test(arguments: scripts.indices) func runsOfChecks(_ index: Int) {
        let (script, states, healthy, unhealthy, grace) = Self.scripts[index]
        let thresholds = HealthThresholds(healthyCount: healthy, unhealthyCount: unhealthy, grace: grace)
        #expect(play(script, thresholds) == states, "\(script)")
    }

    @Test func graceBeginsAnewWithEachRegistration() {
        let thresholds = HealthThresholds(healthyCount: 2, unhealthyCount: 1, grace: 10)
        var health = HealthState(registeredAt: Instant(nanoseconds: 100))
        let before = Instant(nanoseconds: 109)
        #expect(health.receive(.checkFailed(.failed), thresholds: thresholds, now: before) == .nothing)
        let end = Instant(nanoseconds: 110)
        #expect(health.receive(.checkFailed(.failed), thresholds: thresholds, now: end) == .becameUnhealthy)
        #expect(health.receive(.deregistered, thresholds: thresholds, now: end) == .becameDraining)
        let again = Instant(nanoseconds: 200)
        #expect(health.receive(.registered, thresholds: thresholds, now: again) == .becameInitial)
        #expect(health.registeredAt == again)
        let soon = Instant(nanoseconds: 209)
        #expect(health.receive(.checkFailed(.failed), thresholds: thresholds, now: soon) == .nothing)
        #expect(health.state == .initial)
        #expect(health.receive(.becameUnusable(.notInUse), thresholds: thresholds, now: again) == .becameUnused)
        let later = Instant(nanoseconds: 300)
        #expect(health.receive(.becameUsable, thresholds: thresholds, now: later) == .becameInitial)
        #expect(health.registeredAt == later)
    }

    @Test func targetMayBeginUnused() {
        for cause in HealthState.UnusedCause.allCases {
            let health = HealthState(registeredAt: Instant(nanoseconds: 1), unused: cause)
            #expect(health.phase == .unused(cause))
        }
    }

    static let faces: [(Phase, TargetState, String?)] = [
        (.initial(isChecked: false, failures: 0), .initial, "Elb.RegistrationInProgress"),
        (.initial(isChecked: true, failures: 1), .initial, "Elb.InitialHealthChecking"),
        (.healthy(failures: 1), .healthy, nil),
        (.unhealthy(passes: 0, because: .responseCode(503)), .unhealthy, "Target.ResponseCodeMismatch"),
        (.unhealthy(passes: 1, because: .timeout), .unhealthy, "Target.Timeout"),
        (.unhealthy(passes: 1, because: .notServing), .unhealthy, "Target.FailedHealthChecks"),
        (.unhealthy(passes: 1, because: .failed), .unhealthy, "Target.FailedHealthChecks"),
        (.unchecked, .unavailable, "Target.HealthCheckDisabled"),
        (.draining, .draining, "Target.DeregistrationInProgress"),
        (.unused(.notRegistered), .unused, "Target.NotRegistered"),
        (.unused(.notInUse), .unused, "Target.NotInUse"),
        (.unused(.invalidState), .unused, "Target.InvalidState"),
        (.unused(.ipUnusable), .unused, "Target.IpUnusable"),
    ]

    /// Every phase, reached through events alone.
    @Test(arguments: faces.indices) func phaseAsReported(_ index: Int) throws {
        let (phase, state, code) = Self.faces[index]
        let thresholds = HealthThresholds(healthyCount: 2, unhealthyCount: 1)
        let now = Instant(nanoseconds: 0)
        var health = HealthState(registeredAt: now)
        let events: [Event] =
            switch phase {
            case .initial(isChecked: false, _): []
            case .initial(isChecked: true, _): [.checkBegan]
            case .healthy: [.checkPassed]
            case .unchecked: [.checksDisabled]
            case .unhealthy(let passes, let failure):
                [.checkFailed(failure)] + Array(repeating: .checkPassed, count: passes)
            case .draining: [.deregistered]
            case .unused(.notRegistered): [.deregistered, .drained]
            case .unused(let cause): [.becameUnusable(cause)]
            }
        for event in events { _ = health.receive(event, thresholds: thresholds, now: now) }
        #expect(health.state == state)
        #expect(health.reason?.code == code)
    }

    // MARK: The container that a target runs in

    private static let now = Instant(nanoseconds: 0)

    /// A target of this phase, in a container of which `container` is said.
    private func inContainer(_ container: ContainerHealth, _ events: Event...) -> HealthState {
        var health = HealthState(registeredAt: Self.now, container: container)
        for event in events { _ = health.receive(event, thresholds: Self.thresholds, now: Self.now) }
        return health
    }

    @Test func aContainerThatStartsIsInitialWhateverChecksSay() {
        var health = inContainer(.starting)
        #expect(health.state == .initial && health.reason == .initialHealthChecking)
        for event in [Event.checkBegan, .checkPassed, .checkFailed(.failed), .checkFailed(.failed), .checkPassed] {
            #expect(health.receive(event, thresholds: Self.thresholds, now: Self.now) == .nothing, "\(event)")
            #expect(health.state == .initial, "\(event)")
        }
        #expect(health.receive(.passing) == .becameHealthy && health.state == .healthy && health.reason == nil)
    }

    /// What fails while a program starts says nothing of it.
    @Test func failuresDoNotCountWhileItStarts() {
        var health = inContainer(.starting, .checkFailed(.failed), .checkFailed(.failed), .checkFailed(.failed))
        #expect(health.receive(.passing) == .nothing && health.state == .initial)
        #expect(health.receive(.checkPassed, thresholds: Self.thresholds, now: Self.now) == .becameHealthy)
    }

    @Test func aContainerThatIsUnwellIsUnhealthyWhateverChecksSay() {
        var health = inContainer(.passing, .checkPassed)
        #expect(health.receive(.unhealthy) == .becameUnhealthy)
        #expect(health.state == .unhealthy && health.reason == .containerUnhealthy)
        #expect(health.reason?.code == "Container.Unhealthy")
        #expect(health.receive(.unhealthy) == .nothing)
        #expect(health.receive(.checkPassed, thresholds: Self.thresholds, now: Self.now) == .nothing)
        #expect(health.receive(.checksDisabled, thresholds: Self.thresholds, now: Self.now) == .nothing)
        #expect(health.state == .unhealthy)
        #expect(health.receive(.checksEnabled, thresholds: Self.thresholds, now: Self.now) == .nothing)
        #expect(health.receive(.passing) == .becameHealthy, "ours have decided before")
    }

    @Test func oursDecideOnceItsOwnPass() {
        var health = inContainer(.unhealthy, .checkFailed(.timeout), .checkFailed(.timeout))
        #expect(health.receive(.passing) == .nothing && health.state == .unhealthy && health.reason == .timeout)
        #expect(health.receive(.starting) == .becameInitial && health.receive(.passing) == .becameUnhealthy)
    }

    @Test func whoLeavesOrIsUnusedStaysSo() {
        for container in [ContainerHealth.starting, .unhealthy] {
            var health = inContainer(container)
            #expect(
                health.receive(.becameUnusable(.notInUse), thresholds: Self.thresholds, now: Self.now) == .becameUnused)
            #expect(health.state == .unused && health.reason == .notInUse)
            #expect(health.receive(.deregistered, thresholds: Self.thresholds, now: Self.now) == .becameDraining)
            #expect(health.receive(.passing) == .nothing && health.receive(container) == .nothing)
            #expect(health.state == .draining && health.reason == .deregistrationInProgress)
        }
    }
}
