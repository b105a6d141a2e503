import CLinux
import Glibc

/// A program that this process started.
///
/// Shape: a trivial value; its owner ends it and waits for it, once.
public struct ChildProcess: Equatable, Sendable {
    /// Its process id.
    public let id: Int32
    /// Our end of its standard output.
    private let output: Int32

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
        let status = unsafe spawn(&id, ["apus"] + arguments, output: ends.1)
        _ = close(ends.1)
        guard status == 0 else {
            _ = close(ends.0)
            throw SystemError(command, code: status)
        }
        return ChildProcess(id: id, output: ends.0)
    }

    private static func spawn(_ id: UnsafeMutablePointer<pid_t>, _ arguments: [String], output: Int32) -> Int32 {
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
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        _ = unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
        _ = unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)

        var vector = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { unsafe vector.forEach { unsafe free($0) } }
        return unsafe posix_spawn(id, "/proc/self/exe", &actions, &attributes, &vector, environ)
    }

    /// Waits until it has written something or has ended. Returns whether it has written.
    public func awaitOutput() -> Bool {
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
    public func reap() -> Bool {
        var status: Int32 = 0
        return unsafe waitpid(id, &status, WNOHANG) == id
    }

    /// Waits for its end, unless it was reaped, and closes its output.
    public func wait() {
        var status: Int32 = 0
        while unsafe waitpid(id, &status, 0) < 0 && errno == EINTR {}
        _ = close(output)
    }
}
