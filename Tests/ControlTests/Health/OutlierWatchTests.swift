import Core
import Model
import Routing
import Testing

@testable import Control

@Suite struct OutlierWatchTests {
    private let loop = ControlLoop()
    private let events = EventLog()
    private let registry: TargetRegistry
    private let watch: OutlierWatch
    private var state: GroupState { registry.groups["blue"]! }

    init() {
        registry = TargetRegistry(workerCount: 1, events: events, logger: quiet)
        watch = OutlierWatch(registry, events: events, loop: loop, logger: quiet)
    }

    private func reconcile(slowStart: Double = 0, _ edit: (inout HealthAttributes) -> Void) {
        var blue = group("blue", (1...4).map { TargetDescription(id: "10.0.0.\($0)") })
        blue.healthCheck.unhealthyThresholdCount = 1
        blue.attributes.balancing.slowStartSeconds = slowStart
        edit(&blue.attributes.health)
        let document = Document(
            loadBalancers: [loadBalancer("web", port: 80, forwardingTo: [("blue", 1)])], targetGroups: [blue])
        _ = registry.reconcile(with: document, renewed: [:], now: loop.now)
        for registration in state.registrations where registration.health.state == .initial {
            registry.receive(.checkPassed, registration, now: loop.now)
        }
    }

    private func failInARow(_ index: Int, at now: Instant? = nil) {
        watch.failedInARow(state.registrations[index].id, now: now ?? loop.now)
    }

    private var ejected: [Bool] { state.registrations.map(\.cell.isEjected) }

