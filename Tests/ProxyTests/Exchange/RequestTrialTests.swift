import Core
import Foundation
import RegularExpressions
import Routing
import Testing

@testable import Proxy

/// What would become of requests that nobody has sent.
@Suite struct RequestTrialTests {
    private static let client = Plans.address("192.0.2.7", 50_000)

    private func trial(_ plan: ListenerPlan, _ head: String, serverName: String? = nil) -> RequestTrial {
        RequestTrial(
            plan, head: Array(head.utf8).span, client: Self.client, serverName: serverName.map { Array($0.utf8) })
    }

    private static func plan(_ rules: [[CompiledCondition]]) -> ListenerPlan {
        ListenerPlan(
            id: 0, loadBalancer: "app/web", port: 80, settings: Plans.settings,
            rules: rules.enumerated().map {
                RulePlan(priority: $0.offset + 1, conditions: $0.element, action: Plans.fixed(200))
            }, defaultAction: Plans.fixed(404))
    }

    @Test func eachConditionIsTold() {
        let plan = Self.plan([
            [.hostHeader(HostHeaderCondition(["api.example"])), .pathPattern(PathPatternCondition(["/v1/*"]))],
            [.requestMethod(RequestMethodCondition(["POST"]))],
        ])
        let found = trial(plan, "POST /v2/a HTTP/1.1\r\nHost: api.example\r\nContent-Length: 0\r\n\r\n")
        #expect(found.outcome == .apply(rule: 1))
        #expect(found.conditions == [[.holds, .fails], [.holds]])
        let other = trial(plan, "GET / HTTP/1.1\r\nHost: www.example\r\n\r\n")
        #expect(other.outcome == .apply(rule: nil) && other.conditions == [[.fails, .fails], [.fails]])
    }

    @Test(
        arguments: [
            ("GET / HTTP/1.1\r\n\r\n", 400), ("GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a", 400),
            ("", 400), ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400),
        ] as [(String, UInt16)])
    func whatIsNoRequestIsRefused(head: String, status: UInt16) {
        let found = trial(Self.plan([]), head)
        guard case .refused(let told, _) = found.outcome else {
            Issue.record("\(head): \(found.outcome)")
            return
        }
        #expect(told == status && found.conditions.isEmpty)
    }

    /// Thousands of rules with regular expressions must not hold up the control thread: all of them have the budget of
    /// one decision, and what is beyond it is not decided.
    @Test func allExpressionsTogetherHaveOneBudget() throws {
        let slow = try RegularExpression("^(a+)+$", ignoresCase: true)
        let quick = try RegularExpression("^z+$", ignoresCase: true)
        let rules = Array(repeating: [CompiledCondition.hostRegex(HostRegexCondition([slow]))], count: 4000)
        let plan = Self.plan(rules + [[.hostRegex(HostRegexCondition([quick]))]])
        let hostile = String(repeating: "a", count: 100) + "-"
        let found = trial(plan, "GET / HTTP/1.1\r\nHost: \(hostile)\r\n\r\n")
        #expect(found.conditions.first == [.limit] && found.conditions.last == [.limit])
        let harmless = trial(plan, "GET / HTTP/1.1\r\nHost: b\r\n\r\n")
        #expect(harmless.conditions.allSatisfy { $0 == [.fails] })
    }

    /// Random rules and requests: the rule that traffic takes is the first all of whose conditions are told to hold.
    /// `RULE_REQUESTS` for another number of requests than 3,000.
    @Test func whatIsToldIsWhatDecides() {
        var random = FastRandom(seed: 42)
        let count = ProcessInfo.processInfo.environment["RULE_REQUESTS"].flatMap { Int($0) } ?? 3000
        var decided = 0
        for _ in 0..<max(1, count / 100) {
            let plan = Self.plan((0..<Int.random(in: 0...12, using: &random)).map { _ in Self.rule(&random) })
            for _ in 0..<100 {
                let found = trial(plan, Self.request(&random))
                // Two readings of a path that differ are refused after the rules were asked.
                guard case .apply(let rule) = found.outcome else { continue }
                let told = found.conditions.firstIndex { $0.allSatisfy { $0 == .holds } }
                #expect(rule == told)
                if rule != nil { decided += 1 }
            }
        }
        #expect(decided > count / 20, "\(decided) of \(count)")
    }

    private static let hosts = ["a.example", "b.example", "*.example", "a.*", "?.example"]
    private static let paths = ["/", "/v1", "/v1/*", "/v1/a", "*/a", "/v?/a*"]

    private static func rule(_ random: inout FastRandom) -> [CompiledCondition] {
        var conditions: [CompiledCondition] = []
        func values(_ all: [String]) -> [String] {
            (0..<Int.random(in: 1...2, using: &random)).map { _ in all[Int.random(in: 0..<all.count, using: &random)] }
        }
        if Bool.random(using: &random) { conditions.append(.hostHeader(HostHeaderCondition(values(hosts)))) }
        if Bool.random(using: &random) { conditions.append(.pathPattern(PathPatternCondition(values(paths)))) }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: conditions.append(.requestMethod(RequestMethodCondition(values(["GET", "HEAD", "PUT"]))))
        case 1: conditions.append(.httpHeader(HTTPHeaderCondition(name: "X-User", values(["7", "7*", "*8"]))))
        case 2:
            conditions.append(.queryString(QueryStringCondition(values(["1", "2*"]).map { (key: "q", value: $0) })))
        default: break
        }
        return conditions.isEmpty ? [.pathPattern(PathPatternCondition(["/v1*"]))] : conditions
    }

    private static func request(_ random: inout FastRandom) -> String {
        func one(_ all: [String]) -> String { all[Int.random(in: 0..<all.count, using: &random)] }
        let target =
            one(["/", "/v1", "/v1/a", "/v2/a", "/v1/b", "/v1//a", "/V1"]) + one(["", "?q=1", "?q=22&q=1", "?r=1"])
        return "\(one(["GET", "HEAD"])) \(target) HTTP/1.1\r\nHost: \(one(["a.example", "B.example:80", "c"]))\r\n"
            + one(["", "X-User: 7\r\n", "X-User: 78\r\nX-User: 6\r\n"]) + "\r\n"
    }
}
