import Testing

@testable import Model

@Suite struct ChangesStateTests {
    @Test func noChangesAreAVersionAndEmptyLists() throws {
        let value = Changes().encoded()
        #expect(value["version"] == 2)
        #expect(try Changes(value).isEmpty)
        #expect(try Changes(["version": 1]).isEmpty)
    }

    @Test func whatALaterVersionWroteIsRefused() {
        let error = #expect(throws: ConfigErrors.self) {
            try Changes(["version": 3, "more": []], file: "changes.json")
        }
        #expect(
            error?.description
                == "changes.json: version must be 2, the form that this version of apus reads, but found 3. "
                + "Start the version that wrote it, or move the file away to start from the configuration alone.")
    }

    /// What the first version wrote is read, and says nothing of times.
    @Test func theFormOfTheFirstVersionIsRead() throws {
        let old = #"{"version":1,"weights":[{"loadBalancer":"web","port":80,"weights":{"blue":50}}]}"#
        let changes = try Changes(Value.parse(json: old))
        #expect(changes.weights.count == 1 && changes.times.isEmpty)
        let again = try Changes(changes.encoded())
        #expect(again == changes)
    }

    @Test func timesAreKept() throws {
        let listener = Listener(port: 81, defaultActions: [Sample.answer(200)])
        let (_, changes) = try ChangesTests.play(
            [
                .putInstance(Instance(id: "i-2", address: "10.0.0.1")),
                .deregisterTargets(group: "blue", [TargetDescription(id: "10.0.0.1")]),
                .putTargetGroup(Sample.group("new", [])), .putListener(loadBalancer: "web", listener),
                .putRule(loadBalancer: "web", port: 80, Sample.rule(10, Sample.answer(204))),
                .setWeights(loadBalancer: "web", port: 80, priority: nil, ["blue": 50]),
                .putLoadBalancer(LoadBalancer(name: "b")),
            ], over: ChangesTests.base)
        #expect(changes.times.values.sorted() == Array(1...7))
        #expect(try Changes(Value.parse(json: changes.encoded().json())) == changes)
    }

    static let damaged: [Value] = [
        [:], [], nil, ["version": "1"], ["version": 1, "instances": [:], "other": 1],
        ["version": 1, "targets": [["registered": []]]], ["version": 2, "changedAt": [["kind": "nothing", "at": 1]]],
        ["version": 1, "rules": ["deleted": [["loadBalancer": "a", "port": 80]]]],
    ]

    @Test(arguments: damaged) func whatIsDamagedIsRefused(_ value: Value) {
        #expect(throws: ConfigErrors.self) { try Changes(value) }
    }
}
