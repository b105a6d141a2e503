import Core
import Testing

@testable import Routing

@Suite struct RuleTableTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let why: String
        let patterns: [RulePattern]
        let requests: [(host: String, path: String, rule: Int?)]
        var testDescription: String { why }
    }

    private static func rule(_ hosts: [String] = [], _ paths: [String] = []) -> RulePattern {
        RulePattern(hosts: hosts, paths: paths)
    }

    static let cases = [
        Case(why: "no rules: the default action", patterns: [], requests: [("a", "/", nil), ("", "", nil)]),
        Case(
            why: "a rule without conditions matches everything",
            patterns: [rule()], requests: [("a", "/", 0), ("", "*", 0)]),
        Case(
            why: "exact host, in any case of the configuration",
            patterns: [rule(["API.Example.com"])],
            requests: [("api.example.com", "/x", 0), ("example.com", "/x", nil), ("xapi.example.com", "/", nil)]),
        Case(
            why: "exact path, in this case only",
            patterns: [rule([], ["/a"])],
            requests: [("h", "/a", 0), ("h", "/A", nil), ("h", "/a/", nil), ("h", "/", nil)]),
        Case(
            why: "a prefix does not match without its slash",
            patterns: [rule([], ["/img/*"])], requests: [("h", "/img", nil), ("h", "/img/", 0), ("h", "/img/a/b", 0)]),
        Case(
            why: "the first rule wins, not the longest prefix",
            patterns: [rule([], ["/a/*"]), rule([], ["/a/b/*"]), rule([], ["/a/b/c"])],
            requests: [("h", "/a/b/c", 0), ("h", "/a/b/d", 0)]),
        Case(
            why: "a longer prefix first",
            patterns: [rule([], ["/a/b/*"]), rule([], ["/a/*"]), rule([], ["*"])],
            requests: [("h", "/a/b/c", 0), ("h", "/a/x", 1), ("h", "/b", 2)]),
        Case(
            why: "host and path are joined by AND",
            patterns: [rule(["a.com"], ["/x"]), rule(["b.com"], ["/y"]), rule(["a.com"])],
            requests: [("a.com", "/x", 0), ("a.com", "/y", 2), ("b.com", "/y", 1), ("b.com", "/x", nil)]),
        Case(
            why: "values are joined by OR",
            patterns: [rule(["a.com", "*.b.com"], ["/x", "/y/*", "*.png"])],
            requests: [
                ("a.com", "/x", 0), ("q.b.com", "/y/1", 0), ("a.com", "/q.png", 0), ("b.com", "/x", nil),
                ("a.com", "/z", nil),
            ]),
        Case(
            why: "host suffixes, nested",
            patterns: [rule(["*.b.example.com"], ["/x"]), rule(["*.example.com"]), rule(["*"])],
            requests: [
                ("a.b.example.com", "/x", 0), ("a.b.example.com", "/y", 1), ("b.example.com", "/x", 1),
                ("example.com", "/x", 2), (".example.com", "/x", 1),
            ]),
        Case(
            why: "a shorter suffix in an earlier rule wins over the exact host",
            patterns: [rule(["*.com"], ["/x"]), rule(["a.com"])], requests: [("a.com", "/x", 0), ("a.com", "/y", 1)]),
        Case(
            why: "wildcards inside hosts and paths",
            patterns: [rule(["api-?.example.com"], ["/v?/users/*/name"]), rule(["api.*"]), rule([], ["*/admin*"])],
            requests: [
                ("api-1.example.com", "/v2/users/7/name", 0), ("api-12.example.com", "/v2/users/7/name", nil),
                ("api.net", "/", 1), ("h", "/x/administrator", 2), ("api.net", "/admin", 1),
            ]),
        Case(
            why: "an earlier wildcard beats a later literal, and the reverse",
            patterns: [rule([], ["/a*c"]), rule([], ["/abc"]), rule([], ["/abd"]), rule([], ["/?bd"])],
            requests: [("h", "/abc", 0), ("h", "/abd", 2), ("h", "/xbd", 3)]),
        Case(
            why: "a request's own asterisk is only a byte",
            patterns: [rule([], ["/a"]), rule([], ["/**"])], requests: [("h", "*", nil), ("h", "/*", 1)]),
        Case(
            why: "the same value in many rules: the first",
            patterns: [
                rule([], ["/q"]), rule(["a.com"], ["/x"]), rule(["a.com"], ["/x"]), rule(["A.com"], ["/x", "/z"]),
            ],
            requests: [("a.com", "/x", 1), ("a.com", "/z", 3)]),
    ]

    @Test(arguments: cases) func table(_ test: Case) {
        let table = RuleTable(test.patterns)
        for (host, path, rule) in test.requests {
            #expect(match(table, host, path) == rule, "\(host) \(path)")
            #expect(reference(test.patterns, Array(host.utf8), Array(path.utf8)) == rule, "\(host) \(path)")
        }
    }

    /// `firstMatch` for text, since `#expect` cannot capture a span.
    private func match(_ table: RuleTable, _ host: String, _ path: String) -> Int? {
        let host = Array(host.utf8)
        let path = Array(path.utf8)
        return table.firstMatch(host: host.span, path: path.span)
    }

    /// A reference implementation that tries every rule and value in order.
    private func reference(_ patterns: [RulePattern], _ host: [UInt8], _ path: [UInt8]) -> Int? {
        patterns.firstIndex { pattern in
            (pattern.hosts.isEmpty || pattern.hosts.contains { referenceMatches(Array($0.lowercased().utf8), host) })
                && (pattern.paths.isEmpty || pattern.paths.contains { referenceMatches(Array($0.utf8), path) })
        }
    }

    /// Texts over a small alphabet, so that values often collide, nest and shadow each other.
    @Test(arguments: 1...10 as ClosedRange<UInt64>) func agreesWithTheReference(_ seed: UInt64) {
        var random = FastRandom(seed: seed)
        var found = Set<Int?>()
        for _ in 0..<60 {
            let wildness = random.next(below: 4)
            let patterns = (0..<random.next(below: 25)).map { _ in
                RulePattern(
                    hosts: (0..<random.next(below: 4)).map { _ in randomValue("aB.", wildness, &random) },
                    paths: (0..<random.next(below: 4)).map { _ in "/" + randomValue("aB/", wildness, &random) })
            }
            let table = RuleTable(patterns)
            for _ in 0..<60 {
                let host = randomText(from: "ab.", upTo: 6, &random)
                let path = [UInt8.slash] + randomText(from: "aB/", upTo: 6, &random)
                let rule = match(table, asText(host), asText(path))
                #expect(rule == reference(patterns, host, path), "\(asText(host)) \(asText(path)) \(patterns)")
                found.insert(rule)
            }
        }
        #expect(found.count > 10 && found.contains(nil))
    }

    /// A value with wildcards at its ends or, with higher `wildness` more often, inside.
    private func randomValue(_ alphabet: String, _ wildness: Int, _ random: inout FastRandom) -> String {
        var text = String(decoding: randomText(from: alphabet, upTo: 4, &random), as: UTF8.self)
        switch random.next(below: 4) {
        case 0: text = "*" + text
        case 1: text += "*"
        default: break
        }
        for _ in 0..<random.next(below: wildness + 1) {
            let index = text.index(text.startIndex, offsetBy: random.next(below: text.count + 1))
            text.insert(random.next(below: 2) == 0 ? "*" : "?", at: index)
        }
        return text
    }

    @Test func tenThousandRulesEachFound() {
        let patterns = (0..<10_000).map { index in
            switch index % 4 {
            case 0: RulePattern(hosts: ["h\(index).example.com"])
            case 1: RulePattern(paths: ["/p\(index)/*"])
            case 2: RulePattern(hosts: ["*.s\(index).example.com"], paths: ["/x/\(index)"])
            default: RulePattern(hosts: ["shared.example.com"], paths: ["/q/\(index)"])
            }
        }
        let table = RuleTable(patterns)
        for index in patterns.indices {
            let (host, path) =
                switch index % 4 {
                case 0: ("h\(index).example.com", "/any")
                case 1: ("other", "/p\(index)/x")
                case 2: ("a.s\(index).example.com", "/x/\(index)")
                default: ("shared.example.com", "/q/\(index)")
                }
            #expect(match(table, host, path) == index)
        }
        #expect(match(table, "none", "/p") == nil)
    }

    // MARK: Conditions beside host and path

    private static func network(_ first: String, _ length: Int) -> CompiledCondition {
        .sourceIP(SourceIPCondition([AddressRange(SocketAddress(literal: first, port: 0)!, prefixLength: length)]))
    }

    private static func names(_ values: String...) -> CompiledCondition { .serverName(ServerNameCondition(values)) }

    private func match(_ table: RuleTable, _ host: String, _ path: String, from client: String) -> Int? {
        let (host, path) = (Array(host.utf8), Array(path.utf8))
        return table.firstMatch(
            RuleFacts(host: host.span, path: path.span, client: SocketAddress(literal: client, port: 4000)!))
    }

    private func match(_ table: RuleTable, flowFrom client: String, _ name: String = "") -> Int? {
        let name = Array(name.utf8)
        return table.firstMatch(
            RuleFacts(client: SocketAddress(literal: client, port: 4000)!, serverName: name.span))
    }

    @Test func theNextCandidateIsTriedWhereAConditionDoesNotHold() {
        let table = RuleTable([
            [.pathPattern(PathPatternCondition(["/a"])), Self.network("10.0.0.0", 8)],
            [.pathPattern(PathPatternCondition(["/a*"])), Self.network("11.0.0.0", 8)],
            [.hostHeader(HostHeaderCondition(["h"])), Self.network("12.0.0.0", 8)],
            [.pathPattern(PathPatternCondition(["/a", "*a?b"]))],
            [Self.network("13.0.0.0", 8)],
        ])
        #expect(match(table, "h", "/a", from: "10.0.0.1") == 0)
        #expect(match(table, "h", "/a", from: "11.0.0.1") == 1)
        #expect(match(table, "h", "/a", from: "12.0.0.1") == 2)
        #expect(match(table, "i", "/a", from: "12.0.0.1") == 3)
        #expect(match(table, "h", "/axb", from: "14.0.0.1") == 3, "a value with inner wildcards")
        #expect(match(table, "i", "/c", from: "13.0.0.1") == 4)
        #expect(match(table, "i", "/c", from: "14.0.0.1") == nil)
    }

    /// Of many rules for the same host and path each may be the one.
    @Test(arguments: 1...10 as ClosedRange<UInt64>) func agreesWithTestingEveryCondition(_ seed: UInt64) {
        var random = FastRandom(seed: seed)
        var found = Set<Int?>()
        for _ in 0..<60 {
            let rules = (0..<random.next(below: 25)).map { _ in
                var conditions = RulePattern(
                    hosts: (0..<random.next(below: 3)).map { _ in randomValue("aB.", 1, &random) },
                    paths: (0..<random.next(below: 3)).map { _ in "/" + randomValue("aB/", 1, &random) }
                ).conditions
                if random.next(below: 2) == 0 { conditions.append(Self.network("10.0.0.\(random.next(below: 4))", 32)) }
                return conditions
            }
            let table = RuleTable(rules)
            for _ in 0..<60 {
                let host = randomText(from: "ab.", upTo: 6, &random)
                let path = [UInt8.slash] + randomText(from: "aB/", upTo: 6, &random)
                let client = SocketAddress(literal: "10.0.0.\(random.next(below: 4))", port: 4000)!
                let facts = RuleFacts(host: host.span, path: path.span, client: client)
                var expected: Int?
                for (index, conditions) in rules.enumerated() where expected == nil {
                    var holds = true
                    for condition in conditions where !condition.matches(facts) { holds = false }
                    if holds { expected = index }
                }
                let rule = table.firstMatch(facts)
                #expect(rule == expected, "\(asText(host)) \(asText(path)) \(client) \(rules)")
                found.insert(rule)
            }
        }
        #expect(found.count > 10 && found.contains(nil))
    }

    // MARK: Connections that are passed on

    @Test func theFirstRuleWhoseNetworkHasTheClientDecides() {
        let v6 = AddressRange(SocketAddress(literal: "2001:db8::", port: 0)!, prefixLength: 32)
        let v4 = AddressRange(SocketAddress(literal: "10.0.0.0", port: 0)!, prefixLength: 8)
        let table = RuleTable([[Self.network("10.1.0.0", 16)], [.sourceIP(SourceIPCondition([v4, v6]))]])
        #expect(!table.needsServerName)
        #expect(match(table, flowFrom: "10.1.2.3") == 0)
        #expect(match(table, flowFrom: "10.2.2.3") == 1)
        #expect(match(table, flowFrom: "2001:db8::1") == 1)
        #expect(match(table, flowFrom: "192.0.2.1") == nil)
    }

    @Test func aNameMustBeAskedForToMatch() {
        let table = RuleTable([[Self.names("db.example.com")], [Self.names("*.Example.com")], [Self.names("*")]])
        #expect(table.needsServerName)
        #expect(match(table, flowFrom: "10.0.0.1", "db.example.com") == 0)
        #expect(match(table, flowFrom: "10.0.0.1", "web.example.com") == 1)
        #expect(match(table, flowFrom: "10.0.0.1", "example.com") == 2)
        #expect(match(table, flowFrom: "10.0.0.1") == nil)
    }

    @Test func bothConditionsMustHold() {
        let table = RuleTable([[Self.network("10.0.0.0", 8), Self.names("a.example")], []])
        #expect(match(table, flowFrom: "10.0.0.1", "a.example") == 0)
        #expect(match(table, flowFrom: "11.0.0.1", "a.example") == 1)
        #expect(match(table, flowFrom: "10.0.0.1", "b.example") == 1)
    }
}
