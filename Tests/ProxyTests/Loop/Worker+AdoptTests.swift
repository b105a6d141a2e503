import Core
import Routing
import Testing

@testable import Proxy

@Suite struct WorkerAdoptTests {
    /// The names of the groups of the next `count` requests that listener 0 forwards by default.
    private func turns(_ bench: borrowing WorkerBench, _ count: Int, priority: Int? = nil) -> [String?] {
        guard let forward = bench.worker.listeners[0]?.forward(priority: priority) else { return [] }
        return (0..<count).map { _ in forward.next()?.plan.name }
    }

    private func generations(_ bench: borrowing WorkerBench) -> Int {
        bench.control.takeAll().count { mail in
            if case .adopted = mail { return true }
            return false
        }
    }

    @Test func saysThatItAdopted() {
        var bench = WorkerBench()
        bench.adopt([], [])
        bench.adopt([Plans.listener(2)], [Plans.group(1, "blue", [])])
        let adopted = generations(bench)
        #expect(adopted == 2)
        #expect(bench.worker.listeners.count == 3 && bench.worker.listeners[2] != nil)
        #expect(bench.worker.groups.count == 2 && bench.worker.groups[1]?.plan.name == "blue")
    }

    // MARK: Groups and targets

    @Test func thePoolOfATargetStays() throws {
        var bench = WorkerBench()
        let targets = (0..<3).map { Plans.target($0) }
        bench.adopt([], [Plans.group(0, "blue", [targets[0], targets[1]])])
        let group = try #require(bench.worker.groups[0])
        let pools = group.pools
        pools[1].begin()
        bench.adopt([], [Plans.group(0, "blue", [targets[1], targets[2]])])
        #expect(bench.worker.groups[0] === group)
        #expect(group.pools.map(\.id) == [1, 2])
        #expect(group.pools[0] === pools[1] && group.pools[0].inFlight == 1)
        let drained = bench.takeDrained()
        #expect(drained == [0], "and the one that left had nothing to finish")
        #expect(bench.worker.pools[0] == nil)
    }

    @Test func anUnchangedPlanIsLeftAlone() {
        var bench = WorkerBench()
        let plan = Plans.group(0, "blue", [Plans.target(0)])
        let listener = Plans.listener(defaultAction: Plans.forward([0], [1]))
        bench.adopt([listener], [plan])
        let group = bench.worker.groups[0], forward = bench.worker.listeners[0]?.forward(priority: nil)
        bench.adopt([listener], [plan])
        #expect(bench.worker.groups[0] === group)
        #expect(bench.worker.listeners[0]?.forward(priority: nil) === forward)
        let drained = bench.takeDrained()
        #expect(drained.isEmpty)
    }

    /// Control hears of a target that left once its last exchange has ended, with what became of them.
    @Test func aBusyTargetIsDrainedLater() throws {
        var bench = WorkerBench()
        let target = Plans.target(0)
        bench.adopt([], [Plans.group(0, "blue", [target])])
        let pool = try #require(bench.worker.pools[0])
        for _ in 0..<3 { pool.begin() }
        pool.end(cut: false)
        bench.adopt([], [Plans.group(0, "blue", [])])
        var drained = bench.takeDrained()
        #expect(drained.isEmpty && bench.worker.pools[0] === pool)
        pool.end(cut: false)
        bench.worker.reportIfDrained(pool)
        drained = bench.takeDrained()
        #expect(drained.isEmpty)
        pool.end(cut: true)
        bench.worker.reportIfDrained(pool)
        let mail = bench.control.takeAll()
        guard mail.count == 1, case .drained(0, target: 0, finished: 1, cut: 1, left: 0) = mail[0] else {
            Issue.record("\(mail)")
            return
        }
        #expect(bench.worker.pools[0] == nil)
    }

