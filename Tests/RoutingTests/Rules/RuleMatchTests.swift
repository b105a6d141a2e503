import Core
import Foundation
import RegularExpressions
import Testing

@testable import Routing

/// What the compiled table says is what the rules say: in the order of their priority, all conditions of each tested.
@Suite struct RuleMatchTests {
    /// Requests that are tried; `make rules` tries a million, which takes a minute.
    private static let requestCount =
        ProcessInfo.processInfo.environment["RULE_REQUESTS"].flatMap { Int($0) } ?? 20_000
    private static let requestsPerTable = 40
    private static let seeds: Range<UInt64> = 1..<5

    /// Patterns that match some of the texts, and two that backtrack without end on others.
    private static let patterns = [
        "^a", "b$", "^(a+)+$", "a.*b", "^[ab]{2,3}$", "(?:a|aa)+c", "/b", "[^a]$", "^/a", "^/b[ab]?", "^/\\*?a",
    ]
    private static func expressions() throws -> [RegularExpression] {
        try patterns.flatMap { pattern in
            try [true, false].map { try RegularExpression(pattern, ignoresCase: $0) }
        }
    }
    private static let long = String(repeating: "a", count: 40)

    /// The definition that the table is an optimisation of.
    private static func plain(
        _ rules: [[CompiledCondition]], _ facts: borrowing RuleFacts, in space: MatchSpace
    ) -> RuleMatch {
        for (index, conditions) in rules.enumerated() {
            var outcome = ConditionOutcome.holds
            for condition in conditions where outcome != .fails {
                let tested = condition.test(facts, in: space)
                if tested != .holds { outcome = tested }
            }
            switch outcome {
            case .holds: return .rule(index)
            case .limit: return .limit(rule: index)
            case .fails: continue
            }
        }
        return .none
    }

    /// Thousands of parameters with the key of a rule cost one test of that rule, not one each.
    @Test(arguments: [
        ["a"], ["a", "c"], ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"],
    ])
    func repeatedFactsAreTestedOnce(keys: [String]) {
        let rules = keys.map { key in
            [CompiledCondition.queryString(QueryStringCondition([(key: key, value: "1*")]))]
        }
        let table = RuleTable(rules + rules + [[CompiledCondition.requestMethod(RequestMethodCondition(["PUT"]))]])
        let query = (0..<20_000).map { keys[$0 % keys.count] }.joined(separator: "&")
        let head = SampleRequest(method: "GET", query: "?" + query).head
        let facts = RuleFacts(head, host: head.host, client: .unspecified)
        #expect(table.firstMatch(facts) == nil)
        let last = SampleRequest(method: "GET", query: "?" + query + "&" + keys[keys.count - 1] + "=12").head
        #expect(table.firstMatch(RuleFacts(last, host: last.host, client: .unspecified)) == keys.count - 1)
    }

    @Test(arguments: seeds) func theTableIsTheDefinition(_ seed: UInt64) throws {
        var world = World(seed: seed, try Self.expressions())
        let space = MatchSpace()
        var kinds: Set<String> = []
        for _ in 0..<(Self.requestCount / Self.seeds.count / Self.requestsPerTable) {
            let rules = (0..<world.random.next(below: 30)).map { _ in world.conditions() }
            let table = RuleTable(rules)
            for _ in 0..<Self.requestsPerTable {
                let request = world.request()
                let head = request.head
                let facts = RuleFacts(
                    head, host: head.host, client: SocketAddress(literal: request.client, port: 4000)!)
                table.beginDecision(in: space)
                let found = table.match(facts, in: space)
                space.beginDecision()
                let expected = Self.plain(rules, facts, in: space)
                guard found == expected else {
                    Issue.record("seed \(seed): \(found), expected \(expected), for \(request) by \(rules)")
                    return
                }
                switch found {
                case .rule: kinds.insert("rule")
                case .none: kinds.insert("none")
                case .limit: kinds.insert("limit")
                }
            }
        }
        #expect(kinds == ["rule", "none", "limit"], "some outcome never came: the test checks too little")
    }

