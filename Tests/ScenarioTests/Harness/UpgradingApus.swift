import Foundation
import Glibc

/// An Apus whose place others take, one after the other, at the same sockets.
///
/// Shape: whatever runs of it is killed on deinit: processes that have taken over are no children of the tests.
final class UpgradingApus {
    /// The first process, with the folder and the ports of all.
    let apus: ApusProcess
    /// The processes that have served so far, the last one serving.
    private(set) var ids: [pid_t]

    init(
        _ document: Document, until readiness: ApusProcess.Readiness = .targetsHealthy,
        launcher: (String) throws -> [String] = { _ in [] }
    ) throws {
        apus = try ApusProcess.start(document, until: readiness, launcher: launcher)
        ids = [apus.process.pid]
    }

    deinit { for id in ids where isRunning(id) { kill(id, SIGKILL) } }

    /// The process that serves.
    var id: pid_t { ids[ids.count - 1] }

    /// Whether this process is one of ours and lives.
    func isRunning(_ id: pid_t) -> Bool {
        let words = (try? String(contentsOfFile: "/proc/\(id)/cmdline", encoding: .utf8)) ?? ""
        return words.contains(apus.folder)
    }

    /// Has another process take over by `apus upgrade`.
    @discardableResult
    func upgrade(_ arguments: String...) throws -> ApusProcess.CommandResult {
        let result = try ApusProcess.command(
            ["upgrade"] + arguments, socket: apus.socketPath, folder: apus.folder, within: 90)
        noteSuccessor()
        return result
    }

    /// Takes note of the process that answers now. Returns whether it is another one.
    @discardableResult
    func noteSuccessor() -> Bool {
        guard let answering = try? apus.admin("GET", "/v1/status").json["pid"].int, answering != Int(id) else {
            return false
        }
        ids.append(pid_t(answering))
        return true
    }

    /// Ends the process that serves, in order. Whether all have ended in time.
    func terminate(within seconds: Double = 30) -> Bool {
        kill(id, SIGTERM)
        return eventually(within: seconds) { ids.allSatisfy { !isRunning($0) || apus.process.exitStatus == nil } }
            && eventually(within: seconds) { !isRunning(id) }
    }

    /// Writes a program that stands for another version of Apus: a shell script, which gets the path of the real one
    /// as `$APUS`. Returns its path.
    func program(_ name: String, _ script: String) throws -> String {
        let path = "\(apus.folder)/\(name)"
        try "#!/bin/sh\nAPUS=\(ApusProcess.binary)\n\(script)\n".write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }
}
