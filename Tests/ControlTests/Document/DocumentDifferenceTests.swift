import Model
import Testing

@testable import Control

@Suite struct DocumentDifferenceTests {
    private static let base = Document(
        loadBalancers: [loadBalancer("web", port: 80, forwardingTo: [("blue", 1)])],
        targetGroups: [group("blue", [TargetDescription(id: "10.0.0.1")])])

    struct Case: Sendable, CustomTestStringConvertible {
        let why: String, change: @Sendable (inout Document) -> Void, expected: [String]
        var testDescription: String { why }
    }

    static let cases = [
        Case(why: "nothing", change: { _ in }, expected: []),
        Case(
            why: "a group", change: { $0.targetGroups.append(group("green")) },
            expected: ["Target group green was added."]),
        Case(
            why: "a group less", change: { $0.targetGroups = [] }, expected: ["Target group blue was removed."]),
        Case(
            why: "other targets",
            change: {
                $0.targetGroups[0].targets = [TargetDescription(id: "10.0.0.2"), TargetDescription(id: "10.0.0.3")]
            },
            expected: [
                "Target group blue: 2 targets were registered.", "Target group blue: 1 target was deregistered.",
            ]),
        Case(
            why: "the default port written out",
            change: { $0.targetGroups[0].targets = [TargetDescription(id: "10.0.0.1", port: 8080)] }, expected: []),
        Case(
            why: "settings of a group", change: { $0.targetGroups[0].healthCheck.intervalSeconds = 1 },
            expected: ["Target group blue: its settings changed."]),
        Case(
            why: "another listener",
            change: { $0.loadBalancers[0].listeners = [Listener(port: 81, defaultActions: [forward([("blue", 1)])])] },
            expected: ["Listener web:81 was added.", "Listener web:80 was removed."]),
        Case(
            why: "a rule",
            change: {
                $0.loadBalancers[0].listeners[0].rules = [
                    Rule(priority: 1, conditions: [.pathPattern(["/a"])], actions: [forward([("blue", 1)])])
                ]
            }, expected: ["Listener web:80: its actions, rules or settings changed."]),
        Case(
            why: "prefix lists",
            change: {
                $0.prefixLists = [
                    PrefixList(name: "office"),
                    PrefixList(name: "more", entries: ["::/0"].compactMap(AddressEntry.init)),
                ]
            },
            expected: ["Prefix list office was added.", "Prefix list more was added."]),
        Case(
            why: "a load balancer, an attribute and an instance",
            change: {
                $0.loadBalancers[0].attributes.idleTimeoutSeconds = 1
                $0.loadBalancers.append(loadBalancer("other", port: 81, forwardingTo: [("blue", 1)]))
                $0.instances = [Instance(id: "i-1", address: "10.0.0.9")]
            },
            expected: [
                "The instance registry changed.", "Load balancer other was added.",
                "Load balancer web: its attributes changed.",
            ]),
    ]

    @Test(arguments: cases) func saysWhatIsDifferent(_ test: Case) {
        var changed = Self.base
        test.change(&changed)
        #expect(Self.base.differences(to: changed) == test.expected)
    }
}
