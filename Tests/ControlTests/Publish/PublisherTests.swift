import Core
import Model
import Proxy
import Testing

@testable import Control

@Suite struct PublisherTests {
    private let registry = TargetRegistry(workerCount: 2, events: EventLog(), logger: quiet)
    private let publisher = Publisher(workerCount: 2)
    private let base = Document(
        loadBalancers: [
            loadBalancer("web", port: 8080, forwardingTo: [("blue", 90), ("green", 10)]),
            loadBalancer("other", port: 8081, forwardingTo: [("green", 1)]),
        ],
        targetGroups: [
            group("blue", [TargetDescription(id: "10.0.0.1"), TargetDescription(id: "10.0.0.2", port: 81)]),
            group("green", [TargetDescription(id: "10.0.0.3")]),
        ])

    private func publish(_ document: Document) -> [Snapshot] {
        _ = registry.reconcile(with: document, renewed: [:], now: Instant.now())
        return publisher.snapshots(of: document, registry, CertificateStore(configurationFile: ""))
    }

    private func groupPlan(_ name: String, of snapshot: Snapshot) -> GroupPlan? {
        snapshot.groups.first { $0.name == name }
    }

    private func listenerPlan(_ port: UInt16, of snapshot: Snapshot) -> ListenerPlan? {
        snapshot.listeners.first { $0.port == port }
    }

    @Test func compilesWhatTheDocumentSays() throws {
        let snapshots = publish(base)
        #expect(snapshots.count == 2)
        let snapshot = snapshots[0]
        #expect(snapshot.generation == 1)
        let blue = try #require(groupPlan("blue", of: snapshot))
        #expect(blue.targets.map(\.address.description) == ["10.0.0.1:8080", "10.0.0.2:81"])
        let green = try #require(groupPlan("green", of: snapshot))
        let web = try #require(listenerPlan(8080, of: snapshot))
        #expect(web.loadBalancer == "app/web")
        guard case .forward(let plan) = web.defaultAction else {
            Issue.record("the default action is not a forward")
            return
        }
        #expect(plan.groups == [blue.id, green.id])
        #expect(plan.weights == [90, 10])
        #expect(Set(snapshot.groups.flatMap(\.targets).map(\.id)) == [0, 1, 2], "ids are dense")
    }

    @Test(arguments: [true, false]) func workersKnowWhetherTargetsSeeClients(preserves: Bool) throws {
        var flow = group("flow", [TargetDescription(id: "10.0.0.9")])
        flow.protocol = .tcp
        flow.attributes.preserveClientIP = preserves
        var document = base
        document.targetGroups.append(flow)
        for snapshot in publish(document) {
            #expect(groupPlan("flow", of: snapshot)?.flows?.preservesClientIP == preserves)
        }
    }

    @Test func everyWorkerHasPlansOfItsOwn() {
        let snapshots = publish(base)
        #expect(groupPlan("blue", of: snapshots[0]) !== groupPlan("blue", of: snapshots[1]))
        #expect(listenerPlan(8080, of: snapshots[0]) !== listenerPlan(8080, of: snapshots[1]))
        #expect(groupPlan("blue", of: snapshots[0])?.counters !== groupPlan("blue", of: snapshots[1])?.counters)
        #expect(groupPlan("blue", of: snapshots[0])?.cell === groupPlan("blue", of: snapshots[1])?.cell)
    }

    @Test func theSameDocumentGivesTheSamePlans() {
        let first = publish(base), second = publish(base)
        #expect(second[0].generation == 2)
        for worker in 0..<2 {
            for port in [8080, 8081] as [UInt16] {
                #expect(listenerPlan(port, of: first[worker]) === listenerPlan(port, of: second[worker]))
            }
            for name in ["blue", "green"] {
                #expect(groupPlan(name, of: first[worker]) === groupPlan(name, of: second[worker]))
            }
        }
    }

    @Test func newWeightsTouchTheirListenerAlone() {
        let first = publish(base)
        var changed = base
        changed.loadBalancers[0].listeners[0].defaultActions = [forward([("blue", 0), ("green", 100)])]
        let second = publish(changed)
        #expect(listenerPlan(8080, of: first[0]) !== listenerPlan(8080, of: second[0]))
        #expect(listenerPlan(8080, of: first[0])?.id == listenerPlan(8080, of: second[0])?.id)
        #expect(listenerPlan(8081, of: first[0]) === listenerPlan(8081, of: second[0]))
        #expect(groupPlan("blue", of: first[0]) === groupPlan("blue", of: second[0]))
        #expect(groupPlan("green", of: first[0]) === groupPlan("green", of: second[0]))
    }

