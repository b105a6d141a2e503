import Core
import Foundation
import Model
import Proxy
import Testing

@testable import Control

/// Sources of targets, from what they say to what is in force: with a file as the source, on a real disk.
@Suite struct TargetDiscoveryTests {
    private typealias Scene = ServicesTests.Scene

    private static let groups = """
        targetGroups:
          - name: blue
            targetType: ip
            protocol: HTTP
            port: 8080
            targets: [ { id: 192.0.2.1 } ]
            discovery: { file: { path: blue.json } }
          - { name: green, targetType: ip, protocol: HTTP, port: 8080 }

        """

    private func write(_ scene: Scene, _ text: String) throws {
        // Renamed into place, as docs/discovery.md says.
        try Data(text.utf8).write(to: URL(fileURLWithPath: scene.folder.file("blue.json")), options: .atomic)
    }

    private func targets(_ scene: Scene) -> [String] {
        scene.services.status.document.targetGroups[0].targets.map(\.id)
    }

    private func becomes(_ scene: Scene, _ ids: String...) -> Bool {
        let isSo = run(scene.loop) { targets(scene) == ids && scene.services.queue.isIdle }
        scene.collect()
        return isSo
    }

    private func names(_ scene: Scene) -> [String] { posted(scene.events).map(\.name) }

    private func toldCount(_ scene: Scene) -> Int { names(scene).count { $0 == "discovery-refused" } }

