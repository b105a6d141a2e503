import Core
import Foundation
import Model
import Testing

@testable import Control

/// Changes while the disk is being waited for.
@Suite struct ChangeQueueTests {
    private final class Observer: ChangeQueueObserver {
        private(set) var isIdle = false

        func changeQueueIsIdle() { isIdle = true }
    }

    private typealias Scene = ServicesTests.Scene

    private func register(_ id: String) -> Change {
        .registerTargets(group: "green", [TargetDescription(id: id)])
    }

    private func targets(_ scene: Scene) -> [String] {
        scene.services.status.document.targetGroups[1].targets.map(\.id)
    }

    @Test func whatComesWhileTheDiskIsWaitedForIsTheNextBatch() throws {
        let scene = try Scene()
        let gate = scene.stopDisk()
        let first = scene.apply(register("192.0.2.1"))
        scene.passOnce()
        let others = (2...9).map { scene.apply(register("192.0.2.\($0)")) }
        let wrong = scene.apply(.registerTargets(group: "purple", []))
        scene.passOnce()
        #expect(first.result == nil && others.allSatisfy { $0.result == nil })
        #expect(targets(scene).isEmpty && scene.services.status.generation == 1, "what is not durable is not in force")
        gate.signal()
        scene.pass()
        #expect(first.isSuccess && others.allSatisfy { $0.isSuccess } && wrong.error != nil)
        #expect(targets(scene).count == 9)
        #expect(scene.services.status.tally.stateWrites == 2)
        #expect(scene.services.status.generation == 3)
    }

    /// A listener that was opened for changes which undo each other must not take connections that nobody serves.
    @Test func changesThatUndoEachOtherLeaveNoSocketOpen() throws {
        let scene = try Scene()
        let port = try freePort()
        let listener = Listener(port: Int(port), defaultActions: [forward([("blue", 1)])])
        let put = scene.apply(.putListener(loadBalancer: "web", listener))
        let delete = scene.apply(.deleteListener(loadBalancer: "web", port: Int(port)))
        scene.pass()
        #expect(put.isSuccess && delete.isSuccess)
        let address = try #require(SocketAddress(literal: "127.0.0.1", port: port))
        let other = try Socket.listen(on: address, sharesPort: false)
        other.close()
    }

    /// A batch that the disk refuses takes nobody with it who came later.
    @Test func aBatchThatTheDiskRefusesHasNothingOnTop() throws {
        let scene = try Scene()
        let inTheWay = scene.folder.file("state/state.json.new")
        try FileManager.default.createDirectory(atPath: inTheWay, withIntermediateDirectories: true)
        let first = scene.apply(register("192.0.2.1"))
        scene.passOnce()
        scene.services.stateDisk.run({ try? FileManager.default.removeItem(atPath: inTheWay) }) { _ in }
        let second = scene.apply(register("192.0.2.2"))
        scene.pass()
        #expect(first.error?.code == "InternalFailure" && second.isSuccess)
        #expect(targets(scene) == ["192.0.2.2"])
        try scene.start()
        #expect(targets(scene) == ["192.0.2.2"])
    }

    /// What a PUT leaves out is taken from the document as it is when its turn has come.
    @Test func aChangeIsMadeOfWhatTheOnesBeforeItHaveLeft() throws {
        let scene = try Scene()
        let gate = scene.stopDisk()
        let first = scene.apply(register("192.0.2.1"))
        scene.passOnce()
        var seen: [String] = []
        scene.services.changes.apply(by: nil, if: nil) { document in
            seen = document.targetGroups[1].targets.map(\.id)
            return .deleteInstance(id: "i-1")
        } completion: { _ in
        }
        gate.signal()
        scene.pass()
        #expect(first.isSuccess && seen == ["192.0.2.1"])
    }

    @Test func aReloadWaitsForTheChangesBeforeItAndIsWaitedForByThoseBehind() throws {
        let scene = try Scene()
        let gate = scene.stopDisk()
        var order: [String] = []
        scene.services.changes.apply(register("192.0.2.1"), by: nil) { _ in order.append("change") }
        scene.services.reloads.reload(discardingChanges: true, if: nil) { _ in order.append("reload") }
        scene.services.changes.apply(register("192.0.2.2"), by: nil) { _ in order.append("change") }
        scene.passOnce()
        #expect(order.isEmpty)
        gate.signal()
        scene.pass()
        #expect(order == ["change", "reload", "change"])
        #expect(targets(scene) == ["192.0.2.2"], "what came before the reload was discarded by it")
    }

    @Test func theEndRefusesWhatHasNotBegunAndWaitsForWhatHas() throws {
        let scene = try Scene()
        let gate = scene.stopDisk()
        let begun = scene.apply(register("192.0.2.1"))
        scene.passOnce()
        let waiting = scene.apply(register("192.0.2.2"))
        scene.services.stop()
        #expect(waiting.error?.status == 503 && begun.result == nil)
        let observer = Observer()
        scene.services.queue.observer = observer
        gate.signal()
        #expect(run(scene.loop) { observer.isIdle })
        scene.collect()
        #expect(begun.isSuccess, "it is durable")
        #expect(scene.snapshots.count == 1, "and the next start puts it in force")
        try scene.start()
        #expect(targets(scene) == ["192.0.2.1"])
    }

    @Test func tooManyThatWaitAreRefused() throws {
        let scene = try Scene()
        let gate = scene.stopDisk()
        _ = scene.apply(register("192.0.2.1"))
        scene.passOnce()
        let waiting = (0..<Limits.changesWaitingMax).map { _ in scene.apply(register("192.0.2.2")) }
        let refused = scene.apply(register("192.0.2.3"))
        scene.passOnce()
        #expect(refused.error?.code == "Throttling" && refused.error?.status == 503)
        gate.signal()
        scene.pass()
        #expect(waiting.allSatisfy { $0.isSuccess })
    }
}
