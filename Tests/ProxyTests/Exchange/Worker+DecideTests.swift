import Core
import RegularExpressions
import Routing
import Testing

@testable import Proxy

/// What becomes of a request by the rules of its listener.
@Suite struct WorkerDecideTests {
    private func worker(
        _ groups: [GroupPlan] = [], rules: [(priority: Int, action: ActionPlan)] = [],
        defaultAction: ActionPlan = Plans.forward([0], [1])
    ) throws -> ServingWorker {
        var settings = Plans.settings
        settings.addsReason = true
        return try ServingWorker(
            Plans.listener(settings: settings, rules: rules, defaultAction: defaultAction), groups)
    }

    @Test func theFirstRuleThatAppliesIsDoneAndLogged() throws {
        var worker = try worker(
            rules: [(5, Plans.fixed(201)), (7, Plans.fixed(202))], defaultAction: Plans.fixed(404))
        let client = try worker.client(asking: "/7")
        #expect(worker.serve { client.has("202 Accepted") })
        #expect(worker.counters.ruleEvaluations.value == 2)
        #expect(worker.bench.takeLog().contains(#""matched_rule_priority":7,"#))
        client.ask("/9")
        #expect(worker.serve { client.has("404 Not Found") })
        #expect(worker.counters.ruleEvaluations.value == 4, "all were asked in vain")
        #expect(worker.bench.takeLog().contains(#""matched_rule_priority":0,"#))
        worker.stop()
    }

    @Test(arguments: [("NoWeightedTargetGroup", 0), ("NoTargets", 1)])
    func withoutAGroupOrATargetTheAnswerIs503(_ reason: String, _ weight: Int) throws {
        var worker = try worker([Plans.group(0, "blue", [])], defaultAction: Plans.forward([0], [weight]))
        let client = try worker.client(asking: "/")
        #expect(worker.serve { client.has("</html>") })
        #expect(client.count(of: 503) == 1 && client.text.contains("Apus-Reason: \(reason)\r\n"))
        #expect(worker.counters.requestsForwarded.value == 0)
        worker.stop()
    }

    @Test func aRequestThatTargetsDoNotUnderstandGets464() throws {
        let target = try LoopbackTarget()
        var worker = try worker([Plans.group(0, "blue", [target.plan], version: .grpc)])
        let client = try worker.client(asking: "/")
        #expect(worker.serve { client.has("</html>") })
        #expect(client.count(of: 464) == 1 && client.text.contains("ProtocolMismatch"))
        #expect(worker.counters.targetConnectionsOpened.value == 0)
        worker.stop()
    }

    @Test func aPathWithTwoReadingsIsRefusedAndCounted() throws {
        var worker = try worker(rules: [(5, Plans.fixed(200))], defaultAction: Plans.fixed(404))
        let client = try worker.client(asking: "/%2535")
        #expect(worker.serve { client.has("</html>") })
        #expect(client.count(of: 400) == 1 && client.text.contains("AmbiguousPath"))
        #expect(worker.counters.ambiguousPathRequests.value == 1 && worker.counters.nonCompliantRequests.value == 1)
        worker.stop()
    }

    @Test func tooManyForwardersGet463() throws {
        var worker = try worker(defaultAction: Plans.fixed(200))
        let client = try worker.client()
        let addresses = String(repeating: "10.0.0.1, ", count: Limits.forwardedAddressesMax) + "10.0.0.1"
        client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: \(addresses)\r\n\r\n")
        #expect(worker.serve { client.has("</html>") })
        #expect(client.count(of: 463) == 1 && worker.counters.fixedResponses.value == 0)
        worker.stop()
    }

    /// A rule that may deny must not be walked around by an input that its pattern cannot cope with.
    @Test func aLimitOfARegularExpressionRefuses() throws {
        let slow = HostRegexCondition([try RegularExpression("^(a+)+$", ignoresCase: true)])
        let plan = ListenerPlan(
            id: 0, loadBalancer: "app/web", port: 80, settings: Plans.settings,
            rules: [RulePlan(priority: 10, conditions: [.hostRegex(slow)], action: Plans.fixed(403))],
            defaultAction: Plans.fixed(200))
        var worker = try ServingWorker(plan)
        let client = try worker.client()
        client.send("GET / HTTP/1.1\r\nHost: \(String(repeating: "a", count: 100))-\r\n\r\n")
        #expect(worker.serve { client.has("</html>") })
        #expect(client.count(of: 500) == 1 && worker.counters.regexLimits.value == 1)
        worker.settle()
        #expect(worker.bench.takeLog().contains(#""matched_rule_priority":10,"#), "the log tells by which rule")
        worker.stop()
    }

    /// Where no target is healthy all are used, and that is counted.
    @Test func withoutAHealthyTargetAllAreUsed() throws {
        let target = try LoopbackTarget()
        target.plan.cell.isHealthy = false
        let group = Plans.group(0, "blue", [target.plan])
        var worker = try worker([group])
        let client = try worker.client(asking: "/")
        #expect(worker.serve { target.has(1) })
        target.connections[0].answer()
        #expect(worker.serve { client.count(of: 200) == 1 })
        #expect(worker.counters.failOpenRequests.value == 1 && group.counters.failOpenRequests.value == 1)
        #expect(group.counters.requests.value == 1 && group.counters.requestsActive.value == 0)
        worker.stop()
    }

    // MARK: Expect: 100-continue

    private static let expecting = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"

    @Test func whoExpectsIsToldToGoOn() throws {
        let target = try LoopbackTarget()
        var worker = try worker([Plans.group(0, "blue", [target.plan])])
        let client = try worker.client()
        client.send(Self.expecting)
        #expect(worker.serve { client.text.hasPrefix("HTTP/1.1 100 Continue\r\n\r\n") || client.hasEnd })
        #expect(worker.serve { target.has(1) })
        #expect(!target.connections[0].text.contains("Expect"), "it is answered at this hop")
        client.send("ab")
        #expect(worker.serve { target.connections[0].has("\r\n\r\nab") })
        target.connections[0].answer()
        #expect(worker.serve { client.count(of: 200) == 1 })
        #expect(client.count(of: 100) == 1)
        worker.stop()
    }

    @Test func whoHasNotWaitedIsNotTold() throws {
        let target = try LoopbackTarget()
        var worker = try worker([Plans.group(0, "blue", [target.plan])])
        let client = try worker.client()
        client.send(Self.expecting + "ab")
        #expect(worker.serve { target.has(1) && target.connections[0].has("\r\n\r\nab") })
        target.connections[0].answer()
        #expect(worker.serve { client.count(of: 200) == 1 })
        #expect(client.count(of: 100) == 0)
        worker.stop()
    }

    /// Who is refused is not asked for a body first.
    @Test func whoIsRefusedIsNotTold() throws {
        var worker = try worker(defaultAction: Plans.fixed(403))
        let client = try worker.client()
        client.send(Self.expecting)
        #expect(worker.serve { client.has("403 Forbidden") })
        #expect(client.count(of: 100) == 0)
        worker.stop()
    }
}
