import Foundation
import Testing

/// A program for upgrades that reads its configuration from a pipe, so that the test decides when it gets ready: by
/// then it has everything that the old process hands over.
struct GatedProgram {
    /// Where it is.
    let path: String
    private let gate: String
    private let configuration: String
    private let writer: FileHandle

    /// A script with this name in the folder of `site`. `command` runs `$APUS run /dev/fd/9` in some way.
    init(_ name: String, _ command: String, for site: UpgradingApus) throws {
        gate = "\(site.apus.folder)/gate"
        #expect(mkfifo(gate, 0o600) == 0)
        configuration = try String(contentsOfFile: site.apus.configurationPath, encoding: .utf8)
        path = try site.program(name, "exec 9<\(gate); \(command)")
        writer = try #require(FileHandle(forUpdatingAtPath: gate))
    }

    /// Whether `process` is an Apus that reads the pipe. A shell, which it was before, has the pipe twice for a moment
    /// as well.
    func isRead(by process: pid_t) -> Bool {
        Self.program(of: process)?.hasSuffix("/apus") == true && Tool.descriptors(of: process, on: gate) == 2
    }

    /// Gives it the configuration.
    func open() throws {
        try writer.write(contentsOf: Data(configuration.utf8))
        try writer.close()
    }

    /// The path of the program that a process runs; nil once it has ended, whether or not its parent has waited for it.
    static func program(of process: pid_t) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe")
    }
}
