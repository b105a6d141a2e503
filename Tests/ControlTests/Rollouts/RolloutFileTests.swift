import Core
import Foundation
import Model
import TestRuns
import Testing

@testable import Control

/// Rollouts on disk.
@Suite struct RolloutFileTests {
    @Test func whatIsSavedIsLoaded() throws {
        let folder = TestRun.newPath()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = RolloutFile(inFolder: folder)
        #expect(try file.load().isEmpty)
        var rollout = Rollout(loadBalancerName: "web", port: 80, priority: 7, from: "blue", to: "green")
        rollout.steps = [5, 100]
        rollout.guards.p99Percent = nil
        rollout.onRestart = .abort
        var first = RolloutRecord(id: 3, rollout: rollout, user: 7, startedAt: 12)
        first.phase = .aborted
        first.reason = "It was worse."
        first.endedAt = 99
        let second = RolloutRecord(id: 4, rollout: rollout, user: nil, startedAt: 13, phase: .paused)
        try file.save([first, second])
        #expect(try file.load() == [first, second])
        #expect(first.weights == ["blue": 100, "green": 0] && second.weights == ["blue": 95, "green": 5])
    }

    @Test(arguments: [
        "", "{", "{}", #"{"rollouts": [{}]}"#, #"{"rollouts": 7}"#,
        #"{"rollouts": [{"id": 1, "phase": "running", "step": 9, "startedAt": 1, "rollout": {"loadBalancerName": "w", "#
            + #""port": 1, "from": "a", "to": "b"}}]}"#,
    ])
    func whatCannotBeUnderstoodIsToldAndLeft(_ text: String) throws {
        let folder = TestRun.newPath()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = RolloutFile(inFolder: folder)
        try text.write(toFile: file.path, atomically: true, encoding: .utf8)
        #expect(throws: RolloutFile.Damage.self) { try file.load() }
        #expect(try String(contentsOfFile: file.path, encoding: .utf8) == text)
    }
}
