import Core
import Routing
import Model
import Testing

@testable import Control

@Suite struct HealthWaitsTests {
    /// Waits over states that the test sets.
    private final class Scene: TargetStates {
        let loop = ControlLoop()
        var states: [TargetKey: TargetState] = [:]
        private(set) var looksCount = 0
        private(set) lazy var waits = HealthWaits(loop: loop, targets: self)

        func state(of key: TargetKey, inGroup name: String) -> TargetState? {
            looksCount += 1
            return states[key]
        }

        func pass() {
            var hasPassed = false
            loop.afterBatch { hasPassed = true }
            #expect(run(loop) { hasPassed })
        }
    }

    private let keys = (1...3).map { TargetKey(id: "192.0.2.\($0)", port: 80) }
    private var later: Instant { Instant.now() + 60_000_000_000 }

    @Test func whatIsHealthyIsNotWaitedFor() {
        let scene = Scene()
        for key in keys { scene.states[key] = .healthy }
        var outcome: HealthWaits.Outcome?
        scene.waits.begin(group: "a", keys, until: later) { outcome = $0 }
        #expect(outcome == .healthy)
    }

    @Test func changesOfOnePassAreLookedAtOnce() {
        let scene = Scene()
        for key in keys { scene.states[key] = .initial }
        var outcome: HealthWaits.Outcome?
        scene.waits.begin(group: "a", keys, until: later) { outcome = $0 }
        let before = scene.looksCount
        for key in keys {
            scene.states[key] = .healthy
            scene.waits.changed("a")
            scene.waits.changed("b")
        }
        #expect(outcome == nil, "the middle of a change is no time to answer")
        scene.pass()
        #expect(outcome == .healthy)
        #expect(scene.looksCount - before == 2 * keys.count)
    }

    @Test func aTargetOfAnotherGroupIsNoReasonToLook() {
        let scene = Scene()
        for key in keys { scene.states[key] = .unhealthy }
        scene.waits.begin(group: "a", keys, until: later) { _ in }
        let before = scene.looksCount
        scene.waits.changed("b")
        scene.pass()
        #expect(scene.looksCount == before)
        scene.waits.stop()
    }

    @Test func theTimeIsOver() {
        let scene = Scene()
        scene.states = [keys[0]: .healthy, keys[1]: .unhealthy, keys[2]: .unhealthyDraining]
        var outcome: HealthWaits.Outcome?
        scene.waits.begin(group: "a", keys, until: Instant.now()) { outcome = $0 }
        #expect(run(scene.loop) { outcome != nil })
        #expect(outcome == .timedOut(Array(keys[1...])))
    }

    @Test func aRequesterThatLeavesFreesItsPlace() {
        let scene = Scene()
        scene.states[keys[0]] = .unhealthy
        let requesters = (0..<Limits.healthWaitsMax).map { _ in Requester() }
        var outcomes: [HealthWaits.Outcome] = []
        for requester in requesters {
            scene.waits.begin(group: "a", [keys[0]], until: later, for: requester) { outcomes.append($0) }
        }
        #expect(!scene.waits.hasRoom && outcomes.isEmpty)
        for requester in requesters { requester.disconnect() }
        #expect(scene.waits.hasRoom)
        #expect(outcomes == [HealthWaits.Outcome](repeating: .abandoned, count: requesters.count))
        scene.waits.begin(group: "a", [keys[0]], until: later, for: requesters[0]) { outcomes.append($0) }
        #expect(outcomes.count == requesters.count + 1, "who has gone before is not waited for")
        scene.states[keys[0]] = .healthy
        scene.waits.changed("a")
        scene.pass()
        #expect(outcomes.count == requesters.count + 1, "told once")
    }

    @Test func whatCannotBecomeHealthyEndsTheWait() {
        let scene = Scene()
        scene.states = [keys[0]: .unused, keys[1]: .initial]
        var outcomes: [HealthWaits.Outcome] = []
        scene.waits.begin(group: "a", [keys[0]], until: later) { outcomes.append($0) }
        scene.waits.begin(group: "a", [keys[1], keys[2]], until: later) { outcomes.append($0) }
        #expect(outcomes == [.unusable([keys[0]]), .deregistered([keys[2]])])
    }
}
