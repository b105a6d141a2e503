import Foundation
import Testing

/// The units of conf/systemd, as systemd itself reads them.
@Suite struct SystemdUnitTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("conf/systemd").path

    /// Whether systemd-analyze is here and can look at units; if not, the reason is printed.
    private static let isAnalyzed: Bool = {
        let child = try? ChildProcess(["systemd-analyze", "--version"], folder: "/tmp", label: UUID().uuidString)
        if child?.waitForExit() == .exited(0) { return true }
        print("no systemd-analyze here: units are not verified")
        return false
    }()

    @Test("systemd has nothing to say against the units", .enabled(if: isAnalyzed, "no systemd-analyze"))
    func verified() throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        for name in ["apus.service", "apus.socket"] {
            // Programs and manual pages are looked for, and here they are not installed.
            let text = try String(contentsOfFile: "\(Self.folder)/\(name)", encoding: .utf8)
                .replacingOccurrences(of: "/usr/bin/apus ", with: "\(ApusProcess.binary) ")
                .replacingOccurrences(of: "Documentation=man:apus(1)\n", with: "")
            #expect(!text.contains("/usr/bin/apus"))
            try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        let words = ["systemd-analyze", "verify", "\(folder)/apus.service", "\(folder)/apus.socket"]
        let child = try ChildProcess(words, folder: folder, label: "verify")
        #expect(child.waitForExit(within: 60) == .exited(0), "\(child.standardError)")
        #expect(!child.standardError.contains("apus"), "\(child.standardError)")
    }

    @Test("The service is exposed as little as it can be", .enabled(if: isAnalyzed, "no systemd-analyze"))
    func hardened() throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let words = ["systemd-analyze", "security", "--offline=yes", "--no-pager", "\(Self.folder)/apus.service"]
        let text = try Tool.run(words, in: folder)
        let level = try #require(text.firstMatch(of: /Overall exposure level for apus.service: (\d+\.\d)/)?.1)
        #expect(try #require(Double(level)) <= 2.0, "\(text)")
    }

    /// It has to outlast the process's own time, and its watchdog has to be that of a service which tells.
    @Test("The service's times fit the program's")
    func times() throws {
        let text = try String(contentsOfFile: "\(Self.folder)/apus.service", encoding: .utf8)
        let lines = Set(text.split(separator: "\n").map(String.init))
        #expect(lines.isSuperset(of: ["Type=notify", "User=apus", "Group=apus", "RuntimeDirectory=apus"]))
        #expect(lines.contains("NotifyAccess=all"), "apus upgrade needs it")
        let stop = try #require(text.firstMatch(of: /(?m)^TimeoutStopSec=(\d+)$/)?.1)
        #expect(try #require(Int(stop)) > 32, "runtime.shutdownGraceSeconds is 30, and workers get 2 s more")
    }
}
