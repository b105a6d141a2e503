import Core
import Model
import Routing
import Testing

@testable import Control

/// Who starts slowly, and who does not. Source: docs/elbv2.md, "Target group attributes".
@Suite struct RegistrationTests {
    private let registry = TargetRegistry(workerCount: 1, events: EventLog(), logger: quiet)
    private let now = Instant.now()
    private let second: Nanoseconds = 1_000_000_000
    private var blue: GroupState { registry.groups["blue"]! }

    private func reconcile(_ ids: ClosedRange<Int>, slowStart: Double = 30, isInUse: Bool = true, weight: Int? = nil) {
        var group = group("blue", ids.map { TargetDescription(id: "10.0.0.\($0)", weight: weight) })
        group.attributes.balancing.slowStartSeconds = slowStart
        group.healthCheck.healthyThresholdCount = 1
        group.healthCheck.unhealthyThresholdCount = 1
        let users = isInUse ? [loadBalancer("web", port: 80, forwardingTo: [("blue", 1)])] : []
        _ = registry.reconcile(
            with: Document(loadBalancers: users, targetGroups: [group]), renewed: [:], now: now)
    }

    private func pass(_ index: Int, after seconds: UInt64 = 0) {
        registry.receive(.checkPassed, blue.registrations[index], now: now + seconds * second)
    }

    private func isSlow(_ index: Int) -> Bool { blue.registrations[index].cell.isStartingSlowly }

    @Test func theFirstTargetsOfAGroupHaveTheirShareAtOnce() {
        reconcile(1...3)
        for index in 0..<3 { pass(index) }
        #expect((0..<3).allSatisfy { !isSlow($0) })
    }

    @Test func whoeverComesLaterStartsSlowly() {
        reconcile(1...2)
        for index in 0..<2 { pass(index) }
        reconcile(1...3)
        pass(2)
        #expect(!isSlow(0) && !isSlow(1) && isSlow(2))
        #expect(blue.registrations[2].cell.isStartingSlowly(for: 30 * second, now: now + 29 * second))
        #expect(!blue.registrations[2].cell.isStartingSlowly(for: 30 * second, now: now + 31 * second))
    }

    /// It ends when the target turns unhealthy, and begins again when it recovers.
    @Test func whoeverRecoversStartsSlowly() {
        reconcile(1...2)
        for index in 0..<2 { pass(index) }
        registry.receive(.checkFailed(.timeout), blue.registrations[1], now: now)
        pass(1)
        #expect(isSlow(1))
        registry.receive(.checkFailed(.timeout), blue.registrations[1], now: now)
        #expect(!isSlow(1))
        reconcile(1...1)
        reconcile(1...2)
        pass(1)
        #expect(isSlow(1), "it was registered again")
    }

    /// Somebody has to carry the load meanwhile.
    @Test func withoutAnotherHealthyTargetThereIsNone() {
        reconcile(1...2)
        pass(0)
        registry.receive(.checkFailed(.timeout), blue.registrations[0], now: now)
        pass(0)
        #expect(!isSlow(0))
        reconcile(1...3)
        pass(2)
        #expect(isSlow(2))
        registry.receive(.checkFailed(.timeout), blue.registrations[0], now: now)
        pass(0)
        #expect(!isSlow(0), "the other one is starting itself")
    }

    @Test func whoeverIsHealthyWhenItIsConfiguredHasItsShare() {
        reconcile(1...2, slowStart: 0)
        for index in 0..<2 { pass(index) }
        reconcile(1...3, slowStart: 0)
        pass(2)
        reconcile(1...3, slowStart: 30)
        #expect(!isSlow(2))
        reconcile(1...4)
        pass(3)
        #expect(isSlow(3))
        reconcile(1...4, slowStart: 0)
        #expect(!isSlow(3), "it was switched off")
    }

    /// Were they to start slowly, the first to recover would carry nearly all of the load.
    @Test func afterAnOutageOfAllNobodyStartsSlowly() {
        reconcile(1...3)
        for index in 0..<3 { pass(index) }
        for index in 0..<3 { registry.receive(.checkFailed(.timeout), blue.registrations[index], now: now) }
        for index in 0..<3 { pass(index, after: UInt64(index)) }
        #expect((0..<3).allSatisfy { !isSlow($0) })
        registry.receive(.checkFailed(.timeout), blue.registrations[1], now: now)
        pass(1, after: 5)
        #expect(isSlow(1), "it failed alone")
    }

    /// By then the others have started, and nobody is overloaded by one that recovers.
    @Test func longAfterAnOutageWhoeverRecoversStartsSlowly() {
        reconcile(1...2)
        for index in 0..<2 { pass(index) }
        for index in 0..<2 { registry.receive(.checkFailed(.timeout), blue.registrations[index], now: now) }
        pass(0)
        pass(1, after: 31)
        #expect(!isSlow(0) && isSlow(1))
    }

    /// All targets are replaced at once: none of the old ones carries load.
    @Test func newTargetsInThePlaceOfAllOldOnesHaveTheirShareAtOnce() {
        reconcile(1...2)
        for index in 0..<2 { pass(index) }
        reconcile(11...13)
        for index in 0..<3 { pass(index) }
        #expect((0..<3).allSatisfy { !isSlow($0) })
    }

    /// All of them become healthy together when a listener begins to forward to the group.
    @Test func aGroupThatComesIntoUseHasItsSharesAtOnce() {
        reconcile(1...3, isInUse: false)
        reconcile(1...3)
        for index in 0..<3 { pass(index) }
        #expect((0..<3).allSatisfy { !isSlow($0) })
    }

    /// A new weight is no new registration.
    @Test func aWeightChangesInPlace() {
        reconcile(1...2)
        let before = blue.registrations.map(\.id)
        #expect(blue.registrations.map(\.weight) == [1, 1])
        reconcile(1...2, weight: 7)
        #expect(blue.registrations.map(\.weight) == [7, 7] && blue.registrations.map(\.id) == before)
    }
}
