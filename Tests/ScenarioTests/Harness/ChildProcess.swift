import Foundation
import Glibc
import TestRuns

/// One program started by a scenario, its output going to files.
///
/// Shape:  killed and reaped on deinit, at the latest when the tests end (`TestRun`).
final class ChildProcess: Sendable {
    /// Its process id; reaped when `exitStatus` says that it ended.
    let pid: pid_t
    private let output: String
    private let errors: String
    private let status = Locked<ExitStatus?>(nil)

    /// How a program ended.
    enum ExitStatus: Equatable, Sendable {
        case exited(Int32)
        case signalled(Int32)
    }

    /// Starts `arguments[0]`, found as the shell would, working in `folder` with its standard output and error there.
    init(_ arguments: [String], environment: [String: String] = [:], folder: String, label: String) throws {
        output = "\(folder)/\(label).stdout"
        errors = "\(folder)/\(label).stderr"
        pid = try Self.spawn(arguments, environment, folder: folder, output: output, errors: errors)
    }

    deinit { kill() }

    /// Its standard output so far.
    var standardOutput: String { Self.contents(output) }
    /// Its standard error so far.
    var standardError: String { Self.contents(errors) }

    /// How it ended; `nil` while it runs.
    var exitStatus: ExitStatus? {
        status.withLock { known in
            if known == nil {
                var raw: Int32 = 0
                guard unsafe waitpid(pid, &raw, WNOHANG) == pid else { return nil }
                known = raw & 0x7F == 0 ? .exited(raw >> 8 & 0xFF) : .signalled(raw & 0x7F)
            }
            return known
        }
    }

    /// Waits for the end; `nil` when it still runs after `seconds`.
    func waitForExit(within seconds: Double = 15) -> ExitStatus? {
        eventually(within: seconds) { exitStatus }
    }

    /// Sends it a signal; does nothing when it has ended.
    func signal(_ number: Int32) {
        if exitStatus == nil { _ = Glibc.kill(pid, number) }
    }

    /// SIGKILL, and waits until the program is gone.
    func kill() {
        signal(SIGKILL)
        _ = waitForExit()
    }

    /// A value of /proc/PID/status in bytes: `VmRSS` resident now, `VmHWM` the most it ever was.
    func memory(_ key: String) -> Int? {
        let line = Self.contents("/proc/\(pid)/status").split(separator: "\n").first { $0.hasPrefix(key + ":") }
        return line.flatMap { Int($0.split(whereSeparator: { $0 == " " || $0 == "\t" })[1]) }.map { $0 * 1_024 }
    }

    /// Descriptors that it has open.
    var descriptorsCount: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count) ?? 0
    }

    /// Seconds of processor time used so far, user and system.
    var processorSeconds: Double {
        let fields = Self.contents("/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Changes its limit of open files while it runs. Source: prlimit(1), which Debian always has.
    func limitDescriptors(to count: Int, in folder: String) throws {
        let words = ["prlimit", "--pid", "\(pid)", "--nofile=\(count):"]
        let status = try ChildProcess(words, folder: folder, label: "prlimit").waitForExit()
        guard status == .exited(0) else { throw SocketError(call: "prlimit", code: EPERM) }
    }

    private static func contents(_ path: String) -> String {
        // Not FileManager: it asks for the size first, and files of /proc have none.
        guard let file = FileHandle(forReadingAtPath: path) else { return "" }
        return String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
    }

    private static func spawn(
        _ arguments: [String], _ environment: [String: String], folder: String, output: String, errors: String
    ) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o644)

        // The program must not inherit the test runner's signal mask.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var mask = sigset_t()
        unsafe sigemptyset(&mask)
        unsafe posix_spawnattr_setsigmask(&attributes, &mask)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        let own = ProcessInfo.processInfo.environment.merging([TestRun.mark: TestRun.name]) { _, mark in mark }
        let all = own.merging(environment) { _, given in given }
        // Glibc's module does not have posix_spawn_file_actions_addchdir_np(3).
        let words = unsafe (["env", "-C", folder] + arguments).map { unsafe strdup($0) } + [nil]
        let settings = unsafe all.map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
        defer { unsafe (words + settings).forEach { unsafe free($0) } }
        var pid: pid_t = 0
        let code = unsafe posix_spawnp(&pid, "env", &actions, &attributes, words, settings)
        guard code == 0 else { throw SocketError(call: "start \(arguments[0])", code: code) }
        return pid
    }
}
