import Core
import Routing
import Telemetry
import Testing

@testable import Proxy

@Suite struct GroupTests {
    private let now = Instant(nanoseconds: 5_000_000_000)

    private func group(_ plan: GroupPlan, random: UInt64 = 0) -> Group {
        Group(plan, pools: plan.targets.map { TargetPool($0) }, random: random)
    }

    private func picks(_ group: Group, _ count: Int) -> [Int?] { (0..<count).map { _ in group.pick(now: now)?.id } }

    private func healthy(_ ids: Range<Int>) -> [TargetPlan] {
        ids.map { id in
            let plan = Plans.target(id)
            plan.cell.isHealthy = true
            return plan
        }
    }

    @Test func picksInTurn() {
        let group = group(Plans.group(0, "blue", healthy(0..<3)))
        #expect(picks(group, 7) == [0, 1, 2, 0, 1, 2, 0])
        #expect(!group.isFailOpen)
        #expect(group.logName == Array("blue".utf8))
    }

    /// Workers begin at different targets, so that a burst of first requests does not meet at one.
    @Test(arguments: [0, 1, 2, 5, 65_535, UInt64.max]) func beginsAtARandomTarget(random: UInt64) {
        let group = group(Plans.group(0, "blue", healthy(0..<3)), random: random)
        let first = Int(random & 0xFFFF) % 3
        #expect(picks(group, 4) == [first, (first + 1) % 3, (first + 2) % 3, first])
    }

    @Test func anEmptyGroupPicksNone() {
        let group = group(Plans.group(0, "blue", []))
        #expect(picks(group, 2) == [nil, nil])
        #expect(!group.isFailOpen)
    }

    @Test func usesAllWhenNoneIsHealthy() {
        let targets = (0..<2).map { Plans.target($0) }
        let group = group(Plans.group(0, "blue", targets))
        #expect(group.isFailOpen)
        #expect(picks(group, 3) == [0, 1, 0])
    }

    /// A change of health counts from the flip on, and at the next pick.
    @Test func aFlipIsSeenAtTheNextPick() {
        let plan = Plans.group(0, "blue", healthy(0..<3))
        let group = group(plan)
        #expect(picks(group, 2) == [0, 1])
        plan.targets[2].cell.isHealthy = false
        #expect(picks(group, 1) == [2], "no flip, no look")
        plan.cell.flip()
        #expect(picks(group, 3) == [0, 1, 0])
        for target in plan.targets { target.cell.isHealthy = false }
        plan.cell.flip()
        #expect(Set(picks(group, 3)) == [0, 1, 2])
        #expect(group.isFailOpen)
        plan.targets[1].cell.isHealthy = true
        plan.cell.flip()
        #expect(picks(group, 2) == [1, 1])
        #expect(!group.isFailOpen)
        plan.cell.flip()
        plan.cell.flip()
        #expect(picks(group, 1) == [1], "several flips are one look")
    }

    /// The context for TLS offers the protocol by ALPN: another protocol needs another context.
    @Test func anotherProtocolIsOfferedAnew() throws {
        let tls = TargetTLS(verification: .off, serverName: "")
        let group = group(Plans.group(0, "blue", [], tls: tls))
        let first = try #require(group.tls)
        group.adopt(Plans.group(0, "blue", [], tls: tls), pools: [])
        #expect(group.tls === first)
        group.adopt(Plans.group(0, "blue", [], version: .http2, tls: tls), pools: [])
        let second = try #require(group.tls)
        #expect(second !== first)
        group.adopt(Plans.group(0, "blue", [], version: .http2, tls: tls), pools: [])
        #expect(group.tls === second)
        group.adopt(Plans.group(0, "blue", []), pools: [])
        #expect(group.tls == nil)
    }

    @Test func adoptsMembersAndKeepsTheTurn() {
        let targets = healthy(0..<4)
        let cell = GroupCell()
        let before = Plans.group(0, "blue", Array(targets[0..<3]), cell: cell)
        let group = group(before)
        let pools = group.pools
        #expect(picks(group, 1) == [0])
        let after = Plans.group(0, "blue", targets, cell: cell)
        group.adopt(after, pools: pools + [TargetPool(targets[3])])
        #expect(group.plan === after)
        #expect(picks(group, 5) == [1, 2, 3, 0, 1], "whose turn it was still has it")
        #expect(group.pools[0] === pools[0])
        let fewer = Plans.group(0, "blue", [targets[1]], cell: cell)
        group.adopt(fewer, pools: [pools[1]])
        #expect(picks(group, 2) == [1, 1])
    }

