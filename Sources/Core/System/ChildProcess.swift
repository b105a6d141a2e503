import CLinux
import Glibc

/// A program that this process started.
///
/// Shape: a trivial value; its owner ends it and waits for it, once.
public struct ChildProcess: Equatable, Sendable {
    /// Its process id.
    public let id: Int32
    /// Our end of its standard output; nil if it shares ours.
    private let output: Int32?

    /// How a process has ended.
    public enum Ending: Equatable, Sendable, CustomStringConvertible {
        case exited(Int32)
        case signalled(Int32)

        public var description: String {
            switch self {
            case .exited(let status): "with status \(status)"
            case .signalled(let number): "by signal \(number)"
            }
        }
    }

    /// Starts this program with other arguments, in a process group of its own, so that Ctrl-C in a terminal reaches
    /// only the parent. Signal dispositions and the signal mask are reset to their defaults.
    ///
    /// Source: posix_spawn(3); proc(5), `/proc/self/exe`. Errors: `SystemError`.
    public static func startSelf(_ arguments: [String]) throws(SystemError) -> ChildProcess {
        let command = "start apus \(arguments.joined(separator: " "))"
        // A socket pair instead of a pipe: it is created close-on-exec, so that no other child inherits our end.
        var ends: (Int32, Int32) = (-1, -1)
        let made = unsafe withUnsafeMutablePointer(to: &ends) { ends in
            unsafe ends.withMemoryRebound(to: Int32.self, capacity: 2) { ends in
                unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, ends)
            }
        }
        guard made == 0 else { throw SystemError(command) }
        var id: pid_t = 0
        let words = ["apus"] + arguments
        let status = unsafe spawn(&id, "/proc/self/exe", words, handing: ends.1, as: 1, ownGroup: true)
        _ = close(ends.1)
        guard status == 0 else {
            _ = close(ends.0)
            throw SystemError(command, code: status)
        }
        return ChildProcess(id: id, output: ends.0)
    }

    /// Starts the program at `path` with `arguments`, its own name first, and with `socket` as its descriptor 3, which
    /// the environment variable `variable` names; `variables` (`NAME=value`) are added as well. It shares our standard
    /// output and error, and inherits nothing else that is open, and of capabilities only CAP_NET_ADMIN. Signal
    /// dispositions and the signal mask are reset to their defaults.
    ///
    /// Source: posix_spawn(3). Errors: `SystemError`, as when there is no program at the path.
    public static func start(
        _ path: String, _ arguments: [String], handing socket: MessageSocket, as variable: String,
        adding variables: [String] = []
    ) throws(SystemError) -> ChildProcess {
        var id: pid_t = 0
        SystemUser.passNetAdmin(true)
        defer { SystemUser.passNetAdmin(false) }
        let status = unsafe spawn(
            &id, path, arguments, handing: socket.descriptor, as: 3, ownGroup: false,
            environment: ["\(variable)=3"] + variables)
        guard status == 0 else { throw SystemError("start \(path)", code: status) }
        return ChildProcess(id: id, output: nil)
    }

    /// `environment` is what the child gets beside the variables of this process.
    private static func spawn(
        _ id: UnsafeMutablePointer<pid_t>, _ path: String, _ arguments: [String], handing descriptor: Int32,
        as number: Int32, ownGroup: Bool, environment: [String] = []
    ) -> Int32 {
        var attributes = posix_spawnattr_t()
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawnattr_init(&attributes)
        unsafe posix_spawn_file_actions_init(&actions)
        defer {
            unsafe posix_spawnattr_destroy(&attributes)
            unsafe posix_spawn_file_actions_destroy(&actions)
        }
        var none = sigset_t(), all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        _ = unsafe posix_spawnattr_setsigmask(&attributes, &none)
        _ = unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        _ = unsafe posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (ownGroup ? POSIX_SPAWN_SETPGROUP : 0)
        _ = unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
        _ = unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, number)

        var vector = unsafe arguments.map { unsafe strdup($0) } + [nil]
        let added = unsafe environment.map { unsafe strdup($0) }
        defer { unsafe (vector + added).forEach { unsafe free($0) } }
        var variables = unsafe added
        var index = 0
        while let variable = unsafe environ[index] {
            unsafe variables.append(variable)
            index += 1
        }
        unsafe variables.append(nil)
        return unsafe posix_spawn(id, path, &actions, &attributes, &vector, &variables)
    }

    /// Waits until it has written something or has ended. Returns whether it has written.
    public func awaitOutput() -> Bool {
        guard let output else { return false }
        var byte: UInt8 = 0
        while true {
            let count = unsafe read(output, &byte, 1)
            if count >= 0 || errno != EINTR { return count == 1 }
        }
    }

    /// Makes the kernel end this process when its parent ends. Returns false if the parent is no longer `parent`, so
    /// that it has ended already. Called at the start of a child. Source: prctl(2), `PR_SET_PDEATHSIG`.
    public static func endWithParent(_ parent: Int32) -> Bool {
        _ = apus_prctl_parent_death_signal(SIGKILL)
        return getppid() == parent
    }

    /// Kills it.
    public func kill() { _ = Glibc.kill(id, SIGKILL) }

    /// Reaps the process if it has ended, and returns whether it did. Returns true only once, since the kernel then
    /// drops its exit status.
    public func reap() -> Bool { takeEnding() != nil }

    /// The same, with how it has ended; nil while it runs, and once that was taken.
    public func takeEnding() -> Ending? {
        var status: Int32 = 0
        guard unsafe waitpid(id, &status, WNOHANG) == id else { return nil }
        let signal = status & 0x7F
        return signal == 0 ? .exited(status >> 8 & 0xFF) : .signalled(signal)
    }

    /// Waits for its end, unless it was reaped, and closes its output.
    public func wait() {
        var status: Int32 = 0
        while unsafe waitpid(id, &status, 0) < 0 && errno == EINTR {}
        if let output { _ = close(output) }
    }
}
