import Core
import Testing

@testable import Routing

/// How a rollout goes from step to step.
@Suite struct RolloutStateTests {
    private static let scale = LatencyScale(edges: [1, 2, 4, 8, 16, .infinity])

    private func policy(_ advance: RolloutPolicy.Advance = .time, requestsMin: UInt64 = 10) -> RolloutPolicy {
        var policy = RolloutPolicy(
            steps: [10, 50, 100], stepTime: 10_000_000_000, guards: [RolloutGuard(.errorShare, smallestEffect: 0.02)])
        policy.advance = advance
        policy.requestsMin = requestsMin
        return policy
    }

    private func counts(_ total: UInt64, failed: UInt64 = 0, bucket: Int = 1) -> RolloutCounts {
        var buckets = [UInt64](repeating: 0, count: 6)
        buckets[bucket] = total
        return RolloutCounts(errors: ShareCounts(hits: failed, of: total), latencies: LatencyCounts(buckets))
    }

    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: UInt64(seconds * 1e9)) }

    @Test func stepsTakeTheirTimeAndTheirRequests() {
        var state = RolloutState(policy(), scale: Self.scale, now: at(0))
        #expect(state.share == 10)
        #expect(
            state.look(new: counts(5), old: counts(45), now: at(4)) == .stays(.time(left: 6_000_000_000)))
        #expect(state.look(new: counts(3), old: counts(45), now: at(11)) == .stays(.requests(missing: 2)))
        #expect(state.look(new: counts(2), old: counts(45), now: at(12)) == .moves(step: 1))
        #expect(state.share == 50 && state.requests == 0)
        #expect(state.look(new: counts(20), old: counts(20), now: at(22)) == .promoted)
    }

    @Test func aPausedOneStaysAndIsStillGuarded() {
        var state = RolloutState(policy(), scale: Self.scale, now: at(0))
        state.isPaused = true
        #expect(state.look(new: counts(50), old: counts(450), now: at(60)) == .stays(.paused))
        #expect(state.look(new: counts(50, failed: 25), old: counts(450), now: at(61)) == .aborted(guard: 0))
    }

    @Test func aStepEndsWhenItIsProvedThatTheNewGroupIsNotWorse() {
        var state = RolloutState(policy(.notWorse), scale: Self.scale, now: at(0))
        #expect(state.look(new: counts(50), old: counts(450), now: at(20)) == .stays(.evidence(guard: 0)))
        var looks = 0
        while state.look(new: counts(50), old: counts(450), now: at(21)) != .moves(step: 1) {
            looks += 1
            #expect(looks < 100)
            if looks >= 100 { return }
        }
        // 0 of n requests: the upper bound falls below 2 % at some hundred.
        #expect((2...20).contains(looks), "\(looks)")
    }

    @Test func aTrifleStopsNothing() {
        var state = RolloutState(policy(), scale: Self.scale, now: at(0))
        // One percent more failures: certain, and less than the two that matter.
        for look in 1...50 {
            let progress = state.look(
                new: counts(1000, failed: 20), old: counts(1000, failed: 10), now: at(Double(look) / 100))
            guard case .stays = progress else {
                Issue.record("\(progress)")
                return
            }
        }
        #expect(state.readings[0].evidence > state.readings[0].evidenceLimit)
        #expect(!state.readings[0].isWorse && state.readings[0].isNotWorse)
    }

    @Test func aGroupThatTurnsBadLateIsFoundAsSoon() {
        var state = RolloutState(policy(), scale: Self.scale, now: at(0))
        for look in 1...40 { _ = state.look(new: counts(100), old: counts(900, failed: 9), now: at(Double(look) / 10)) }
        _ = state.look(new: counts(100), old: counts(900, failed: 9), now: at(11))
        #expect(state.step == 1)
        #expect(state.look(new: counts(50, failed: 25), old: counts(50), now: at(12)) == .aborted(guard: 0))
    }

    @Test func latenciesAreComparedWithThoseOfTheOldGroup() {
        var policy = policy()
        policy.guards = [RolloutGuard(.latency(quantile: 0.9), smallestEffect: 0.2)]
        var slow = RolloutState(policy, scale: Self.scale, now: at(0))
        #expect(slow.look(new: counts(100), old: counts(100), now: at(1)) == .stays(.time(left: 9_000_000_000)))
        #expect(slow.look(new: counts(100, bucket: 3), old: counts(100), now: at(2)) == .aborted(guard: 0))
        // Both as slow: that is the day, and not the version.
        var both = RolloutState(policy, scale: Self.scale, now: at(0))
        _ = both.look(new: counts(100), old: counts(100), now: at(1))
        #expect(
            both.look(new: counts(100, bucket: 3), old: counts(100, bucket: 3), now: at(2))
                == .stays(.time(left: 8_000_000_000)))
    }
}