    /// The new plan may bring a cell of its own, at any epoch.
    @Test func adoptsAnotherCell() {
        let targets = healthy(0..<2)
        let group = group(Plans.group(0, "blue", targets))
        let cell = GroupCell()
        cell.flip()
        let after = Plans.group(0, "blue", targets, cell: cell)
        group.adopt(after, pools: group.pools)
        targets[0].cell.isHealthy = false
        #expect(Set(picks(group, 4)) == [0, 1])
        cell.flip()
        #expect(picks(group, 2) == [1, 1])
    }

    @Test func aDissolvedGroupPicksNone() {
        let plan = Plans.group(0, "blue", healthy(0..<2))
        let group = group(plan)
        group.dissolve()
        #expect(picks(group, 2) == [nil, nil])
        plan.cell.flip()
        #expect(picks(group, 1) == [nil])
    }

    // MARK: Weights

    @Test func weightsAreThoseOfThePlan() {
        let targets = (0..<3).map { id in
            let plain = Plans.target(id)
            plain.cell.isHealthy = true
            return TargetPlan(id: id, address: plain.address, weight: id, cell: plain.cell)
        }
        let group = group(Plans.group(0, "blue", targets))
        let picked = picks(group, 300)
        #expect(picked.count { $0 == 0 } == 0 && abs(picked.count { $0 == 2 } - 200) <= 1)
        #expect(!group.hasOther(than: Array(group.pools[1...])), "nobody goes to a target of weight 0")
        let even = targets.map { TargetPlan(id: $0.id, address: $0.address, weight: 5, cell: $0.cell) }
        group.adopt(Plans.group(0, "blue", even), pools: group.pools)
        #expect(Set(picks(group, 3)) == [0, 1, 2])
    }

    // MARK: Flows

    private func flows(_ targets: [TargetPlan]) -> GroupPlan {
        GroupPlan(
            id: 0, name: "blue", targets: targets,
            settings: GroupSettings(
                flows: FlowGroupPlan(), connectTimeout: 1, poolIdleTimeout: 1, poolConnectionsMax: 1),
            balancing: .flowHash(MaglevTable(keys: targets.map(\.flowKey))), cell: GroupCell(),
            counters: TargetGroupCounters())
    }

    private func group(ofFlows targets: [TargetPlan]) -> Group {
        Group(flows(targets), pools: targets.map { TargetPool($0) }, random: 0)
    }

    private func hashes(_ count: Int) -> [UInt64] {
        (0..<UInt64(count)).map { number in
            var hash = FlowHash()
            hash.add(number)
            return hash.value
        }
    }

    @Test func aFlowHasItsTargetByItsHashAlone() {
        let targets = (0..<5).map(Plans.target)
        for target in targets { target.cell.isHealthy = true }
        let one = group(ofFlows: targets), other = group(ofFlows: targets)
        for hash in hashes(100) {
            #expect(one.pick(hash: hash, now: now)?.id == other.pick(hash: hash, now: now)?.id)
            #expect(one.pick(hash: hash, now: now)?.id == one.pick(hash: hash, now: now)?.id)
        }
    }

