import Foundation
import Glibc
import Testing

/// Starts without /proc and with a fake clock, as in containers and tests.
@Suite struct SurroundingsTests {
    /// The command prefix for a fake clock; nil if libfaketime is not installed, or this build does not support
    /// preloaded libraries (sanitizers).
    private static let withAnotherClock: [String]? = {
        let libraries = ["x86_64-linux-gnu", "aarch64-linux-gnu"].map { "/usr/lib/\($0)/faketime/libfaketime.so.1" }
        guard let library = libraries.first(where: FileManager.default.fileExists) else { return nil }
        let words = ["env", "LD_PRELOAD=\(library)", "FAKETIME=+3650d"]
        return begins(words) ? words : nil
    }()

    /// The command prefix that hides /proc; nil if we may not unmount it, or this build needs it.
    private static let withoutProc: [String]? = {
        let words = ["unshare", "--mount", "sh", "-c", "umount -l /proc && exec \"$@\"", "sh"]
        return begins(words) ? words : nil
    }()

    /// Whether the program succeeds with the prefix `words`, which printing its usage does too.
    private static func begins(_ words: [String]) -> Bool {
        let child = try? ChildProcess(words + [ApusProcess.binary, "--version"], folder: "/", label: "version")
        return child?.waitForExit(within: 20) == .exited(0)
    }

    private var document: Document {
        Document(
            listeners: [
                .init(defaultAction: ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "200"]])
            ], groups: [])
    }

    @Test("Without /proc it serves", .enabled(if: withoutProc != nil, "/proc cannot be unmounted here"))
    func noProc() throws {
        let words = try #require(Self.withoutProc)
        let apus = try ApusProcess.start(document) { _ in words }
        #expect(try apus.client().get("/unseen").status == 200)
        #expect(try apus.metric("apus_requests_total") == 1)
        #expect(apus.terminate() == .exited(0))
    }

    @Test(
        "With another clock it serves, and logs that clock's time",
        .enabled(if: withAnotherClock != nil, "libfaketime is not installed"))
    func anotherClock() throws {
        let words = try #require(Self.withAnotherClock)
        let apus = try ApusProcess.start(document) { _ in words }
        #expect(try apus.client().get("/later").status == 200)
        #expect(apus.terminate() == .exited(0))
        let year = Calendar(identifier: .gregorian).component(.year, from: Date() + 3650 * 86_400)
        let log = try String(contentsOfFile: apus.accessLogPath, encoding: .utf8)
        #expect(log.contains(" \(year)-") || log.contains(" \(year + 1)-"), "\(log)")
    }
}
