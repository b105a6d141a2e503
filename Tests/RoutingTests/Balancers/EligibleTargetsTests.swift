import Core
import Testing

@testable import Routing

@Suite struct EligibleTargetsTests {
    private let targets = healthyTargets([1, 1, 0, 1], .roundRobin(slowStart: 0), in: GroupCell())
    private let now = Instant(nanoseconds: 1_000_000_000_000)

    private func eligible() -> EligibleTargets {
        var eligible = EligibleTargets()
        eligible.rebuild(targets)
        return eligible
    }

    private func request(tried: [Int] = [], mayTry: Bool = true, after time: Nanoseconds = 0) -> PickRequest {
        PickRequest(hash: 0, tried: tried.map { targets[$0] }, mayTrySuspect: mayTry, now: now + time)
    }

    @Test func onlyHealthyTargetsWithAWeightArePicked() {
        targets[1].cell.isHealthy = false
        #expect(eligible().indices == [0, 3] && !eligible().isFailOpen && !eligible().hasSuspects)
    }

    /// A weight of 0 stays one: fail open does not send requests to what is switched off.
    @Test func withoutHealthyOnesAllWithAWeightAre() {
        for target in targets { target.cell.isHealthy = false }
        #expect(eligible().indices == [0, 1, 3] && eligible().isFailOpen)
    }

    @Test func suspectsArePassedOverWhileThereAreOthers() {
        #expect(targets[0].cell.suspect(now: now))
        #expect(eligible().indices == [1, 3] && eligible().suspects == [0] && eligible().hasSuspects)
        for index in [1, 3] { #expect(targets[index].cell.suspect(now: now)) }
        #expect(eligible().indices == [0, 1, 3] && !eligible().hasSuspects && !eligible().isFailOpen)
    }

    @Test func aSuspectIsTriedWhenItsTimeHasComeAndOnce() {
        #expect(targets[3].cell.suspect(now: now))
        let later = Limits.trialInterval
        #expect(eligible().suspectToTry(request(), targets) == nil)
        #expect(eligible().suspectToTry(request(mayTry: false, after: later), targets) == nil)
        #expect(eligible().suspectToTry(request(after: later), targets) == 3)
        #expect(eligible().suspectToTry(request(after: later), targets) == nil)
    }

    /// The one at the place, the others in turn from there, then suspects, then none.
    @Test func whoHasTriedSomeGetsTheOthers() {
        #expect(targets[0].cell.suspect(now: now))
        let eligible = eligible()
        #expect(
            eligible.untried(at: 1, request(), targets) == 3
                && eligible.untried(at: 1, request(tried: [3]), targets) == nil)
        #expect(eligible.untried(from: 1, request(tried: [3]), targets) == 1)
        #expect(eligible.untried(from: 1, request(tried: [3, 1]), targets) == 0)
        #expect(eligible.untried(from: 1, request(tried: [3, 1, 0]), targets) == nil)
    }
}
