import Core
import RegularExpressions
import Testing

@testable import Routing

/// The conditions that have regular expressions.
@Suite struct ConditionOutcomeTests {
    private static func expressions(_ patterns: [String], ignoresCase: Bool = true) throws -> [RegularExpression] {
        try patterns.map { try RegularExpression($0, ignoresCase: ignoresCase) }
    }

    @Test(arguments: [
        (["^api-[0-9]+\\.example$"], "api-12.example", ConditionOutcome.holds),
        (["^API"], "api-12.example", .holds), (["^b", "e$"], "a.example", .holds),
        (["^b", "f$"], "a.example", .fails), (["^(a+)+$"], String(repeating: "a", count: 200) + "!", .limit),
        (["a", "^(a+)+$"], String(repeating: "a", count: 200) + "!", .holds),
        (["^(a+)+$", "a"], String(repeating: "a", count: 200) + "!", .limit),
    ])
    func hosts(_ patterns: [String], _ host: String, _ outcome: ConditionOutcome) throws {
        let condition = CompiledCondition.hostRegex(HostRegexCondition(try Self.expressions(patterns)))
        #expect(SampleRequest(host: host).test(condition) == outcome)
    }

    @Test(arguments: [
        ("^/v[0-9]+/", "/v12/a", ConditionOutcome.holds), ("^/V", "/v12/a", .fails), ("a$", "/a?b", .fails),
        ("a$", "/a", .holds),
    ])
    func paths(_ pattern: String, _ path: String, _ outcome: ConditionOutcome) throws {
        let condition = CompiledCondition.pathRegex(
            PathRegexCondition(try Self.expressions([pattern], ignoresCase: false)))
        #expect(SampleRequest(path: path, query: "?a").test(condition) == outcome)
    }

    @Test(arguments: [
        ([("X-A", "one")], ConditionOutcome.holds), ([("x-a", "ONE")], .holds),
        ([("X-A", "two"), ("X-A", "one")], .holds),
        ([("X-B", "one")], .fails), ([], .fails), ([("X-A", String(repeating: "a", count: 99) + "!")], .limit),
    ])
    func fields(_ fields: [(name: String, value: String)], _ outcome: ConditionOutcome) throws {
        let condition = CompiledCondition.httpHeaderRegex(
            HTTPHeaderRegexCondition(name: "X-A", try Self.expressions(["^o.e$", "^(a+)+$"])))
        #expect(SampleRequest(fields: fields).test(condition) == outcome)
    }

    // MARK: In a table

    private func match(_ table: RuleTable, _ request: SampleRequest) -> RuleMatch {
        let head = request.head
        return table.match(
            RuleFacts(head, host: head.host, client: SocketAddress(literal: request.client, port: 1)!), in: MatchSpace()
        )
    }

    @Test func aLimitEndsTheSearchAtItsRule() throws {
        let slow = CompiledCondition.hostRegex(HostRegexCondition(try Self.expressions(["^(a+)+$"])))
        let table = RuleTable([
            [.pathPattern(PathPatternCondition(["/first"]))],
            [slow, .requestMethod(RequestMethodCondition(["PUT"]))],
            [slow, .requestMethod(RequestMethodCondition(["GET"]))],
            [.pathPattern(PathPatternCondition(["/last"]))],
        ])
        #expect(table.hasExpressions && table.looksAtPaths)
        let host = String(repeating: "a", count: 200) + "!"
        #expect(match(table, SampleRequest(host: host, path: "/first")) == .rule(0))
        // What is cheap is tested first: the second rule fails without its expression.
        #expect(match(table, SampleRequest(host: host, path: "/last")) == .limit(rule: 2))
        #expect(match(table, SampleRequest(method: "POST", host: host, path: "/last")) == .rule(3))
        #expect(match(table, SampleRequest(method: "POST", host: host, path: "/")) == .none)
        #expect(match(table, SampleRequest(host: "aaa", path: "/last")) == .rule(2))
    }

    @Test func aConditionThatFailsOutweighsALimit() throws {
        let slow = CompiledCondition.hostRegex(HostRegexCondition(try Self.expressions(["^(a+)+$"])))
        let field = CompiledCondition.httpHeaderRegex(
            HTTPHeaderRegexCondition(name: "X-A", try Self.expressions(["^b$"])))
        let table = RuleTable([[slow, field], [field, slow], []])
        var request = SampleRequest(host: String(repeating: "a", count: 200) + "!")
        #expect(match(table, request) == .rule(2))
        request.fields = [("X-A", "c")]
        #expect(match(table, request) == .rule(2))
        request.fields = [("X-A", "b")]
        #expect(match(table, request) == .limit(rule: 0))
    }

    /// What an expression has found in the host is not searched for again with another reading of the path.
    @Test func hostsAreSearchedOnce() throws {
        let patterns = try Self.expressions(["^a"], ignoresCase: true)
        let table = RuleTable([[.hostRegex(HostRegexCondition(patterns)), .pathPattern(PathPatternCondition(["/b"]))]])
        let head = SampleRequest(host: "a.example", path: "/b").head
        let facts = RuleFacts(head, host: head.host, client: .unspecified)
        let space = MatchSpace()
        table.beginDecision(in: space)
        #expect(table.match(facts, in: space) == .rule(0) && space.verdict(0) == ConditionOutcome.holds.rawValue)
        space.note(ConditionOutcome.fails.rawValue, 0)
        #expect(table.match(facts, in: space) == .none)
        table.beginDecision(in: space)
        #expect(table.match(facts, in: space) == .rule(0))
    }

    /// A rule by a regular expression for paths is not to be walked around by another way of writing them.
    @Test(arguments: [
        ("/%61dmin", true), ("/x;/../admin", true), ("//admin", true), ("/other", false), ("/admin", false),
        ("/" + String(repeating: "%61", count: 200) + "!", true),
    ])
    func otherReadingsAreMatchedAsWell(_ path: String, _ isAmbiguous: Bool) throws {
        let patterns = try Self.expressions(["^/admin", "^/(a+)+$"], ignoresCase: false)
        let table = RuleTable([[.pathRegex(PathRegexCondition(patterns))]])
        let head = SampleRequest(path: path).head
        let space = MatchSpace()
        let facts = RuleFacts(head, host: head.host, client: .unspecified)
        let outcome = table.match(facts, in: space)
        let rule: Int? = outcome == .rule(0) ? 0 : nil
        #expect(outcome == (path == "/admin" ? .rule(0) : .none))
        let found = table.isAmbiguous(facts, matched: rule, scratch: Head(), in: space)
        #expect(found == isAmbiguous)
    }
}
