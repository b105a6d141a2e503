import Core
import RegularExpressions
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

    private static func pathRegex(_ patterns: String..., ignoresCase: Bool = false) throws -> CompiledCondition {
        .pathRegex(
            PathRegexCondition(try patterns.map { try RegularExpression($0, ignoresCase: ignoresCase) }))
    }

    @Test func expressionsSayHowPathsBegin() throws {
        func paths(_ conditions: CompiledCondition...) -> [String] {
            conditions.paths.map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(paths(try Self.pathRegex("^/a/[0-9]+$", "^/b\\.c")) == ["/a/*", "/b.c*"])
        #expect(paths(try Self.pathRegex("^/a/[0-9]+$", "c$")) == ["*"], "some path may begin with anything")
        #expect(paths(try Self.pathRegex("^/a\\*b")) == ["*"], "the star would be a wildcard")
        #expect(paths(try Self.pathRegex("^/a", ignoresCase: true)) == ["*"], "paths are found by their case")
        #expect(paths(try Self.pathRegex("^/a"), Self.path("/a/b")) == ["/a/b"])
    }

    @Test func rulesOfExpressionsAreFoundByTheBeginningOfThePath() throws {
        let table = RuleTable(
            try (0..<2000).map { [try Self.pathRegex("^/r\($0 / 2)/[\($0 % 2 == 0 ? "a" : "b")]+$")] })
        let space = MatchSpace()
        func found(_ path: String) -> RuleMatch {
            let head = SampleRequest(path: path).head
            table.beginDecision(in: space)
            return table.match(RuleFacts(head, host: head.host, client: .unspecified), in: space)
        }
        #expect(found("/r700/a") == .rule(1400))
        #expect(found("/r700/b") == .rule(1401))
        #expect(found("/r700/c") == .none)
        #expect(found("/r7000/a") == .none)
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