    /// Random rules and requests of few words, so that they often meet.
    private struct World {
        var random: FastRandom
        let expressions: [RegularExpression]

        init(seed: UInt64, _ expressions: [RegularExpression]) {
            random = FastRandom(seed: seed)
            self.expressions = expressions
        }

        mutating func any<Element>(of list: [Element]) -> Element { list[random.next(below: list.count)] }
        mutating func some<Element>(_ countMax: Int, _ make: (inout World) -> Element) -> [Element] {
            (0...random.next(below: countMax)).map { _ in make(&self) }
        }

        mutating func text(_ alphabet: [String], _ countMax: Int) -> String {
            (0..<random.next(below: countMax + 1)).map { _ in any(of: alphabet) }.joined()
        }

        mutating func expressionList() -> [RegularExpression] { some(2) { $0.any(of: $0.expressions) } }

        mutating func conditions() -> [CompiledCondition] {
            var conditions: [CompiledCondition] = []
            if random.next(below: 3) == 0 {
                conditions.append(.hostHeader(HostHeaderCondition(some(2) { $0.text(["a", "B", ".", "*", "?"], 4) })))
            }
            if random.next(below: 3) == 0 {
                conditions.append(
                    .pathPattern(PathPatternCondition(some(2) { "/" + $0.text(["a", "b", "/", "*", "?"], 4) })))
            }
            for _ in 0..<random.next(below: 3) { conditions.append(other()) }
            return conditions
        }

        /// A condition of another kind than host and path.
        mutating func other() -> CompiledCondition {
            switch random.next(below: 10) {
            case 0: return .requestMethod(RequestMethodCondition(some(2) { $0.any(of: ["GET", "PUT", "A"]) }))
            case 1, 2:
                return .httpHeader(
                    HTTPHeaderCondition(
                        name: any(of: ["X-A", "x-b", "Upgrade"]), some(3) { $0.text(["a", "B", "*", "?"], 3) }))
            case 3, 4:
                return .queryString(
                    QueryStringCondition(
                        some(3) { world in
                            let key = world.text(["a", "b", "+", "*", "\\*", "?"], 2)
                            return (
                                world.random.next(below: 3) == 0 ? nil : key,
                                world.text(["a", "B", "+", "*", "\\?"], 2)
                            )
                        }))
            case 5:
                return .sourceIP(
                    SourceIPCondition(
                        some(2) {
                            AddressRange(
                                SocketAddress(literal: $0.any(of: ["10.1.2.3", "10.1.9.9", "2001:db8::1"]), port: 0)!,
                                prefixLength: Int($0.any(of: [0, 8, 24, 32])))
                        }))
            case 6: return .sourceFamily(SourceFamilyCondition(any(of: [.ipv4, .ipv6])))
            case 7, 8:
                return random.next(below: 2) == 0
                    ? .hostRegex(HostRegexCondition(expressionList()))
                    : .pathRegex(PathRegexCondition(expressionList()))
            default:
                return .httpHeaderRegex(
                    HTTPHeaderRegexCondition(name: any(of: ["X-A", "X-B"]), expressionList()))
            }
        }

        mutating func request() -> SampleRequest {
            var request = SampleRequest()
            request.method = any(of: ["GET", "PUT", "get", "A"])
            request.host = random.next(below: 5) == 0 ? RuleMatchTests.long + "-" : "a" + text(["a", "b", "."], 3)
            request.path = random.next(below: 20) == 0 ? "/" + RuleMatchTests.long : "/" + text(["a", "b", "/"], 4)
            if random.next(below: 2) == 0 {
                request.query = "?" + text(["a", "b", "A", "=", "&", "%61", "%2A", "+", ";", "*", "?", "a=b"], 5)
            }
            for _ in 0..<random.next(below: 4) {
                let value = random.next(below: 5) == 0 ? RuleMatchTests.long + "!" : text(["a", "b", "A", " "], 3)
                request.fields.append((any(of: ["x-a", "X-B", "X-C", "upgrade"]), value))
            }
            request.client = any(of: ["10.1.2.3", "10.1.2.4", "10.200.0.1", "2001:db8::1", "::1"])
            return request
        }
    }
}
