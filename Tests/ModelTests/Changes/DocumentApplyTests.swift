import Testing

@testable import Model

@Suite struct DocumentApplyTests {
    static let base = Sample.document()

    struct Refusal: Sendable, CustomTestStringConvertible {
        let change: Change, code: ConfigError.Code, message: String
        var testDescription: String { change.description }
    }

    static let refusals = [
        Refusal(
            change: .registerTargets(group: "bleu", [TargetDescription(id: "10.0.0.3")]), code: .targetGroupNotFound,
            message: "expected a target group, but found \"bleu\". Did you mean blue?"),
        Refusal(
            change: .deregisterTargets(group: "x", []), code: .targetGroupNotFound,
            message: "expected a target group, but found \"x\". Known: blue, green, spare."),
        Refusal(
            change: .registerTargets(group: "blue", [TargetDescription(id: "10.0.0.3"), TargetDescription(id: "i-1")]),
            code: .invalidTarget,
            message: "targets[1].id must be an IPv4 or IPv6 address, because the group's targetType is ip, "
                + "but found \"i-1\". Write an address such as 10.0.0.5 or 2001:db8::5; names are not looked up."),
        Refusal(
            change: .registerTargets(group: "blue", (1...10_000).map { TargetDescription(id: "10.1.0.1", port: $0) }),
            code: .tooManyTargets,
            message: "targets: there must be at most 10000 targets of a group. Delete some first."),
        Refusal(
            change: .deleteTargetGroup(name: "blue"), code: .resourceInUse,
            message: "target group blue is in use by the default action of web:80. "
                + "Take it out of that action first; a weight of 0 is not enough."),
        Refusal(
            change: .deleteTargetGroup(name: "gren"), code: .targetGroupNotFound,
            message: "expected a target group, but found \"gren\". Did you mean green?"),
        Refusal(
            change: .putListener(loadBalancer: "wbe", Listener(port: 81, defaultActions: [Sample.answer(200)])),
            code: .loadBalancerNotFound, message: "expected a load balancer, but found \"wbe\". Did you mean web?"),
        Refusal(
            change: .putListener(loadBalancer: "web", Listener(port: 81, defaultActions: [Sample.forward(["x": 1])])),
            code: .targetGroupNotFound,
            message: "defaultActions[0].forwardConfig.targetGroups[0].targetGroupName must name "
                + "a target group, but found \"x\". Known: blue, green, spare."),
        Refusal(
            change: .putLoadBalancer(
                LoadBalancer(name: "b", listeners: [Listener(port: 80, defaultActions: [Sample.answer(200)])])),
            code: .duplicateListener,
            message: "listeners[0].port: a port must be bound once on an address, "
                + "but found 0.0.0.0 port 80 in load balancer web too. Choose another port or another address."),
        Refusal(
            change: .deleteListener(loadBalancer: "web", port: 81), code: .listenerNotFound,
            message: "expected a listener of web, but found \"81\". Known: 80."),
        Refusal(
            change: .putRule(loadBalancer: "web", port: 81, Sample.rule(1, Sample.answer(200))),
            code: .listenerNotFound,
            message: "expected a listener of web, but found \"81\". Known: 80."),
        Refusal(
            change: .putRule(loadBalancer: "web", port: 80, Sample.rule(1, Sample.forward(["x": 1]))),
            code: .targetGroupNotFound,
            message: "actions[0].forwardConfig.targetGroups[0].targetGroupName must name "
                + "a target group, but found \"x\". Known: blue, green, spare."),
        Refusal(
            change: .deleteRule(loadBalancer: "web", port: 80, priority: 7), code: .ruleNotFound,
            message: "expected a rule of web:80, but found \"7\". Known: 10, 20."),
        Refusal(
            change: .deleteRule(loadBalancer: "web", port: 80, priority: 0), code: .operationNotPermitted,
            message: "the default rule of web:80 must stay. Put the listener with other default actions."),
        Refusal(
            change: .setWeights(loadBalancer: "web", port: 80, priority: nil, ["gren": 1]), code: .targetGroupNotFound,
            message: "gren: weights must name groups of this action, but found \"gren\". Did you mean green?"),
        Refusal(
            change: .setWeights(loadBalancer: "web", port: 80, priority: nil, ["green": 1000]), code: .validationError,
            message: "green must be an integer from 0 to 999, but found 1000. Write a weight in that range."),
        Refusal(
            change: .setWeights(loadBalancer: "web", port: 80, priority: 20, ["green": 1]),
            code: .invalidLoadBalancerAction,
            message: "weights belong to a forward action, and this action is another. Put a forward action there first."
        ),
        Refusal(
            change: .setWeights(loadBalancer: "web", port: 80, priority: 30, ["green": 1]), code: .ruleNotFound,
            message: "expected a rule of web:80, but found \"30\". Known: 10, 20."),
        Refusal(
            change: .deleteInstance(id: "i-2"), code: .resourceNotFound,
            message: "expected an instance of the registry, but found \"i-2\". Known: i-1."),
    ]

    @Test(arguments: refusals) func refusesWithAMessage(_ test: Refusal) {
        let error = #expect(throws: ConfigErrors.self) { try Self.base.applying(test.change) }
        #expect(error?.first.code == test.code)
        #expect(error?.description == test.message)
    }

