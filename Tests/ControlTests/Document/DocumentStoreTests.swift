import Core
import Foundation
import Model
import Testing

@testable import Control

/// The file, what was changed on top of it, and what of that is in force.
@Suite struct DocumentStoreTests {
    /// A store over a file in a folder of its own.
    private final class Scene {
        let folder: TemporaryFolder
        let store: DocumentStore

        init(_ more: String = "") throws {
            folder = try TemporaryFolder()
            let file = folder.file("apus.yaml")
            try Data(Self.text(folder, more).utf8).write(to: URL(fileURLWithPath: file))
            store = try DocumentStore(file: file, discardingChanges: false) { _ in }
        }

        static func text(_ folder: TemporaryFolder, _ more: String = "", memory: String = "") -> String {
            """
            runtime: { stateDirectory: \(folder.file("state"))\(memory) }
            loadBalancers: []
            targetGroups:
              - { name: blue, targetType: ip, protocol: HTTP, port: 8080, targets: [ { id: 192.0.2.1 } ] }
            \(more)
            """
        }

        /// What a file with this text says.
        func parsed(_ more: String = "", memory: String = "") throws -> (Document, DocumentPlaces) {
            try Document.parse(Array(Self.text(folder, more, memory: memory).utf8), file: "apus.yaml")
        }

        /// Stages a change.
        func stage(_ change: Change) throws {
            var next = store.effective
            try next.apply(change)
            store.stage(change, giving: next)
        }

        var targets: [String] { store.committedDocument.targetGroups[0].targets.map(\.id) }
    }

    private static let green = "  - { name: green, targetType: ip, protocol: HTTP, port: 8081 }"

    private static func register(_ id: String) -> Change {
        .registerTargets(group: "blue", [TargetDescription(id: id)])
    }

    @Test func aChangeIsInForceOnceItIsCommitted() throws {
        let scene = try Scene()
        #expect(scene.store.writeOfStaged() == nil, "nothing has changed")
        try scene.stage(Self.register("192.0.2.2"))
        #expect(scene.targets == ["192.0.2.1"] && scene.store.effective.targetGroups[0].targets.count == 2)
        #expect(scene.store.writeOfStaged() != nil && scene.store.writesCount == 0)
        scene.store.commitStaged()
        #expect(scene.targets == ["192.0.2.1", "192.0.2.2"] && scene.store.writesCount == 1)
        #expect(scene.store.writeOfStaged() == nil)
    }

    @Test func whatIsRolledBackLeavesNothing() throws {
        let scene = try Scene()
        try scene.stage(Self.register("192.0.2.2"))
        scene.store.rollBack()
        #expect(scene.store.effective == scene.store.committedDocument && scene.store.writeOfStaged() == nil)
        try scene.stage(Self.register("192.0.2.3"))
        scene.store.commitStaged()
        #expect(scene.targets == ["192.0.2.1", "192.0.2.3"])
    }

    // MARK: Discovery

    private static let found = """
          - name: green
            targetType: ip
            protocol: HTTP
            port: 8081
            targets: [ { id: 192.0.2.1 } ]
            discovery: { file: { path: green.json } }
        """

    private static func found(_ ids: String...) -> Discovered {
        Discovered([
            "green": ids.map { Discovered.Target(TargetDescription(id: $0), name: $0, identity: $0) }
        ])
    }

    private static func ids(_ scene: Scene) -> [String] {
        scene.store.committedDocument.targetGroups[1].targets.map(\.id)
    }

    /// The next answer of the source, which says the same, must not be another document.
    @Test func whatIsRegisteredComesBeforeWhatWasFound() throws {
        let scene = try Scene(Self.found)
        _ = scene.store.stage(Self.found("192.0.2.7"))
        scene.store.commitStaged()
        try scene.stage(.registerTargets(group: "green", [TargetDescription(id: "192.0.2.5")]))
        scene.store.commitStaged()
        let before = scene.store.committedDocument
        #expect(Self.ids(scene) == ["192.0.2.1", "192.0.2.5", "192.0.2.7"])
        _ = scene.store.stage(Self.found("192.0.2.7"))
        scene.store.commitStaged()
        #expect(scene.store.committedDocument == before)
    }

    /// A source that has not answered yet must not bring back what another one had found long ago.
    @Test(arguments: [true, false]) func whatAGroupWithoutDiscoveryHadIsForgotten(isDeleted: Bool) throws {
        let scene = try Scene(Self.found)
        _ = scene.store.stage(Self.found("192.0.2.7"))
        scene.store.commitStaged()
        let without = Self.found.replacing("discovery: { file: { path: green.json } }", with: "")
        for text in [isDeleted ? "" : without, Self.found] {
            let (base, places) = try scene.parsed(text)
            _ = scene.store.stageReload(base, places, discardingChanges: false)
            scene.store.commitStaged()
        }
        #expect(Self.ids(scene) == ["192.0.2.1"] && scene.store.discovered.groups.isEmpty)
    }

    /// What is not named may be there all the same while some of the source cannot be read.
    @Test func whatWasDeregisteredIsKeptWhileTheSourceIsNotReadInFull() throws {
        let scene = try Scene(Self.found)
        _ = scene.store.stage(Self.found("192.0.2.7"))
        scene.store.commitStaged()
        try scene.stage(.deregisterTargets(group: "green", [TargetDescription(id: "192.0.2.7")]))
        scene.store.commitStaged()
        _ = scene.store.stage(Self.found(), partial: ["green"])
        scene.store.commitStaged()
        _ = scene.store.stage(Self.found("192.0.2.7"))
        scene.store.commitStaged()
        #expect(Self.ids(scene) == ["192.0.2.1"])
        _ = scene.store.stage(Self.found())
        _ = scene.store.stage(Self.found("192.0.2.7"))
        scene.store.commitStaged()
        #expect(Self.ids(scene) == ["192.0.2.1", "192.0.2.7"])
    }