    @Test func aFileIsFollowed() throws {
        let scene = try Scene(groups: Self.groups)
        #expect(run(scene.loop) { scene.services.status.discovery.first?.record.reason != nil }, "there is no file yet")
        #expect(targets(scene) == ["192.0.2.1"] && names(scene).contains("discovery-failed"))
        try write(scene, #"[{"id": "a", "address": "192.0.2.7", "port": 81, "weight": 3}, {"id": "b", "port": 0}]"#)
        #expect(becomes(scene, "192.0.2.1", "192.0.2.7"))
        #expect(names(scene).contains("discovery-recovered") && names(scene).contains("discovery-refused"))
        let status = try #require(scene.services.status.discovery.first)
        #expect(status.group == "blue" && status.kind == "file" && status.place.hasSuffix("/blue.json"))
        #expect(status.refusals.map(\.name) == ["b"] && status.record.state == .following)
        let layers = scene.services.status.targetLayers(ofGroup: "blue")
        #expect(layers[TargetKey(id: "192.0.2.7", port: 81)] == .discovered(name: "a"))
        #expect(layers[TargetKey(id: "192.0.2.1", port: 8080)] == .file)
        #expect(scene.services.status.tally.stateWrites == 0, "what was found is not kept on disk")
        // What is no list takes nothing away, and neither does a file that is gone.
        try write(scene, "[")
        #expect(run(scene.loop) { scene.services.status.discovery.first?.record.reason != nil })
        #expect(targets(scene) == ["192.0.2.1", "192.0.2.7"])
        try FileManager.default.removeItem(atPath: scene.folder.file("blue.json"))
        #expect(run(scene.loop) { scene.services.status.discovery.first!.record.reason!.contains("file") })
        #expect(targets(scene) == ["192.0.2.1", "192.0.2.7"])
        try write(scene, "[]")
        #expect(becomes(scene, "192.0.2.1"))
    }

    @Test func whatIsDeregisteredStaysOutUntilItIsNamedAnew() throws {
        let scene = try Scene(groups: Self.groups)
        try write(scene, #"[{"id": "192.0.2.7"}]"#)
        #expect(becomes(scene, "192.0.2.1", "192.0.2.7"))
        #expect(scene.services.status.tally.stateWrites == 0)
        let gone = scene.apply(.deregisterTargets(group: "blue", [TargetDescription(id: "192.0.2.7")]))
        scene.pass()
        #expect(gone.isSuccess && targets(scene) == ["192.0.2.1"] && scene.services.status.tally.stateWrites == 1)
        try write(scene, #"[{"id": "192.0.2.7"}, {"id": "192.0.2.8"}]"#)
        #expect(becomes(scene, "192.0.2.1", "192.0.2.8"))
        // A new process reads the same from the disk.
        try scene.start()
        scene.services.workers.attach(mailboxes: scene.mailboxes)
        scene.services.begin()
        #expect(becomes(scene, "192.0.2.1", "192.0.2.8"))
        try write(scene, "[]")
        #expect(becomes(scene, "192.0.2.1"))
        try write(scene, #"[{"id": "192.0.2.7"}]"#)
        #expect(becomes(scene, "192.0.2.1", "192.0.2.7"))
    }

    @Test func aReloadKeepsWhatWasFound() throws {
        let scene = try Scene(groups: Self.groups)
        try write(scene, #"[{"id": "192.0.2.7"}]"#)
        #expect(becomes(scene, "192.0.2.1", "192.0.2.7"))
        var answers = 0
        func reload() { scene.services.reloads.reload(discardingChanges: false, if: nil) { _ in answers += 1 } }
        // The source has moved, and what it says is not known yet.
        try scene.write(groups: Self.groups.replacingOccurrences(of: "blue.json", with: "other.json"))
        reload()
        #expect(run(scene.loop) { answers == 1 })
        #expect(targets(scene) == ["192.0.2.1", "192.0.2.7"])
        #expect(scene.services.status.discovery.first?.place.hasSuffix("other.json") == true)
        try Data(#"[{"id": "192.0.2.9"}]"#.utf8).write(to: URL(fileURLWithPath: scene.folder.file("other.json")))
        #expect(becomes(scene, "192.0.2.1", "192.0.2.9"))
        // Without discovery the group has what is registered.
        try scene.write(
            groups: Self.groups.replacingOccurrences(of: "discovery: { file: { path: blue.json } }", with: ""))
        reload()
        #expect(run(scene.loop) { answers == 2 })
        #expect(targets(scene) == ["192.0.2.1"] && scene.services.status.discovery.isEmpty)
    }

    /// All that is said within a moment is one snapshot.
    @Test func whatComesTogetherIsOneBatch() throws {
        let scene = try Scene(groups: Self.groups)
        for number in 1...20 {
            try write(scene, "[" + (0..<number).map { #"{"id": "192.0.2.\#(100 + $0)"}"# }.joined(separator: ",") + "]")
            scene.passOnce()
        }
        #expect(run(scene.loop) { targets(scene).count == 21 && scene.services.queue.isIdle })
        #expect(scene.services.status.discoveryBatches < 20)
    }

    /// A source that names ever new ones does not fill the log.
    @Test func aFewOfThoseThatAreRefusedAreTold() throws {
        let scene = try Scene(groups: Self.groups)
        for round in 0..<3 {
            let bad = (0..<15).map { #"{"id": "x\#(round)-\#($0)", "address": "a.b"}"# }
            try write(scene, #"[{"id": "192.0.2.7"}, "# + bad.joined(separator: ",") + "]")
            #expect(
                run(scene.loop) {
                    scene.services.status.discovery.first?.refusals.first?.name == "x\(round)-0"
                        && scene.services.queue.isIdle
                        && toldCount(scene) == min(15 * (round + 1), Limits.discoveryRefusalsToldMax)
                })
            scene.collect()
        }
        #expect(toldCount(scene) == Limits.discoveryRefusalsToldMax)
        #expect(scene.services.status.discovery.first?.refusals.count == 15)
    }

    @Test func nothingIsFollowedWhileTheProcessEnds() throws {
        let scene = try Scene(groups: Self.groups)
        scene.services.stop()
        try write(scene, #"[{"id": "192.0.2.7"}]"#)
        scene.passOnce()
        #expect(targets(scene) == ["192.0.2.1"] && scene.services.status.discovery.isEmpty)
    }
}
