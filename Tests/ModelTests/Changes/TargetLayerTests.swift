import Testing

@testable import Model

/// Where targets come from.
@Suite struct TargetLayerTests {
    private let file = DiscoveredTests.file()
    private let found = DiscoveredTests.found("10.0.0.1", "10.0.0.2", "10.0.0.3")

    private func labels(_ changes: Changes) -> [String: String] {
        let group = changes.apply(to: file, found).document.targetGroups[0]
        let layers = changes.layers(of: group, file: file, found)
        return Dictionary(
            uniqueKeysWithValues: group.targets.map { ($0.id, layers[group.key(of: $0)]?.label ?? "none") })
    }

    @Test func theFileComesFirstAndWhatWasChangedLast() {
        var changes = Changes()
        #expect(labels(changes) == ["10.0.0.1": "file", "10.0.0.2": "discovered", "10.0.0.3": "discovered"])
        changes.record(.registerTargets(group: "web", [TargetDescription(id: "10.0.0.3")]), over: file, found)
        #expect(labels(changes) == ["10.0.0.1": "file", "10.0.0.2": "discovered", "10.0.0.3": "run-time"])
    }

    @Test func aGroupThatWasPutIsOfRunTime() {
        var changes = Changes()
        changes.record(
            .putTargetGroup(DiscoveredTests.group([TargetDescription(id: "10.0.0.9")])), over: file, found)
        #expect(
            labels(changes) == [
                "10.0.0.9": "run-time", "10.0.0.1": "discovered", "10.0.0.2": "discovered", "10.0.0.3": "discovered",
            ])
    }
}