    @Test func aNewTargetTouchesItsGroupAlone() throws {
        let first = publish(base)
        var changed = base
        changed.targetGroups[0].targets.append(TargetDescription(id: "10.0.0.9"))
        let second = publish(changed)
        let before = try #require(groupPlan("blue", of: first[0]))
        let after = try #require(groupPlan("blue", of: second[0]))
        #expect(before !== after)
        #expect(before.id == after.id)
        #expect(before.cell === after.cell)
        #expect(before.counters === after.counters)
        #expect(before.targets.map(\.id) == after.targets.prefix(2).map(\.id))
        #expect(before.targets[0].cell === after.targets[0].cell)
        #expect(after.targets.count == 3)
        #expect(groupPlan("green", of: first[0]) === groupPlan("green", of: second[0]))
        #expect(listenerPlan(8080, of: first[0]) === listenerPlan(8080, of: second[0]))
    }

    @Test func aHealthCheckSettingTouchesNoPlan() {
        let first = publish(base)
        var changed = base
        changed.targetGroups[0].healthCheck.intervalSeconds = 1
        changed.targetGroups[0].attributes.deregistrationDelaySeconds = 1
        let second = publish(changed)
        #expect(groupPlan("blue", of: first[0]) === groupPlan("blue", of: second[0]))
    }

    @Test func aGroupThatComesBackWhileItDrainsKeepsItsIdAndCounters() throws {
        let first = publish(base)
        var without = base
        without.loadBalancers = [loadBalancer("web", port: 8080, forwardingTo: [("green", 1)])]
        without.targetGroups.remove(at: 0)
        #expect(groupPlan("blue", of: publish(without)[0]) == nil)
        let third = publish(base)
        let before = try #require(groupPlan("blue", of: first[0]))
        let after = try #require(groupPlan("blue", of: third[0]))
        #expect(before.id == after.id)
        #expect(before.counters === after.counters)
        #expect(Set(before.targets.map(\.id)).isDisjoint(with: after.targets.map(\.id)), "new registrations")
    }

    @Test func rulesAreSortedByPriority() throws {
        let answer = Action.fixedResponse(FixedResponse(statusCode: 200, contentType: "text/plain", messageBody: "hi"))
        let redirect = Action.redirect(Redirect(statusCode: .found, host: "example.com"))
        var document = base
        document.loadBalancers[0].listeners[0].rules = [
            Rule(priority: 20, conditions: [.pathPattern(["/b"])], actions: [redirect]),
            Rule(priority: 3, conditions: [.hostHeader(["a.example"])], actions: [answer]),
        ]
        let plan = try #require(listenerPlan(8080, of: publish(document)[0]))
        #expect(plan.rules.map(\.priority) == [3, 20])
        guard case .fixedResponse(let response) = plan.rules[0].action, case .redirect = plan.rules[1].action else {
            Issue.record("the actions are not those of the rules")
            return
        }
        #expect(response.status == 200)
        #expect(response.contentType == Array("text/plain".utf8))
        #expect(response.body == Array("hi".utf8))
    }

    // MARK: Lists of addresses

    /// Two load balancers that allow a list, the first of them at two addresses.
    private var guarded: Document {
        var document = base
        document.prefixLists = [
            PrefixList(name: "office", entries: ["192.0.2.0/24"].compactMap(AddressEntry.init)),
            PrefixList(name: "spare"),
        ]
        document.loadBalancers[0].addresses = ["127.0.0.1", "127.0.0.2"]
        for index in document.loadBalancers.indices {
            document.loadBalancers[index].listeners[0].allow = [.list("office")]
        }
        return document
    }

    @Test func withoutListsNothingIsCompiled() {
        #expect(publish(base).flatMap(\.listeners).allSatisfy { $0.access == nil })
        #expect(publisher.denials.isEmpty)
    }

