import Core
import Testing

@testable import Proxy

@Suite struct AccessPlanTests {
    private static func set(_ networks: [(String, Int)]?) -> AddressSet? {
        networks.map { AddressSet($0.map { AddressRange(Plans.address($0.0, 0), prefixLength: $0.1) }) }
    }

    /// What both lists say, and who is taken.
    struct Case: Sendable, CustomTestStringConvertible {
        let why: String
        let allowed: [(String, Int)]?, denied: [(String, Int)]?
        let taken: [String], refused: [String]
        var testDescription: String { why }
    }

    static let cases = [
        Case(
            why: "an allow list takes nobody else", allowed: [("10.0.0.0", 8)], denied: nil,
            taken: ["10.1.2.3"], refused: ["11.0.0.1", "::1"]),
        Case(
            why: "a deny list takes everybody else", allowed: nil, denied: [("10.0.0.0", 8)],
            taken: ["11.0.0.1", "2001:db8::1"], refused: ["10.1.2.3"]),
        Case(
            why: "deny wins, however narrow the other is", allowed: [("10.1.2.3", 32), ("10.2.0.0", 16)],
            denied: [("10.1.0.0", 16)], taken: ["10.2.3.4"], refused: ["10.1.2.3", "10.3.0.0"]),
        Case(
            why: "a list that is there and empty allows nobody", allowed: [], denied: nil, taken: [],
            refused: ["10.1.2.3", "::1"]),
        Case(why: "one that denies nobody", allowed: nil, denied: [], taken: ["10.1.2.3", "::1"], refused: []),
    ]

    @Test(arguments: cases) func saysWhoIsTaken(_ test: Case) {
        let plan = AccessPlan(
            allowed: Self.set(test.allowed), denied: Self.set(test.denied), denials: DenialCounters())
        for literal in test.taken { #expect(plan.admits(Plans.address(literal, 4711)), "\(literal)") }
        for literal in test.refused { #expect(!plan.admits(Plans.address(literal, 4711)), "\(literal)") }
    }
}