    @Test func aTargetThatFailsMovesItsOwnFlowsAloneAndHasThemAgain() {
        let targets = (0..<5).map(Plans.target), hashes = hashes(1000)
        for target in targets { target.cell.isHealthy = true }
        let group = group(ofFlows: targets)
        let before = hashes.map { group.pick(hash: $0, now: now)?.id }
        targets[2].cell.isHealthy = false
        let during = hashes.map { group.pick(hash: $0, now: now)?.id }
        for (old, new) in zip(before, during) {
            if old == 2 { #expect(new != 2 && new != nil) } else { #expect(new == old) }
        }
        let moved = zip(before, during).filter { $0 == 2 && $1 != nil }.map { $1 }
        for id in [0, 1, 3, 4] { #expect(moved.count { $0 == id } > moved.count / 10) }
        targets[2].cell.isHealthy = true
        #expect(hashes.map { group.pick(hash: $0, now: now)?.id } == before)
    }

    @Test func withoutAHealthyTargetAllAreUsedOnce() {
        let targets = (0..<3).map(Plans.target)
        let group = group(ofFlows: targets)
        let picked = Set(hashes(100).compactMap { group.pick(hash: $0, now: now)?.id })
        #expect(picked == [0, 1, 2])
        var tried: [TargetPool] = []
        while let pool = group.pick(hash: 7, tried: tried, now: now) { tried.append(pool) }
        #expect(Set(tried.map(\.id)) == [0, 1, 2])
        #expect(self.group(ofFlows: []).pick(hash: 7, now: now) == nil)
    }

    @Test func whatWasTriedIsNotPickedAgain() {
        let targets = (0..<3).map(Plans.target)
        for target in targets { target.cell.isHealthy = true }
        let group = group(ofFlows: targets)
        for hash in hashes(50) {
            var tried: [TargetPool] = []
            while let pool = group.pick(hash: hash, tried: tried, now: now) { tried.append(pool) }
            #expect(Set(tried.map(\.id)) == [0, 1, 2])
        }
    }

    // MARK: Suspects

    @Test func aSuspectIsPassedOverAndTriedNowAndThen() {
        let plan = Plans.group(0, "blue", healthy(0..<3))
        let group = group(plan)
        #expect(plan.targets[1].cell.suspect(now: now))
        plan.cell.flip()
        #expect(picks(group, 5) == [0, 2, 0, 2, 0])
        let later = now + Routing.Limits.trialInterval
        #expect(group.pick(now: later)?.id == 1, "one request tries it")
        #expect(group.pick(now: later)?.id == 2, "and no other, of all workers")
        #expect(plan.targets[1].cell.clearSuspicion())
        plan.cell.flip()
        #expect(Set(picks(group, 3)) == [0, 1, 2])
    }

    @Test func suspectsAreUsedIfAllAreSuspect() {
        let plan = Plans.group(0, "blue", healthy(0..<2))
        let group = group(plan)
        for target in plan.targets { #expect(target.cell.suspect(now: now)) }
        plan.cell.flip()
        #expect(picks(group, 3) == [0, 1, 0])
        #expect(!group.isFailOpen)
    }

    /// With little of the budget left nobody is sent to a target that is likely to fail.
    @Test func aSpentBudgetAllowsNoTrial() {
        let plan = Plans.group(0, "blue", healthy(0..<2))
        let group = group(plan)
        _ = plan.targets[0].cell.suspect(now: now)
        plan.cell.flip()
        let later = now + Routing.Limits.trialInterval
        for _ in 0..<5 { _ = group.retryBudget.take(percent: 20, now: later) }
        #expect(group.pick(now: later)?.id == 1)
    }

    @Test func whatWasTriedComesNotAgain() {
        let plan = Plans.group(0, "blue", healthy(0..<3))
        let group = group(plan)
        _ = plan.targets[2].cell.suspect(now: now)
        plan.cell.flip()
        var tried: [TargetPool] = []
        while let pool = group.pick(tried: tried, now: now) { tried.append(pool) }
        #expect(tried.map(\.id) == [0, 1, 2], "the suspect is the last")
        #expect(group.hasOther(than: Array(tried.dropLast())) && !group.hasOther(than: tried))
    }

    @Test func aSuspectsFlowsGoElsewhereAndNoOthers() {
        let targets = healthy(0..<5), hashes = hashes(1000)
        let group = group(ofFlows: targets)
        let before = hashes.map { group.pick(hash: $0, now: now)?.id }
        _ = targets[2].cell.suspect(now: now)
        let during = hashes.map { group.pick(hash: $0, now: now)?.id }
        for (old, new) in zip(before, during) {
            if old == 2 { #expect(new != 2 && new != nil) } else { #expect(new == old) }
        }
        let later = now + Routing.Limits.trialInterval
        #expect(hashes.count { group.pick(hash: $0, now: later)?.id == 2 } == 1, "one of its own tries it")
    }
}