    @Test func aTargetThatFailsManyInARowIsTakenOutForAWhile() {
        reconcile { $0.outlier.failuresInARow = 3 }
        let epoch = state.cell.epoch
        failInARow(1)
        #expect(ejected == [false, true, false, false] && state.cell.epoch > epoch && state.routable.healthy == 3)
        #expect(watch.ejections == [.failuresInARow: 1])
        let cause = "consecutive_failures"
        #expect(
            posted(events).contains(
                .targetEjected(group: "blue", id: "10.0.0.2", port: 8080, cause: cause, seconds: 30)))
        watch.timerFired(now: loop.now + 29_000_000_000)
        #expect(ejected[1])
        watch.timerFired(now: loop.now + 30_000_000_000)
        #expect(!ejected[1] && state.routable.healthy == 4)
        #expect(posted(events).last == .targetReturned(group: "blue", id: "10.0.0.2", port: 8080))
    }

    /// Of four; the last one that is used stays, or the group would fail open.
    @Test(arguments: [(1, 0), (24, 0), (25, 1), (49, 1), (50, 2), (75, 3), (100, 3)])
    func neverMoreThanTheShareThatIsConfigured(percent: Int, count: Int) {
        reconcile {
            $0.outlier.failuresInARow = 3
            $0.outlier.percentMax = percent
        }
        for index in 0..<4 { failInARow(index) }
        #expect(ejected == (0..<4).map { $0 < count } && watch.refusedCount == UInt64(4 - count))
    }

    /// A share that shrinks takes nobody back before their time; it counts for the next.
    @Test func aSmallerShareHoldsForTheNext() {
        reconcile {
            $0.outlier.failuresInARow = 3
            $0.outlier.percentMax = 100
        }
        for index in 0..<2 { failInARow(index) }
        reconcile {
            $0.outlier.failuresInARow = 3
            $0.outlier.percentMax = 25
        }
        watch.look(at: state, now: loop.now)
        failInARow(2)
        #expect(ejected == [true, true, false, false] && watch.refusedCount == 1)
    }

    @Test func theShareIsWhatTheAttributeSays() throws {
        let text = """
            targetGroups:
              - { name: blue, protocol: HTTP, port: 80, attributes: { %: 10, apus.outlier.consecutive_failures: 3 } }
            """.replacing("%", with: "apus.outlier.max_ejected_percent")
        let group = try Document.load(yaml: text, file: "a.yaml").targetGroups[0]
        #expect(group.attributes.health.outlier.percentMax == 10)
        let state = GroupState(id: 0, configuration: group, workerCount: 1)
        #expect(state.ejectionRules.percentMax == 10)
    }

    /// Ejection must not be what makes a group fail open, so those that are ejected come back when others fail.
    @Test func whoeverIsNeededComesBack() {
        reconcile {
            $0.outlier.failuresInARow = 3
            $0.routing.count = 3
        }
        failInARow(0)
        failInARow(1)
        #expect(ejected == [true, false, false, false] && watch.refusedCount == 1)
        registry.receive(.checkFailed(.timeout), state.registrations[3], now: loop.now)
        watch.stateChanged(state, now: loop.now)
        #expect(ejected == [false, false, false, false] && !state.usesAllTargets)
    }

    @Test func whoeverTurnsUnhealthyIsNotEjectedAnyMore() {
        reconcile { $0.outlier.failuresInARow = 3 }
        failInARow(0)
        registry.receive(.checkFailed(.timeout), state.registrations[0], now: loop.now)
        watch.stateChanged(state, now: loop.now)
        #expect(!ejected[0] && state.registrations[0].health.state == .unhealthy)
        failInARow(0)
        #expect(!ejected[0], "it is not used anyway")
    }

    /// As a target does that becomes healthy: its caches may be as cold.
    @Test func whoeverComesBackStartsSlowly() {
        let second: Nanoseconds = 1_000_000_000
        reconcile(slowStart: 60) { $0.outlier.failuresInARow = 3 }
        failInARow(1)
        let cell = state.registrations[1].cell
        #expect(!cell.isStartingSlowly)
        watch.timerFired(now: loop.now + 30 * second)
        #expect(!cell.isEjected && cell.isStartingSlowly(for: 60 * second, now: loop.now + 89 * second))
        #expect(!cell.isStartingSlowly(for: 60 * second, now: loop.now + 91 * second))
        #expect(state.registrations.count { $0.cell.isStartingSlowly } == 1)
    }

    @Test func withoutSlowStartWhoeverComesBackHasItsShareAtOnce() {
        reconcile { $0.outlier.failuresInARow = 3 }
        failInARow(1)
        watch.timerFired(now: loop.now + 30_000_000_000)
        #expect(!ejected[1] && !state.registrations[1].cell.isStartingSlowly)
    }

    /// Were it to start slowly, the others would be as overloaded as without it.
    @Test func whoeverIsNeededHasItsShareAtOnce() {
        reconcile(slowStart: 60) {
            $0.outlier.failuresInARow = 3
            $0.routing.count = 3
        }
        failInARow(0)
        registry.receive(.checkFailed(.timeout), state.registrations[3], now: loop.now)
        watch.stateChanged(state, now: loop.now)
        #expect(!ejected[0] && !state.registrations[0].cell.isStartingSlowly)
    }

    /// Those that are ejected carry no load while another one starts.
    @Test func besideEjectedTargetsAloneNobodyStartsSlowly() {
        reconcile(slowStart: 60) {
            $0.outlier.failuresInARow = 3
            $0.outlier.percentMax = 75
        }
        for index in 0..<3 { failInARow(index) }
        #expect(ejected == [true, true, true, false])
        registry.receive(.checkFailed(.timeout), state.registrations[3], now: loop.now)
        registry.receive(.checkPassed, state.registrations[3], now: loop.now)
        #expect(!state.registrations[3].cell.isStartingSlowly)
    }

    @Test func rulesThatAreSwitchedOffReleaseAll() {
        reconcile { $0.outlier.failuresInARow = 3 }
        failInARow(0)
        reconcile { _ in }
        watch.look(at: state, now: loop.now)
        #expect(!ejected[0])
        failInARow(1)
        #expect(!ejected[1])
    }

    @Test func aTargetThatFailsMoreOftenThanTheOthersIsTakenOut() {
        reconcile { $0.outlier.marginPercent = 20 }
        var counting = AttemptWatch()
        counting.countsAttempts = true
        let targets = state.registrations.map { registration in
            let target = BalancedTarget(registration.cell)
            target.adopt(weight: 1, .roundRobin(slowStart: 0), watch: counting, in: state.cell)
            return target
        }
        /// A hundred requests on each, of which the target at `index` fails so many.
        func look(_ index: Int, failing count: Int) {
            for (place, target) in targets.enumerated() {
                for number in 0..<100 {
                    var outcome = AttemptOutcome(.answered, duration: 1)
                    outcome.isServerError = place == index && number < count
                    target.note(outcome, now: loop.now)
                }
            }
            watch.look(at: state, now: loop.now)
        }
        for _ in 0..<3 { look(2, failing: 15) }
        #expect(ejected == [false, false, false, false], "the margin is 20 points")
        for _ in 0..<3 { look(2, failing: 60) }
        #expect(ejected == [false, false, true, false] && watch.ejections == [.errorShare: 1])
        watch.timerFired(now: loop.now + 40_000_000_000)
        look(2, failing: 0)
        #expect(!ejected[2], "what failed before is forgotten")
    }
}
