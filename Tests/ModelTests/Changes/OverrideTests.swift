import Testing

@testable import Model

/// What of the file is not in force, and since when.
@Suite struct OverrideTests {
    private let file = ChangesTests.base

    private func overrides(_ changes: [Change], edited: Document? = nil) throws -> [String] {
        let (_, recorded) = try ChangesTests.play(changes, over: file)
        let now = edited ?? file
        let all = recorded.overrides(of: now, by: recorded.apply(to: now).0, since: edited == nil ? nil : file)
        return all.map { override in
            "\(override.object): \(override.change), since \(override.changedAt.map { "\($0)" } ?? "-")"
                + (override.isEdited ? ", edited" : "")
        }
    }

    private let weights = Change.setWeights(loadBalancer: "web", port: 80, priority: nil, ["blue": 50, "green": 50])

    @Test func weightsTellBoth() throws {
        #expect(
            try overrides([weights])
                == ["weights of web:80: blue=50 green=50, where the file says blue=90 green=10, since 1"])
    }

    /// The case of the issue: somebody edits a weight, and nothing happens.
    @Test func anEditedWeightIsTold() throws {
        var edited = file
        edited.loadBalancers[0].listeners[0].defaultActions = [Sample.forward(["blue": 0, "green": 100])]
        #expect(
            try overrides([weights], edited: edited)
                == ["weights of web:80: blue=50 green=50, where the file says blue=0 green=100, since 1, edited"])
        edited.loadBalancers[0].listeners[0].defaultActions = [Sample.forward(["blue": 50, "green": 50])]
        #expect(try overrides([weights], edited: edited).isEmpty, "both say the same now")
    }

    @Test func anEditElsewhereInTheFileIsNoEdit() throws {
        var edited = file
        edited.loadBalancers[0].listeners[0].rules[0] = Sample.rule(10, Sample.answer(404))
        edited.targetGroups[0].healthCheck.path = "/other"
        let deregistered = Change.deregisterTargets(group: "blue", [TargetDescription(id: "10.0.0.1")])
        let told = try overrides([weights, deregistered], edited: edited)
        #expect(told.count == 2 && !told.contains { $0.hasSuffix(", edited") }, "\(told)")
    }

    @Test func objectsAreReplacedOrDeleted() throws {
        let changes: [Change] = [
            .deleteRule(loadBalancer: "web", port: 80, priority: 20),
            .putRule(loadBalancer: "web", port: 80, Sample.rule(10, Sample.answer(404))),
            .putInstance(Instance(id: "i-1", address: "10.0.0.10")), .deleteTargetGroup(name: "spare"),
        ]
        #expect(
            try overrides(changes) == [
                "rule 20 of web:80: deleted, since 1", "rule 10 of web:80: replaced, since 2",
                "target group spare: deleted, since 4", "instance i-1: replaced, since 3",
            ])
        var edited = file
        edited.instances[0].address = "10.0.0.11"
        #expect(try overrides(changes, edited: edited).first == "instance i-1: replaced, since 3, edited")
    }

    @Test func targetsOfTheFileThatAreNotRegistered() throws {
        let register = Change.registerTargets(
            group: "blue", [TargetDescription(id: "10.0.0.1"), TargetDescription(id: "10.0.0.77")])
        #expect(try overrides([register]).isEmpty, "what was added hides nothing")
        let deregister = Change.deregisterTargets(group: "blue", [TargetDescription(id: "10.0.0.2", port: 8080)])
        #expect(
            try overrides([register, deregister])
                == ["targets of blue: 10.0.0.2:8080 deregistered, though the file has it, since 2"])
        var edited = file
        edited.targetGroups[0].targets = []
        #expect(
            try overrides([register], edited: edited)
                == ["targets of blue: 10.0.0.1:80 registered, though the file has dropped it, since 1, edited"])
    }

    @Test func objectsThatTheFileNeverHadAreNoOverrides() throws {
        let listener = Listener(port: 81, defaultActions: [Sample.answer(200)])
        #expect(
            try overrides([
                .putTargetGroup(Sample.group("new", [("10.0.0.1", nil)])),
                .putListener(loadBalancer: "web", listener),
                .putRule(loadBalancer: "web", port: 80, Sample.rule(30, Sample.answer(200))),
                .putLoadBalancer(LoadBalancer(name: "b")), .putInstance(Instance(id: "i-2", address: "10.0.0.1")),
            ]).isEmpty)
    }

    @Test func manyTargetsAreCounted() throws {
        var file = file
        file.targetGroups[0].targets = (1...20).map { TargetDescription(id: "10.0.0.\($0)") }
        var recorded = Changes()
        recorded.record(.deregisterTargets(group: "blue", file.targetGroups[0].targets), over: file)
        let told = recorded.overrides(of: file, by: recorded.apply(to: file).0)
        #expect(told.first?.change.hasSuffix("10.0.0.8:80 and 12 more deregistered, though the file has them") == true)
        #expect(told.first?.changedAt == nil)
    }
}
