import CLinux
import Glibc

/// A program that this process started.
///
/// Shape: a trivial value; whoever started it ends it and waits for it, once.
public struct ChildProcess: Equatable, Sendable {
    /// Its process id.
    public let id: Int32

    /// Starts this very program with other arguments, in a process group of its own, so that Ctrl-C in a terminal
    /// reaches only us. Signals are as a fresh program expects them, whatever this thread blocks.
    ///
    /// Source: posix_spawn(3); proc(5), `/proc/self/exe`. Errors: `SystemError`.
    public static func startSelf(_ arguments: [String]) throws(SystemError) -> ChildProcess {
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t(), all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        _ = unsafe posix_spawnattr_setsigmask(&attributes, &none)
        _ = unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        _ = unsafe posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        _ = unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

        var vector = unsafe (["apus"] + arguments).map { unsafe strdup($0) } + [nil]
        defer { unsafe vector.forEach { unsafe free($0) } }
        var id: pid_t = 0
        let status = unsafe posix_spawn(&id, "/proc/self/exe", nil, &attributes, &vector, environ)
        guard status == 0 else { throw SystemError("start apus \(arguments.joined(separator: " "))", code: status) }
        return ChildProcess(id: id)
    }

    /// Has the kernel end this process together with its parent, which is `parent`. Returns false when that one is
    /// gone already. Called at the start of a child. Source: prctl(2), `PR_SET_PDEATHSIG`.
    public static func endWithParent(_ parent: Int32) -> Bool {
        _ = apus_prctl_parent_death_signal(SIGKILL)
        return getppid() == parent
    }

    /// Ends it at once.
    public func kill() { _ = Glibc.kill(id, SIGKILL) }

    /// Whether it has ended. The answer true is given once: the system then forgets it.
    public func takeEnd() -> Bool {
        var status: Int32 = 0
        return unsafe waitpid(id, &status, WNOHANG) == id
    }

    /// Waits for its end.
    public func wait() {
        var status: Int32 = 0
        while unsafe waitpid(id, &status, 0) < 0 && errno == EINTR {}
    }
}
