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
        #expect(file.load() == RolloutFile.Content())
        var rollout = Rollout(loadBalancerName: "web", port: 80, priority: 7, from: "blue", to: "green")
        rollout.steps = [5, 100]
        rollout.guards.p99Percent = nil
        rollout.onRestart = .abort
        var first = RolloutRecord(id: 3, rollout: rollout, user: 7, startedAt: 12)
        first.phase = .aborted
        first.reason = "It was worse."
        first.endedAt = 99
        first.isSettled = false
        let second = RolloutRecord(id: 4, rollout: rollout, user: nil, startedAt: 13, phase: .paused)
        try file.save([first, second])
        #expect(file.load() == RolloutFile.Content(records: [first, second]))
        #expect(first.weights == ["blue": 100, "green": 0] && second.weights == ["blue": 95, "green": 5])
    }

    @Test(arguments: [
        "", "{", "{}", #"{"rollouts": [{}]}"#, #"{"rollouts": 7}"#,
        #"{"rollouts": [{"id": 1, "phase": "running", "step": 9, "startedAt": 1, "rollout": {"loadBalancerName": "w", "#
            + #""port": 1, "from": "a", "to": "b"}}]}"#,
    ])
    func whatCannotBeUnderstoodIsToldAndKept(_ text: String) throws {
        let folder = TestRun.newPath()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = RolloutFile(inFolder: folder)
        try text.write(toFile: file.path, atomically: true, encoding: .utf8)
        let content = file.load()
        #expect(content.records.isEmpty && content.damage != nil && content.copyPath == file.path + ".damaged")
        #expect(try String(contentsOfFile: file.path + ".damaged", encoding: .utf8) == text)
    }

    @Test func oneThatCannotBeUnderstoodTakesNoOtherWithIt() throws {
        let folder = TestRun.newPath()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = RolloutFile(inFolder: folder)
        let rollout = Rollout(loadBalancerName: "web", port: 80, from: "blue", to: "green")
        let good = RolloutRecord(id: 3, rollout: rollout, user: nil, startedAt: 12)
        try file.save([good])
        let text = try String(contentsOfFile: file.path, encoding: .utf8)
        for bad in ["{}", #"{"id": 9223372036854775807}"#, String(text.dropFirst(13).dropLast(3))] {
            try text.replacingOccurrences(of: "[{", with: "[\(bad),{").write(
                toFile: file.path, atomically: true, encoding: .utf8)
            let content = file.load()
            #expect(content.records == [good] && content.damage != nil, "\(bad)")
        }
    }
}
