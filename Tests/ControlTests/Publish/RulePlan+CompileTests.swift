import Core
import HTTP1
import Model
import RegularExpressions
import Routing
import Testing

@testable import Control
@testable import Proxy

/// Rules as workers get them.
@Suite struct RulePlanCompileTests {
    private func plan(_ conditions: [Condition], _ action: Action = forward([("blue", 1)])) -> RulePlan {
        RulePlan(
            Rule(priority: 7, conditions: conditions, actions: [action]), ["blue": 4, "green": 9], ExpressionCache(),
            limiter: nil)
    }

    /// Whether a rule with this condition applies to a GET of `path` from `host`.
    private func applies(_ condition: Condition, host: String = "a.example", path: String = "/") -> Bool {
        let head = Head()
        var scan = HeadScan()
        let text = Array("GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8)
        guard case .complete = parseRequestHead(text.span, into: head, options: RequestOptions(), scan: &scan),
            let client = SocketAddress(literal: "192.0.2.7", port: 1)
        else { fatalError("not a request") }
        let plan = ListenerPlan(
            id: 0, loadBalancer: "app/web", port: 80, settings: ListenerSettings(LoadBalancerAttributes(), nil),
            rules: [plan([condition])], defaultAction: plan([]).action)
        let decision = plan.decide(
            head, host: head.host, from: ClientFacts(client), scratch: Head(), in: MatchSpace())
        return decision == .apply(rule: 0)
    }

    @Test func itKeepsPriorityGroupsAndWeights() {
        let plan = plan([], forward([("green", 2), ("blue", 998)]))
        #expect(plan.priority == 7 && plan.transforms == nil)
        guard case .forward(let forward) = plan.action else {
            Issue.record("\(plan.action)")
            return
        }
        #expect(forward.groups == [9, 4] && forward.weights == [2, 998] && !forward.isSticky)
    }

    /// A complete name ends with a dot, which is not a part of what is tested; behind a wildcard it is.
    @Test(arguments: [
        ("a.example.", "a.example", true), ("a.example.", "a.example.", true), ("a.example", "a.example.", true),
        ("*.", "a.example", false), ("*.example.", "b.example", true),
    ]) func theLastDotOfANameIsLeftOut(_ pattern: String, _ host: String, applies: Bool) {
        #expect(self.applies(.hostHeader([pattern]), host: host) == applies)
    }

    /// Hosts are the same in any case, paths are not. Source: docs/elbv2.md, "Conditions".
    @Test func expressionsIgnoreCaseWhereTheSubjectDoes() {
        #expect(applies(.hostHeaderRegex(["^A\\.EXAMPLE$"])))
        #expect(applies(.pathPatternRegex(["^/abc$"]), path: "/abc"))
        #expect(!applies(.pathPatternRegex(["^/ABC$"]), path: "/abc"))
    }

    @Test(
        arguments: [
            (nil, nil, "text/plain"), (nil, "hello", "text/plain"), ("text/html", "hello", "text/html"),
            ("application/json", nil, "application/json"),
        ] as [(String?, String?, String)])
    func aBodyHasATypeWhetherItIsNamedOrNot(_ type: String?, _ body: String?, _ result: String) {
        let action = Action.fixedResponse(
            FixedResponse(statusCode: 200, contentType: type, messageBody: body))
        guard case .fixedResponse(let plan) = plan([], action).action else {
            Issue.record("not a fixed response")
            return
        }
        #expect(String(decoding: plan.contentType, as: UTF8.self) == result && plan.status == 200)
        #expect(String(decoding: plan.body, as: UTF8.self) == body ?? "")
    }

    @Test func transformsAreThereWhereTheRuleHasThem() {
        let rule = Rule(
            priority: 1, conditions: [], actions: [forward([("blue", 1)])],
            transforms: [.urlRewrite(RewriteConfig(regex: "^/a", replace: "/b"))])
        #expect(RulePlan(rule, ["blue": 0], ExpressionCache(), limiter: nil).transforms != nil)
    }

    @Test func aGroupThatIsNotThereTraps() async {
        await #expect(processExitsWith: .failure) {
            _ = ActionPlan([forward([("purple", 1)])], ["blue": 0])
        }
    }
}
