import Testing

@testable import Model

/// What was found, between the file and what was changed at run time.
@Suite struct DiscoveredTests {
    /// A file with a group that has discovery and one registered target.
    static func file(_ targets: [TargetDescription] = [TargetDescription(id: "10.0.0.1")]) -> Document {
        Document(targetGroups: [group(targets)])
    }

    static func group(_ targets: [TargetDescription] = [], discovery: Bool = true) -> TargetGroup {
        var group = TargetGroup(name: "web", targetType: .ip, port: 80, targets: targets)
        if discovery { group.discovery = Discovery(file: FileDiscovery(path: "a.json")) }
        return group
    }

    static func found(_ ids: String...) -> Discovered {
        Discovered(["web": ids.map { Discovered.Target(TargetDescription(id: $0), name: "n\($0)", identity: "i\($0)") }]
        )
    }

    private static func ids(_ document: Document) -> [String] { document.targetGroups[0].targets.map(\.id) }

    /// Applies `change` as the document in force takes it, and records it.
    private static func apply(
        _ change: Change, to changes: inout Changes, over file: Document, _ found: Discovered
    ) throws {
        let effective = changes.apply(to: file, found).document
        let change = changes.withoutDiscovered(change, file: file, found)
        _ = try effective.applying(change)
        changes.record(change, over: file, found)
    }

    @Test func isAddedToWhatIsRegistered() {
        let layers = Changes().apply(to: Self.file(), Self.found("10.0.0.2", "10.0.0.1"))
        #expect(Self.ids(layers.document) == ["10.0.0.1", "10.0.0.2"] && layers.refusals.isEmpty)
    }

    @Test func aGroupWithoutDiscoveryTakesNothing() {
        let file = Document(targetGroups: [Self.group(discovery: false)])
        #expect(Changes().apply(to: file, Self.found("10.0.0.2")).document == file)
    }

    @Test func whatCannotBeATargetIsRefusedAlone() throws {
        let layers = Changes().apply(
            to: Self.file([]), Self.found("10.0.0.2", "i-1", "web-1", "10.0.0.2", "10.0.0.3"))
        #expect(Self.ids(layers.document) == ["10.0.0.2", "10.0.0.3"])
        #expect(layers.refusals.map(\.name) == ["ni-1", "nweb-1", "n10.0.0.2"])
        #expect(layers.refusals.last?.mistake.description.contains("n10.0.0.2") == true)
    }

    @Test func aGroupTakesNoMoreThanItMay() {
        let many = (0...Limits.targetsPerGroupMax).map { number in
            let id = "10.1.\(number / 256).\(number % 256)"
            return Discovered.Target(TargetDescription(id: id), name: id, identity: id)
        }
        let layers = Changes().apply(to: Self.file([]), Discovered(["web": many]))
        #expect(layers.document.targetGroups[0].targets.count == Limits.targetsPerGroupMax)
        #expect(layers.refusals.count == 1 && layers.refusals[0].mistake.code == .tooManyTargets)
    }

    @Test func whatIsDeregisteredStaysOutUntilItIsGone() throws {
        let (file, found) = (Self.file(), Self.found("10.0.0.2", "10.0.0.3"))
        var changes = Changes()
        try Self.apply(
            .deregisterTargets(group: "web", [TargetDescription(id: "10.0.0.2")]), to: &changes, over: file, found)
        #expect(Self.ids(changes.apply(to: file, found).document) == ["10.0.0.1", "10.0.0.3"])
        // The disk has it too.
        #expect(try Changes(changes.encoded()) == changes)
        changes.forgetDeregistered(over: file, found, renewed: [:])
        #expect(!changes.isEmpty, "it is still found")
        changes.forgetDeregistered(over: file, Discovered(), renewed: [:])
        #expect(!changes.isEmpty, "nothing was heard yet")
        changes.forgetDeregistered(over: file, Self.found("10.0.0.3"), renewed: [:])
        #expect(changes.isEmpty, "another one may have the address")
    }

    @Test func anotherUnderTheSameAddressIsTaken() throws {
        let (file, found) = (Self.file(), Self.found("10.0.0.2"))
        var changes = Changes()
        try Self.apply(
            .deregisterTargets(group: "web", [TargetDescription(id: "10.0.0.2")]), to: &changes, over: file, found)
        var other = found
        other.groups["web"]?[0].identity = "other"
        let renewed = other.renewed(since: found, in: file)
        #expect(renewed == ["web": [TargetKey(id: "10.0.0.2", port: 80)]])
        #expect(other.renewed(since: other, in: file).isEmpty && other.renewed(since: Discovered(), in: file).isEmpty)
        changes.forgetDeregistered(over: file, other, renewed: renewed)
        #expect(Self.ids(changes.apply(to: file, other).document) == ["10.0.0.1", "10.0.0.2"])
    }

    /// A target of the file that was deregistered stays so, whatever is found.
    @Test func whatTheFileHasIsRemembered() throws {
        let (file, found) = (Self.file(), Self.found("10.0.0.2"))
        var changes = Changes()
        try Self.apply(
            .deregisterTargets(group: "web", [TargetDescription(id: "10.0.0.1")]), to: &changes, over: file, found)
        changes.forgetDeregistered(over: file, found, renewed: [:])
        #expect(Self.ids(changes.apply(to: file, found).document) == ["10.0.0.2"])
    }

    @Test func whatIsRegisteredAsWellStays() throws {
        let (file, found) = (Self.file(), Self.found("10.0.0.2"))
        var changes = Changes()
        try Self.apply(
            .registerTargets(group: "web", [TargetDescription(id: "10.0.0.2", weight: 7)]), to: &changes, over: file,
            found)
        #expect(changes.apply(to: file, found).document.targetGroups[0].targets[1].weight == 7)
        #expect(Self.ids(changes.apply(to: file, Self.found()).document) == ["10.0.0.1", "10.0.0.2"])
    }

    /// What is shown of a group can be put again, and what was found is not registered by that.
    @Test func aGroupThatIsPutTakesOverNothing() throws {
        let (file, found) = (Self.file(), Self.found("10.0.0.2", "10.0.0.3"))
        var changes = Changes()
        var shown = changes.apply(to: file, found).document.targetGroups[0]
        shown.healthCheck.path = "/other"
        try Self.apply(.putTargetGroup(shown), to: &changes, over: file, found)
        #expect(Self.ids(changes.apply(to: file, found).document) == ["10.0.0.1", "10.0.0.2", "10.0.0.3"])
        #expect(Self.ids(changes.apply(to: file, Self.found()).document) == ["10.0.0.1"])
        // In a group that was put a deregistration counts as well, and a second PUT leaves it.
        try Self.apply(
            .deregisterTargets(group: "web", [TargetDescription(id: "10.0.0.2")]), to: &changes, over: file, found)
        #expect(Self.ids(changes.apply(to: file, found).document) == ["10.0.0.1", "10.0.0.3"])
        try Self.apply(
            .putTargetGroup(changes.apply(to: file, found).document.targetGroups[0]), to: &changes, over: file, found)
        #expect(Self.ids(changes.apply(to: file, found).document) == ["10.0.0.1", "10.0.0.3"])
        // Without discovery the group has what it was put with.
        shown.discovery = nil
        try Self.apply(.putTargetGroup(shown), to: &changes, over: file, found)
        #expect(Self.ids(changes.apply(to: file, found).document) == ["10.0.0.1"])
    }
}