    /// Each worker counts by itself, and what it has counted outlives a change of who is taken.
    @Test func aListIsCompiledForThoseThatNameIt() throws {
        let first = publish(guarded)
        let counters = try first.map { try #require(listenerPlan(8080, of: $0)?.access?.denials) }
        #expect(
            Set(first.flatMap(\.listeners).compactMap { $0.access.map { ObjectIdentifier($0.denials) } }).count == 6)
        counters[0].connections.add(3)
        counters[1].datagrams.add(4)
        counters[1].lastClient.note(SocketAddress(literal: "198.51.100.7", port: 1)!)
        var changed = guarded
        changed.prefixLists[0].entries.append(.network(try #require(AddressBlock("198.51.100.0/24"))))
        let second = publish(changed)
        #expect(listenerPlan(8081, of: first[0]) !== listenerPlan(8081, of: second[0]))
        let figures = DenialFigures.byListener(publisher.denials)
        #expect(figures.map(\.name.port) == [8081, 8080], "sorted by name: other, web")
        #expect(figures[1].connections == 3 && figures[1].datagrams == 4)
        #expect(figures[1].client?.host == "198.51.100.7")
        var open = changed
        open.loadBalancers[0].listeners[0].allow = nil
        #expect(listenerPlan(8080, of: publish(open)[0])?.access == nil)
        #expect(publisher.denials.map(\.name.port) == [8081])
    }

    @Test func aListThatNobodyNamesTouchesNoPlan() throws {
        let first = publish(guarded)
        var changed = guarded
        changed.prefixLists[1].entries = [.list("office")]
        let second = publish(changed)
        func plans(_ snapshot: Snapshot) -> Set<ObjectIdentifier> { Set(snapshot.listeners.map(ObjectIdentifier.init)) }
        #expect(plans(first[0]) == plans(second[0]) && first[0].listeners.count == 3)
    }

    // MARK: Rate limits

    /// The buckets of each rule with a rate limit, by its priority: one for each address and each worker.
    private func limiters(_ document: Document) -> [String: [ObjectIdentifier]] {
        publish(document).reduce(into: [:]) { found, snapshot in
            for rule in snapshot.listeners.flatMap(\.rules) {
                guard let limiter = rule.rateLimit?.limiter else { continue }
                found["\(rule.priority)", default: []].append(ObjectIdentifier(limiter))
            }
        }
    }

    /// The document with two rate limits on a listener that has three addresses.
    private var limited: Document {
        var document = base
        document.loadBalancers[0].addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
        document.loadBalancers[0].listeners[0].rules = [1, 2].map { priority in
            var rule = Rule(priority: priority, conditions: [.pathPattern(["/b"])], actions: [forward([("blue", 1)])])
            rule.rateLimit = RateLimit(requestsPerSecond: 1)
            return rule
        }
        return document
    }

    @Test func allThatIsCompiledOfARuleHasOneBudget() {
        let limiters = limiters(limited)
        #expect(limiters.mapValues(\.count) == ["1": 6, "2": 6], "two workers, three addresses")
        #expect(limiters.mapValues { Set($0).count } == ["1": 1, "2": 1])
        #expect(limiters["1"] != limiters["2"])
        #expect(publisher.rateLimits.map(\.priority).sorted() == [1, 2])
    }

    @Test func aBudgetOutlivesWhatDoesNotChangeItsLimit() {
        let before = limiters(limited).mapValues(Set.init)
        var changed = limited
        changed.loadBalancers[0].addresses = ["127.0.0.4"]
        changed.loadBalancers[0].listeners[0].rules[0].actions = [forward([("green", 1)])]
        let other = Rule(priority: 3, conditions: [.pathPattern(["/c"])], actions: [forward([("blue", 1)])])
        changed.loadBalancers[0].listeners[0].rules.append(other)
        #expect(limiters(changed).mapValues(Set.init) == before)
        changed.loadBalancers[0].listeners[0].rules[1].rateLimit?.burst = 7
        let after = limiters(changed).mapValues(Set.init)
        #expect(after["1"] == before["1"] && after["2"] != before["2"] && after["2"]?.count == 1)
        changed.loadBalancers[0].listeners[0].rules[0].rateLimit = nil
        #expect(limiters(changed).keys.sorted() == ["2"] && publisher.rateLimits.count == 1)
    }

    @Test func theSameRuleOfAnotherListenerHasABudgetOfItsOwn() {
        var document = limited
        document.loadBalancers[1].listeners[0].rules = document.loadBalancers[0].listeners[0].rules
        #expect(limiters(document).mapValues { Set($0).count } == ["1": 2, "2": 2])
        #expect(Set(publisher.rateLimits.map(\.loadBalancer)) == ["web", "other"])
    }

    // MARK: Balancing

    private func publish(_ edit: (inout TargetGroup) -> Void) throws -> GroupPlan {
        var document = base
        edit(&document.targetGroups[0])
        return try #require(groupPlan("blue", of: publish(document)[0]))
    }

    @Test(arguments: BalancingAttributes.Algorithm.allCases)
    func theAttributeSaysHowTargetsArePicked(_ algorithm: BalancingAttributes.Algorithm) throws {
        let plan = try publish { group in
            group.attributes.balancing.algorithm = algorithm
            if algorithm == .roundRobin { group.attributes.balancing.slowStartSeconds = 30 }
        }
        let isRight =
            switch (algorithm, plan.balancing) {
            case (.roundRobin, .roundRobin(let slowStart)): slowStart == 30_000_000_000
            case (.consistentHash, .consistentHash(let table, let bound)): bound == 125 && table[1] != nil
            case (.leastOutstandingRequests, .leastOutstanding), (.weightedRandom, .weightedRandom),
                (.leastLatency, .leastLatency):
                true
            default: false
            }
        #expect(isRight)
    }

    /// A new weight is a new plan of the group with the same registrations, and a new table where there is one.
    @Test func weightsGoIntoPlans() throws {
        let hashing: (inout TargetGroup) -> Void = { $0.attributes.balancing.algorithm = .consistentHash }
        let before = try publish(hashing)
        #expect(before.targets.map(\.weight) == [1, 1])
        let same = try publish(hashing)
        #expect(same === before)
        let after = try publish { group in
            hashing(&group)
            group.targets[0].weight = 0
        }
        #expect(after.targets.map(\.weight) == [0, 1] && after.targets.map(\.id) == before.targets.map(\.id))
        guard case .consistentHash(let table, _) = after.balancing else {
            Issue.record("not hashed")
            return
        }
        #expect((0..<100).allSatisfy { table[$0] == 1 }, "a target of weight 0 has no place in the table")
    }
}
