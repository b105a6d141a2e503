import Testing

@testable import Model

@Suite struct ChangedObjectTests {
    private let file = ChangesTests.base
    private func weights(_ weights: [String: Int], _ priority: Int? = nil) -> Change {
        .setWeights(loadBalancer: "web", port: 80, priority: priority, weights)
    }

    @Test func theLastChangeOfAnObjectGivesItsTime() throws {
        var changes = Changes()
        changes.record(weights(["blue": 50]), over: file, at: 1000)
        #expect(changes.times.map { "\($0.key) \($0.value)" } == ["weights of web:80 1000"])
        changes.record(weights(["blue": 50]), over: file, at: 2000)
        #expect(changes.times.values.first == 1000, "it was so already")
        changes.record(weights(["blue": 51]), over: file, at: 3000)
        changes.record(weights(["green": 2], 10), over: file, at: 4000)
        #expect(
            changes.times.map { "\($0.key) \($0.value)" }.sorted() == [
                "weights of rule 10 of web:80 4000", "weights of web:80 3000",
            ])
    }

    @Test func partsAreAbsorbedByTheObjectAroundThem() throws {
        var changes = Changes()
        let listener = file.loadBalancers[0].listeners[0]
        changes.record(weights(["blue": 50]), over: file, at: 1)
        changes.record(weights(["green": 2], 10), over: file, at: 2)
        changes.record(.putRule(loadBalancer: "web", port: 80, listener.rules[0]), over: file, at: 3)
        #expect(changes.times.values.sorted() == [1, 3])
        changes.record(.putListener(loadBalancer: "web", listener), over: file, at: 4)
        #expect(changes.times.map { "\($0.key) \($0.value)" } == ["listener web:80 4"])
        changes.record(weights(["blue": 1]), over: file, at: 5)
        #expect(changes.times.map { "\($0.key) \($0.value)" } == ["listener web:80 5"])
        changes.record(.putLoadBalancer(file.loadBalancers[0]), over: file, at: 6)
        changes.record(.deleteRule(loadBalancer: "web", port: 80, priority: 10), over: file, at: 7)
        #expect(changes.times.map { "\($0.key) \($0.value)" } == ["load balancer web 7"])
        let target = [TargetDescription(id: "10.0.0.1")]
        changes.record(.deregisterTargets(group: "blue", target), over: file, at: 8)
        changes.record(.putTargetGroup(file.targetGroups[0]), over: file, at: 9)
        changes.record(.deregisterTargets(group: "blue", target), over: file, at: 10)
        #expect(changes.times.values.sorted() == [7, 10])
    }
}
