import Foundation
import TestRuns
import Testing

/// The container image of the program under test, as `make image` makes it of the optimised one.
enum ContainerImage {
    /// Where it lies, once for all tests.
    private static let archive = Result {
        let folder = try TestRun.makeFolder()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(".ci/image").path
        let child = try ChildProcess([Tool.python, script, ApusProcess.binary, folder], folder: folder, label: "image")
        guard child.waitForExit(within: 120) == .exited(0) else {
            throw ShellFailure(lines: script, errors: child.standardError)
        }
        return "\(folder)/apus.tar"
    }

    /// Gives it to a daemon, with the name `apus`.
    static func load(into containers: Containers) throws {
        try containers.docker("load", "--quiet", "--input", archive.get())
    }
}

extension Containers {
    /// What a container has written.
    func logs(_ container: String) -> String {
        let words = ["/usr/bin/docker", "-H", "unix://\(socket)", "logs", container]
        return (try? Tool.run(words, in: folder, expectsSuccess: false)) ?? ""
    }

    /// Whether a container's own health check says `health`, or does so in time.
    func becomes(_ container: String, _ health: String) throws -> Bool {
        try eventually(within: 60) {
            try docker("inspect", "--format", "{{.State.Health.Status}}", container).hasPrefix(health)
        }
    }
}