    // MARK: Reloads

    @Test func aReloadKeepsTheChangesOnTop() throws {
        let scene = try Scene()
        try scene.stage(Self.register("192.0.2.2"))
        scene.store.commitStaged()
        let (base, places) = try scene.parsed(Self.green)
        let needsRestart = scene.store.stageReload(base, places, discardingChanges: false)
        #expect(needsRestart.isEmpty && scene.store.writeOfStaged() == nil, "changes are as they were")
        scene.store.commitStaged()
        #expect(scene.targets == ["192.0.2.1", "192.0.2.2"])
        #expect(scene.store.committedDocument.targetGroups.map(\.name) == ["blue", "green"])
    }

    @Test func aReloadMayDiscardThem() throws {
        let scene = try Scene()
        try scene.stage(Self.register("192.0.2.2"))
        scene.store.commitStaged()
        let (base, places) = try scene.parsed()
        _ = scene.store.stageReload(base, places, discardingChanges: true)
        #expect(scene.store.writeOfStaged() != nil)
        scene.store.commitStaged()
        #expect(scene.targets == ["192.0.2.1"] && scene.store.notApplied.isEmpty)
    }

    /// What the process has fixed at its start stays, and is named; the rest of the file counts.
    @Test func whatNeedsARestartStaysAsItWas() throws {
        let scene = try Scene()
        let before = scene.store.committedDocument.runtime
        let (base, places) = try scene.parsed(Self.green, memory: ", memoryBytes: 123456789, workers: 7")
        #expect(base.runtime.memoryBytes != before.memoryBytes)
        let needsRestart = scene.store.stageReload(base, places, discardingChanges: false)
        #expect(needsRestart == ["runtime.workers", "runtime.memoryBytes"])
        scene.store.commitStaged()
        #expect(scene.store.committedDocument.runtime == before)
        #expect(scene.store.committedDocument.targetGroups.count == 2)
    }

    /// A question changes nothing.
    @Test func whatAReloadWouldSayIsNotStaged() throws {
        let scene = try Scene()
        let (base, _) = try scene.parsed(Self.green, memory: ", workers: 7")
        let answer = scene.store.asReloaded(base)
        #expect(answer.needsRestart == ["runtime.workers"] && answer.effective.targetGroups.count == 2)
        #expect(scene.store.effective == scene.store.committedDocument && scene.store.writeOfStaged() == nil)
        #expect(scene.store.committedDocument.targetGroups.count == 1)
    }

    /// An edit of the file that a change at run time hides is told until something changes that.
    @Test func anEditThatIsHiddenIsTold() throws {
        let scene = try Scene()
        var blue = scene.store.committedDocument.targetGroups[0]
        blue.port = 9090
        try scene.stage(.putTargetGroup(blue))
        scene.store.commitStaged()
        #expect(scene.store.overrides.map(\.isEdited) == [false])
        let edited = Scene.text(scene.folder).replacing("port: 8080", with: "port: 7070")
        for _ in 0..<2 {
            let (base, places) = try Document.parse(Array(edited.utf8), file: "apus.yaml")
            _ = scene.store.stageReload(base, places, discardingChanges: false)
            scene.store.commitStaged()
            #expect(scene.store.overrides.map(\.isEdited) == [true], "also after another reload of the same file")
        }
        #expect(scene.store.committedDocument.targetGroups[0].port == 9090)
    }

    // MARK: Files

    @Test(arguments: ["/nonexistent/apus.yaml", "/dev", "/dev/null"])
    func aFileThatCannotBeReadIsNamed(_ path: String) {
        do throws(ConfigErrors) {
            _ = try Document.read(path)
            Issue.record("\(path) was read")
        } catch {
            #expect(error.first.file == path && !error.first.remedy.isEmpty)
        }
    }

    /// Two processes must not share a folder of changes.
    @Test func aFolderInUseIsRefused() throws {
        let scene = try Scene()
        #expect(throws: StartError.self) {
            _ = try DocumentStore(file: scene.store.file, discardingChanges: false) { _ in }
        }
    }

    /// A socket stays open to everybody until the next start, so its roles stay as long.
    @Test func rolesStayWhileEverybodyMayConnect() throws {
        let scene = try Scene("admin: { mode: \"0666\", roles: { read: [\"user:1\"] } }")
        func stage(_ admin: String) throws -> (restart: [String], admin: Admin) {
            let (base, places) = try scene.parsed(admin)
            let keys = scene.store.stageReload(base, places, discardingChanges: false)
            scene.store.commitStaged()
            return (keys, scene.store.committedDocument.admin)
        }
        let without = try stage("")
        #expect(without.restart == ["admin.mode", "admin.roles"])
        #expect(without.admin.mode == .everybody && without.admin.roles?.read == [.user(.number(1))])
        let others = try stage("admin: { roles: { all: [\"user:2\"] } }")
        #expect(others.restart == ["admin.mode"] && others.admin.roles?.all == [.user(.number(2))])
        let sockets = try stage(
            "admin: { group: 7, mode: \"0666\", readOnlySocket: { path: /r }, roles: {} }")
        #expect(sockets.restart == ["admin.group", "admin.readOnlySocket"])
        #expect(sockets.admin.group == nil && sockets.admin.roles == AdminRoles())
    }
}