    @Test func aRemovedGroupDrainsItsTargets() throws {
        var bench = WorkerBench()
        bench.adopt([], [Plans.group(0, "blue", [Plans.target(0), Plans.target(1)]), Plans.group(1, "green", [])])
        let blue = try #require(bench.worker.groups[0])
        bench.adopt([], [Plans.group(1, "green", [])])
        #expect(bench.worker.groups[0] == nil && bench.worker.groups[1] != nil)
        #expect(blue.pick(now: Instant(nanoseconds: 1)) == nil, "an exchange that still holds it finds nobody")
        let drained = bench.takeDrained()
        #expect(drained.sorted() == [0, 1])
    }

    /// A name that is new under an id is another group: nothing of the old one is carried over.
    @Test func anotherNameIsAnotherGroup() {
        var bench = WorkerBench()
        let listener = Plans.listener(defaultAction: Plans.forward([0], [1]))
        bench.adopt([listener], [Plans.group(0, "blue", [Plans.target(0)])])
        let blue = bench.worker.groups[0]
        bench.adopt([listener], [Plans.group(0, "green", [Plans.target(1)])])
        #expect(bench.worker.groups[0] !== blue && bench.worker.groups[0]?.plan.name == "green")
        let drained = bench.takeDrained()
        #expect(drained == [0])
        let names = turns(bench, 2)
        #expect(names == ["green", "green"], "the same listener plan forwards to the new group")
    }

    // MARK: Listeners

    /// Turns go on where they were through any change of rules and weights: nobody gets a second first turn.
    @Test(arguments: [1, 3, 7]) func turnsCarryOver(changeEvery: Int) {
        var bench = WorkerBench()
        let groups = [Plans.group(0, "blue", []), Plans.group(1, "green", [])]
        var counts: [String: Int] = [:]
        for round in 0..<400 {
            if round.isMultiple(of: changeEvery) {
                // A new plan each time, with another rule before it or not; the weights are the same.
                let rules = round.isMultiple(of: 2) ? [(priority: 5, action: Plans.fixed(200))] : []
                bench.adopt([Plans.listener(rules: rules, defaultAction: Plans.forward([0, 1], [3, 1]))], groups)
            }
            for case let name? in turns(bench, 1) { counts[name, default: 0] += 1 }
        }
        #expect(counts == ["blue": 300, "green": 100])
    }

    /// Turns follow the group by name when its place in the action changes, and the rule by priority when its place
    /// among the rules does.
    @Test func turnsFollowNamesAndPriorities() {
        var bench = WorkerBench()
        let groups = (0..<3).map { Plans.group($0, "group \($0)", []) }
        var counts: [String: Int] = [:]
        for round in 0..<300 {
            let isOdd = !round.isMultiple(of: 2)
            let action = isOdd ? Plans.forward([1, 0, 2], [2, 1, 0]) : Plans.forward([0, 1], [1, 2])
            var rules = [(priority: 20, action: action)]
            if isOdd { rules.insert((10, Plans.fixed(200)), at: 0) }
            bench.adopt([Plans.listener(rules: rules)], groups)
            for case let name? in turns(bench, 1, priority: 20) { counts[name, default: 0] += 1 }
        }
        #expect(counts == ["group 0": 100, "group 1": 200])
    }

    @Test func aRemovedListenerKeepsItsLastPlan() throws {
        var bench = WorkerBench()
        bench.adopt([Plans.listener(0), Plans.listener(1)], [])
        let removed = try #require(bench.worker.listeners[0])
        let plan = removed.plan
        bench.adopt([Plans.listener(1)], [])
        #expect(removed.isRemoved && removed.plan === plan)
        #expect(bench.worker.listeners[0] == nil && bench.worker.listeners[1]?.isRemoved == false)
        bench.adopt([Plans.listener(0), Plans.listener(1)], [])
        #expect(bench.worker.listeners[0] !== removed)
    }

    @Test func aForwardToNoGroupTraps() async {
        await #expect(processExitsWith: .failure) {
            var bench = WorkerBench()
            bench.adopt([Plans.listener(defaultAction: Plans.forward([1], [1]))], [Plans.group(0, "blue", [])])
        }
    }
}
