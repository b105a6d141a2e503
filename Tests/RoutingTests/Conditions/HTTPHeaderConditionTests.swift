import Core
import Testing

@testable import Routing

@Suite struct HTTPHeaderConditionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String, values: [String], fields: [(name: String, value: String)], holds: Bool
        init(_ name: String, _ values: [String], _ fields: [(name: String, value: String)], _ holds: Bool) {
            self.name = name
            self.values = values
            self.fields = fields
            self.holds = holds
        }
        var testDescription: String { "\(name) \(values) \(fields)" }
    }

    static let cases = [
        Case("X-Env", ["prod"], [("x-env", "PROD")], true),
        Case("x-env", ["PROD"], [("X-ENV", "prod")], true),
        Case("X-Env", ["prod"], [("X-Env", "production")], false),
        Case("X-Env", ["prod*"], [("X-Env", "production")], true),
        Case("X-Env", ["p?od"], [("X-Env", "pr")], false),
        Case("X-Env", ["a", "b"], [("X-Env", "b")], true),
        Case("X-Env", ["b"], [("X-Env", "a"), ("X-Env", "b")], true),
        Case("X-Env", ["a, b"], [("X-Env", "a"), ("X-Env", "b")], false),
        Case("X-Env", ["*"], [("X-Env", "")], true),
        Case("X-Env", ["?"], [("X-Env", "")], false),
        Case("X-Env", ["*"], [("X-Envy", "a")], false),
        Case("X-Env", ["*"], [], false),
        Case("User-Agent", ["*chrome*"], [("user-agent", "Mozilla/5.0 Chrome/99 Safari")], true),
        Case("User-Agent", ["*chrome*"], [("user-agents", "Chrome")], false),
        Case("Cookie", ["*session=\\*"], [("cookie", "a=1; session=\\x")], true),
        Case("X-Amzn-Tls-Version", ["*"], [("X-Amzn-Tls-Version", "forged")], false),
        Case("X-Forwarded-Proto", ["https"], [("X-Forwarded-Proto", "https")], false),
        Case("x-forwarded-port", ["*"], [("X-Forwarded-Port", "443")], false),
        Case("Connection", ["upgrade"], [("Connection", "Upgrade")], true),
    ]

    @Test(arguments: cases) func looksAtFieldsOfTheName(_ test: Case) {
        let condition = CompiledCondition.httpHeader(HTTPHeaderCondition(name: test.name, test.values))
        #expect(SampleRequest(fields: test.fields).meets(condition) == test.holds)
    }

    /// What the parsers remove is for this hop: HTTP's own fields count, fields that the client asks to drop do not.
    @Test(arguments: [("Upgrade", true), ("Expect", true), ("X-Mine", false)])
    func removedFieldsOfHTTPCount(_ name: String, _ holds: Bool) {
        let head = SampleRequest(fields: [(name, "v")]).head
        head.removeField(0)
        let facts = RuleFacts(head, host: head.host, client: .unspecified)
        let isMet = CompiledCondition.httpHeader(HTTPHeaderCondition(name: name, ["v"])).matches(facts)
        #expect(isMet == holds)
    }

    @Test func aFlowHasNone() {
        let facts = RuleFacts(client: .unspecified, serverName: Span())
        let isMet = CompiledCondition.httpHeader(HTTPHeaderCondition(name: "a", ["*"])).matches(facts)
        #expect(!isMet)
    }
}
