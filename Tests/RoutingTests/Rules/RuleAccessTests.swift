import Core
import Testing

@testable import Routing

@Suite struct RuleAccessTests {
    private static func header(_ value: String) -> CompiledCondition {
        .httpHeader(HTTPHeaderCondition(name: "X-Tenant", [value]))
    }
    private static func host(_ value: String) -> CompiledCondition { .hostHeader(HostHeaderCondition([value])) }
    private static func path(_ value: String) -> CompiledCondition { .pathPattern(PathPatternCondition([value])) }
    private static let method = CompiledCondition.requestMethod(RequestMethodCondition(["GET"]))

    @Test func hostAndPathComeFirstWhereTheyAreAsGood() {
        let rules = (0..<50).map { [Self.host("h\($0)"), Self.header("t\($0)")] }
        let access = RuleAccess(rules)
        #expect(rules.allSatisfy { access.condition(of: $0) == nil })
    }

    @Test func aConditionThatFewerRulesShareIsBetter() {
        let rules = (0..<50).map { [Self.host("same"), Self.path("/same"), Self.method, Self.header("t\($0)")] }
        let access = RuleAccess(rules)
        #expect(rules.allSatisfy { access.condition(of: $0) == $0[3] })
    }

    @Test func wildcardsInsideAreTriedOneByOne() {
        let rules = (0..<50).map { [Self.path("/a*b*\($0)"), Self.header("t\($0)")] }
        let access = RuleAccess(rules)
        #expect(rules.allSatisfy { access.condition(of: $0) == $0[1] })
    }

    @Test func patternsOfAFieldAreFoundByItsName() {
        var rules = (0..<50).map { _ in [Self.header("a*")] }
        rules.append([.httpHeader(HTTPHeaderCondition(name: "X-Other", ["a*"]))])
        let access = RuleAccess(rules)
        #expect(access.condition(of: rules[50]) == rules[50][0])
        #expect(access.condition(of: rules[0]) == rules[0][0], "50 of 51 rules are better than 51")
    }

    /// Without the index this would take minutes: each request would test 10,000 rules.
    @Test func tenThousandRulesAreFoundByTheirTenant() {
        let rules = (0..<10_000).map { [Self.header("t\($0)"), Self.method] }
        let table = RuleTable(rules)
        for number in stride(from: 0, to: 10_000, by: 37) {
            let head = SampleRequest(fields: [("X-Tenant", "T\(number)")]).head
            let rule = table.firstMatch(RuleFacts(head, host: head.host, client: .unspecified))
            #expect(rule == number)
        }
    }
}