    @Test func portsOfTwoLoadBalancersCollide() throws {
        let other = LoadBalancer(name: "b", listeners: [Listener(port: 81, defaultActions: [Sample.answer(200)])])
        let both = try Self.base.applying(.putLoadBalancer(other))
        let listener = Listener(port: 80, defaultActions: [Sample.answer(200)])
        let error = #expect(throws: ConfigErrors.self) { try both.applying(.putListener(loadBalancer: "b", listener)) }
        #expect(error?.first.code == .duplicateListener)
        var elsewhere = other
        elsewhere.addresses = ["::1"]
        elsewhere.listeners.append(listener)
        #expect(try both.applying(.putLoadBalancer(elsewhere)).validate().isEmpty)
    }

    /// As ELBv2: to register what is registered, to deregister what is not, to delete a load balancer that is gone.
    @Test func whatIsDoneAlreadySucceeds() throws {
        let blue = Self.base.targetGroups[0]
        let same = [TargetDescription(id: "10.0.0.1", port: 80), TargetDescription(id: "10.0.0.2", port: 8080)]
        #expect(try Self.base.applying(.registerTargets(group: blue.name, same)) == Self.base)
        let unknown = TargetDescription(id: "10.0.0.2", port: 80)
        #expect(try Self.base.applying(.deregisterTargets(group: blue.name, [unknown])) == Self.base)
        #expect(try Self.base.applying(.deleteLoadBalancer(name: "gone")) == Self.base)
        #expect(try Self.base.applying(.putTargetGroup(blue)) == Self.base)
    }

    @Test func targetsComeAndGo() throws {
        let added = [TargetDescription(id: "10.0.0.1", port: 81), TargetDescription(id: "10.0.0.3")]
        var document = try Self.base.applying(.registerTargets(group: "blue", added))
        #expect(document.targetGroups[0].targets == Self.base.targetGroups[0].targets + added)
        let many = Self.base.targetGroups[0].targets + [added[0], TargetDescription(id: "10.9.9.9")]
        try document.apply(.deregisterTargets(group: "blue", many))
        #expect(document.targetGroups[0].targets == [added[1]])
    }

    @Test func weightsThatAreNotNamedStay() throws {
        let document = try Self.base.applying(.setWeights(loadBalancer: "web", port: 80, priority: nil, ["green": 50]))
        #expect(document.loadBalancers[0].listeners[0].defaultActions == [Sample.forward(["blue": 90, "green": 50])])
        let ruled = try document.applying(.setWeights(loadBalancer: "web", port: 80, priority: 10, ["green": 0]))
        #expect(ruled.loadBalancers[0].listeners[0].rules[0].actions == [Sample.forward(["green": 0])])
    }

    @Test func aRefusedChangeChangesNothing() throws {
        var document = Self.base
        for refusal in Self.refusals { #expect(throws: ConfigErrors.self) { try document.apply(refusal.change) } }
        #expect(document == Self.base)
    }

    @Test func theResultIsValid() throws {
        var document = Self.base
        try document.apply(.putRule(loadBalancer: "web", port: 80, Sample.rule(10, Sample.forward(["spare": 1]))))
        #expect(document.loadBalancers[0].listeners[0].rules.map(\.priority) == [10, 20])
        try document.apply(.putListener(loadBalancer: "web", Listener(port: 81, defaultActions: [Sample.answer(200)])))
        try document.apply(.deleteListener(loadBalancer: "web", port: 80))
        try document.apply(.deleteTargetGroup(name: "blue"))
        try document.apply(.putInstance(Instance(id: "i-1", address: "10.0.0.10")))
        #expect(document.instances == [Instance(id: "i-1", address: "10.0.0.10")])
        #expect(document.targetGroups.map(\.name) == ["green", "spare"])
        #expect(document.validate().isEmpty)
    }

    @Test func weightsOfAGroupThatIsElsewhereSuggestNoOther() throws {
        var document = Sample.document()
        document.targetGroups += ["v1", "v2", "v2i"].map { Sample.group($0, []) }
        document.loadBalancers[0].listeners[0].defaultActions = [Sample.forward(["v1": 1, "v2": 1])]
        func refusal(_ group: String) -> String? {
            let change = Change.setWeights(loadBalancer: "web", port: 80, priority: nil, [group: 0])
            let error = #expect(throws: ConfigErrors.self) { try document.applying(change) }
            return error.map { "\($0.first.message) \($0.first.remedy)" }
        }
        #expect(
            refusal("v2i")
                == "weights must name groups of this action, but found v2i, a target group that it does not have. "
                + "This action forwards to v1, v2: put it with v2i first.")
        #expect(refusal("v22")?.hasSuffix("but found \"v22\". Did you mean v2?") == true)
    }

    @Test func aPortOfAnotherLoadBalancerIsNamed() throws {
        var document = Sample.document()
        document.loadBalancers.append(
            LoadBalancer(name: "api", listeners: [Listener(port: 8080, defaultActions: [Sample.answer(200)])]))
        let change = Change.deleteListener(loadBalancer: "web", port: 8080)
        let error = #expect(throws: ConfigErrors.self) { try document.applying(change) }
        #expect(error?.first.remedy == "Did you mean api:8080?")
    }
}
