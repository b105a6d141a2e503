import Testing

@testable import Routing

@Suite struct QueryStringConditionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let key: String?, value: String, query: String, holds: Bool
        init(_ key: String?, _ value: String, _ query: String, _ holds: Bool) {
            self.key = key
            self.value = value
            self.query = query
            self.holds = holds
        }
        var testDescription: String { "\(key ?? "any key") \(value) \(query)" }
    }

    static let cases = [
        Case("version", "v1", "?version=v1", true),
        Case("version", "v1", "?a=b&VERSION=V1&c", true),
        Case("version", "v1", "?version=v2&version=v1", true),
        Case("version", "v1", "?versions=v1", false),
        Case("version", "v1", "?version=v11", false),
        Case("version", "v1", "", false),
        Case("version", "v1", "?", false),
        Case("ver*", "v?", "?version=v9", true),
        Case(nil, "example", "?a=1&b=example", true),
        Case(nil, "example", "?example", false),
        Case(nil, "*", "?a", true),
        Case(nil, "*", "?&&", false),
        Case("a", "*", "?a", true),
        Case("a", "?", "?a=", false),
        Case("", "b", "?=b", true),
        Case("a", "b=c", "?a=b=c", true),
        // Where servers end parameters.
        Case("a", "b", "?a=b;c=d", true), Case("c", "d", "?a=b;c=d", true), Case("a", "b;c=d", "?a=b;c=d", true),
        Case("c", "d", "?a=b;c=e", false), Case("c", "d", "?a=b;;c=d&e", true), Case("a", "b", "?x;a=b", true),
        Case(nil, "a?b", "?q=a?b", true),
        // Escapes of patterns.
        Case(nil, "a\\*b", "?q=a*b", true),
        Case(nil, "a\\*b", "?q=axb", false),
        Case(nil, "a\\?b", "?q=a?b", true),
        Case(nil, "a\\?b", "?q=axb", false),
        Case(nil, "\\\\*", "?q=\\x", true),
        Case("k\\*", "*", "?k*=1", true),
        // Escapes of queries: as they are written, and as a server reads them.
        Case("debug", "1", "?d%65bug=1", true),
        Case("debug", "1", "?debug=%31", true),
        Case("debug", "a?b", "?debug=a+b", true),
        Case("debug", "a?b", "?debug=a%20b", true),
        Case("debug", "a%20b", "?debug=a%20b", true),
        Case("debug", "*%zz", "?debug=%zz", true),
        Case(nil, "*%", "?q=100%", true),
        Case(nil, "*x*y*z", "?q=%78%78+%79%79%7a", true),
        Case(nil, "*x*y*z", "?q=%78%78+%79%79%7", false),
        Case("a", "b", "?a%3Db", false),
        // A plus that is decoded to a space, or stands for itself.
        Case("q", "a+b", "?q=a+%62", true), Case("q", "a?b", "?q=a+%62", true), Case("q", "a b", "?q=a+%62", true),
        Case("a+b", "1", "?%61+b=1", true), Case("q", "a+b", "?q=a%20b", false),
    ]

    @Test(arguments: cases) func looksAtParameters(_ test: Case) {
        let condition = CompiledCondition.queryString(QueryStringCondition([(test.key, test.value)]))
        #expect(SampleRequest(query: test.query).meets(condition) == test.holds)
    }

    @Test func anyPairMayMatch() {
        let condition = CompiledCondition.queryString(QueryStringCondition([("a", "1"), (nil, "2")]))
        for (query, holds) in [("?a=1", true), ("?b=2", true), ("?a=3", false), ("?b=1", false)] {
            #expect(SampleRequest(query: query).meets(condition) == holds, "\(query)")
        }
    }

    /// The cost is at most the product of the lengths: this would take for ever otherwise.
    @Test func aHostileQueryCostsLittle() {
        let pattern = String(repeating: "*a", count: 60) + "b"
        let query = "?q=" + String(repeating: "a%61", count: 3000)
        let condition = CompiledCondition.queryString(QueryStringCondition([(nil, pattern)]))
        #expect(!SampleRequest(query: query).meets(condition))
    }
}
