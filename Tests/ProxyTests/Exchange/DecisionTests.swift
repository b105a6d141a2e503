import Core
import HTTP1
import RegularExpressions
import Routing
import TLS
import Testing

@testable import Proxy

@Suite struct DecisionTests {
    private static let plan = ListenerPlan(
        id: 0, loadBalancer: "app/web", port: 80, settings: Plans.settings,
        rules: [
            RulePlan(
                priority: 10, conditions: [.hostHeader(HostHeaderCondition(["api.example"]))],
                action: Plans.fixed(200)),
            RulePlan(
                priority: 20, conditions: [.pathPattern(PathPatternCondition(["/admin*"]))], action: Plans.fixed(403)),
        ], defaultAction: Plans.fixed(404))

    private func head(_ target: String, host: String = "www.example", fields: String = "") -> Head {
        let head = Head()
        var scan = HeadScan()
        let text = Array("GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\(fields)\r\n".utf8)
        guard case .complete = parseRequestHead(text.span, into: head, options: RequestOptions(), scan: &scan) else {
            fatalError("\(target) is no request")
        }
        return head
    }

    private let client = Plans.address("192.0.2.7", 50_000)

    private func decide(_ head: Head, by plan: ListenerPlan = plan) -> Decision {
        plan.decide(head, host: head.host, from: ClientFacts(client), scratch: Head(), in: MatchSpace())
    }

    @Test(arguments: [
        ("api.example", "/admin", 0), ("API.example:80", "/", 0), ("www.example", "/admin", 1),
        ("www.example", "/", nil),
    ]) func findsTheRule(host: String, target: String, rule: Int?) {
        #expect(decide(head(target, host: host)) == .apply(rule: rule))
    }

    @Test func aPathThatTargetsMayReadAsAnotherIsRejected() {
        #expect(decide(head("/%2561dmin")) == .ambiguousPath)
        #expect(decide(head("/%2561dmin", host: "api.example")) == .apply(rule: 0), "every reading has the same rule")
    }

    @Test func aLimitOfARegularExpressionIsNoMatchAndNoMismatch() throws {
        let slow = try RegularExpression("^(a+)+$", ignoresCase: true)
        let plan = ListenerPlan(
            id: 0, loadBalancer: "app/web", port: 80, settings: Plans.settings,
            rules: [
                RulePlan(
                    priority: 10, conditions: [.hostRegex(HostRegexCondition([slow]))], action: Plans.fixed(403)),
                RulePlan(
                    priority: 20, conditions: [.pathPattern(PathPatternCondition(["/*"]))], action: Plans.fixed(200)),
            ], defaultAction: Plans.fixed(404))
        let hostile = String(repeating: "a", count: 100) + "-"
        #expect(decide(head("/", host: hostile), by: plan) == .regexLimit(rule: 0))
        #expect(decide(head("/", host: "aaa"), by: plan) == .apply(rule: 0))
        #expect(decide(head("/", host: "b"), by: plan) == .apply(rule: 1))
    }

    @Test func tooManyForwardedAddressesAreRejected() {
        let addresses = String(repeating: "10.0.0.1, ", count: Limits.forwardedAddressesMax - 1) + "10.0.0.1"
        #expect(decide(head("/", fields: "X-Forwarded-For: \(addresses)\r\n")) == .apply(rule: nil))
        #expect(
            decide(head("/", fields: "X-Forwarded-For: \(addresses)\r\nX-Forwarded-For: 10.0.0.1\r\n"))
                == .tooManyForwardedAddresses)
    }

    @Test(arguments: [
        (TLSServerConfiguration.ClientAuthenticationMode.off, "other.example", false), (.verify, "www.example", false),
        (.verify, "other.example", true), (.passthrough, "other.example", true), (.verify, "", false),
    ]) func aCertificateForAnotherNameIsMisdirected(
        mode: TLSServerConfiguration.ClientAuthenticationMode, serverName: String, isMisdirected: Bool
    ) {
        let head = head("/"), name = Array(serverName.utf8)
        let facts = ClientFacts(client, authentication: mode, serverName: name.span)
        let decision = Self.plan.decide(head, host: head.host, from: facts, scratch: Head(), in: MatchSpace())
        #expect(decision == (isMisdirected ? .misdirected : .apply(rule: nil)))
    }
}
