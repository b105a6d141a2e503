import Core
import Testing

@testable import Routing

@Suite struct FlowRulesTests {
    private func range(_ first: String, _ length: Int) -> AddressRange {
        AddressRange(SocketAddress(literal: first, port: 0)!, prefixLength: length)
    }

    private func match(_ rules: FlowRules, _ source: String, _ name: String = "") -> Int? {
        let name = Array(name.utf8)
        return rules.firstMatch(source: SocketAddress(literal: source, port: 4000)!, serverName: name.span)
    }

    @Test func firstRuleWithTheClientsNetworkMatches() {
        let rules = FlowRules([
            FlowPattern(sources: [range("10.1.0.0", 16)]),
            FlowPattern(sources: [range("10.0.0.0", 8), range("2001:db8::", 32)]),
        ])
        #expect(!rules.needsServerName)
        #expect(match(rules, "10.1.2.3") == 0)
        #expect(match(rules, "10.2.2.3") == 1)
        #expect(match(rules, "2001:db8::1") == 1)
        #expect(match(rules, "192.0.2.1") == nil)
    }

    @Test func nameMatchesOnlyWithSNI() {
        let rules = FlowRules([
            FlowPattern(serverNames: [Array("db.example.com".utf8)]),
            FlowPattern(serverNames: [Array("*.example.com".utf8)]),
            FlowPattern(serverNames: [Array("*".utf8)]),
        ])
        #expect(rules.needsServerName)
        #expect(match(rules, "10.0.0.1", "db.example.com") == 0)
        #expect(match(rules, "10.0.0.1", "web.example.com") == 1)
        #expect(match(rules, "10.0.0.1", "example.com") == 2)
        #expect(match(rules, "10.0.0.1") == nil)
    }

    @Test func bothConditionsMustHold() {
        let rules = FlowRules([
            FlowPattern(sources: [range("10.0.0.0", 8)], serverNames: [Array("a.example".utf8)]), FlowPattern(),
        ])
        #expect(match(rules, "10.0.0.1", "a.example") == 0)
        #expect(match(rules, "11.0.0.1", "a.example") == 1)
        #expect(match(rules, "10.0.0.1", "b.example") == 1)
    }
}
