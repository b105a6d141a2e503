import Core
import Foundation
import Model
import Testing

@testable import Control

/// Reloads in turn with changes, and what a reload would say.
@Suite struct ReloaderTests {
    private typealias Scene = ServicesTests.Scene

    private final class Answer {
        var report: ReloadReport?
        var errors: ConfigErrors?
        var check: ReloadCheck?
    }

    private func reload(_ scene: Scene, if condition: GenerationCondition? = nil) -> Answer {
        let answer = Answer()
        scene.services.reloads.reload(discardingChanges: false, if: condition) { result in
            do throws(ConfigErrors) { answer.report = try result.get() } catch { answer.errors = error }
        }
        return answer
    }

    private func check(_ scene: Scene, _ text: String) -> Answer {
        let answer = Answer()
        scene.services.reloads.check(Array(text.utf8), file: "other.yaml", folder: nil) { answer.check = $0 }
        #expect(run(scene.loop) { answer.check != nil })
        return answer
    }

    /// A reload that changes nothing makes no generation.
    @Test func theSameFileChangesNothing() throws {
        let scene = try Scene()
        scene.collect()
        let answer = reload(scene)
        scene.pass()
        #expect(answer.report?.changes == [] && answer.report?.generation == 1)
        #expect(scene.snapshots.count == 1 && scene.services.status.tally.reloads == 1)
        #expect(posted(scene.events).map(\.name).contains("configuration-reloaded"))
    }

    /// What was asked for before is there by then, and what is asked for meanwhile comes after.
    @Test func aReloadHasItsTurnAmongTheChanges() throws {
        let scene = try Scene()
        let before = scene.apply(.registerTargets(group: "green", [TargetDescription(id: "192.0.2.8")]))
        let answer = reload(scene)
        let after = scene.apply(.deregisterTargets(group: "green", [TargetDescription(id: "192.0.2.8")]))
        scene.pass()
        #expect(before.isSuccess && after.isSuccess && answer.report != nil)
        #expect(scene.services.status.document.targetGroups[1].targets.isEmpty)
        #expect(scene.services.status.tally.changes == 2 && scene.services.status.tally.reloads == 1)
    }

    @Test func aConditionThatDoesNotHoldRefusesIt() throws {
        let scene = try Scene()
        let path = scene.file
        try scene.write(groups: Scene.groups, runtime: ", workers: 7")
        let answer = reload(scene, if: try GenerationCondition(ifMatch: "\"99\""))
        scene.pass()
        #expect(answer.errors != nil && scene.services.status.tally.reloadsRefused == 1, "\(path)")
        #expect(scene.services.status.tally.reloads == 0)
    }

    /// Who comes too late is told so, though not at once.
    @Test func whileStoppingNothingIsReloaded() throws {
        let scene = try Scene()
        scene.services.stop()
        let answer = reload(scene)
        #expect(answer.errors == nil, "not before the pass ends")
        scene.passOnce()
        #expect(answer.errors != nil && answer.report == nil)
    }

    // MARK: Checks

    @Test func aCheckSaysWhatAReloadWouldAndChangesNothing() throws {
        let scene = try Scene()
        scene.collect()
        let text = try String(contentsOfFile: scene.file, encoding: .utf8)
            .replacing("state }", with: "state, workers: 7 }")
        let answer = check(scene, text)
        #expect(answer.check?.mistakes == [] && answer.check?.needsRestart == ["runtime.workers"])
        #expect(scene.snapshots.count == 1 && scene.services.status.tally.reloads == 0)
    }

    /// A port that this process has already is no mistake; one that another has is one.
    @Test func aCheckTriesWhatTheHostHas() throws {
        let scene = try Scene()
        let text = try String(contentsOfFile: scene.file, encoding: .utf8)
        #expect(check(scene, text).check?.mistakes == [])
        let other = try Socket.listen(on: #require(SocketAddress(literal: "127.0.0.1", port: 0)), sharesPort: false)
        defer { other.close() }
        let taken = try #require(other.localAddress).port
        let own = scene.services.status.document.loadBalancers[0].listeners[0].port
        let mistakes = check(scene, text.replacing("port: \(own)", with: "port: \(taken)")).check?.mistakes ?? []
        #expect(mistakes.count == 1 && mistakes.first?.file == "other.yaml")
        #expect("\(mistakes)".contains("\(taken)"))
    }

    @Test func aCheckFindsAllMistakesOfABadFile() throws {
        let scene = try Scene()
        let answer = check(scene, "targetGroups:\n  - { name: blue, protocol: HTTQ, port: 0 }\n")
        #expect((answer.check?.mistakes.count ?? 0) >= 2)
        #expect(answer.check?.mistakes.allSatisfy { $0.file == "other.yaml" } == true)
        #expect(answer.check?.mistakes.contains { $0.location?.line == 2 } == true)
    }
}
