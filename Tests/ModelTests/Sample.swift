@testable import Model

/// Documents for tests, and random ones from a seed.
enum Sample {
    /// Two groups by weight behind `web`:80, with a rule for `green`, and an instance.
    static func document() -> Document {
        Document(
            instances: [Instance(id: "i-1", address: "10.0.0.9")],
            loadBalancers: [
                LoadBalancer(
                    name: "web",
                    listeners: [
                        Listener(
                            port: 80, defaultActions: [forward(["blue": 90, "green": 10])],
                            rules: [rule(10, forward(["green": 1])), rule(20, answer(200))])
                    ])
            ],
            targetGroups: [
                group("blue", [("10.0.0.1", nil), ("10.0.0.2", 8080)]), group("green", [("10.0.1.1", nil)]),
                group("spare", []),
            ])
    }

    static func group(_ name: String, _ targets: [(String, Int?)]) -> TargetGroup {
        TargetGroup(
            name: name, targetType: .ip, port: 80, targets: targets.map { TargetDescription(id: $0.0, port: $0.1) })
    }

    static func forward(_ weights: [String: Int]) -> Action {
        let groups = weights.sorted { $0.key < $1.key }
            .map { WeightedTargetGroup(targetGroupName: $0.key, weight: $0.value) }
        return .forward(ForwardAction(targetGroups: groups))
    }

    static func answer(_ code: Int) -> Action { .fixedResponse(FixedResponse(statusCode: code)) }

    static func rule(_ priority: Int, _ action: Action) -> Rule {
        Rule(priority: priority, conditions: [.pathPattern(["/\(priority)/*"])], actions: [action])
    }
}

/// SplitMix64: small, and the same everywhere, so that a failing seed can be tried again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
