import CLinux
import Glibc

/// The signals Apus reacts to, read from a descriptor on the control thread instead of interrupting it.
/// Source: signalfd(2).
public struct Signals {
    /// Readable when a signal waits.
    public let descriptor: Int32

    /// What the operator asks for.
    public enum Signal: Sendable {
        /// SIGTERM or SIGINT: finish what is in flight, then exit.
        case terminate
        /// SIGHUP: read the configuration file again.
        case reload
        /// SIGUSR1: open the logs anew.
        case reopenLogs
        /// SIGCHLD: a child process ended.
        case childEnded
    }

    /// Blocks these signals for the calling thread, and so for every thread it starts later, and ignores SIGPIPE,
    /// which writes to closed connections would otherwise raise. Call before any other thread exists.
    public init() {
        _ = signal(SIGPIPE, SIG_IGN)
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD] { _ = unsafe sigaddset(&set, number) }
        let status = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        precondition(status == 0, "pthread_sigmask: \(systemErrorText(status))")
        descriptor = unsafe signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        precondition(descriptor >= 0, "signalfd: \(systemErrorText(errno))")
    }

    /// The next waiting signal, or nil.
    public func next() -> Signal? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard unsafe read(descriptor, &information, size) == size else { return nil }
        return switch Int32(information.ssi_signo) {
        case SIGHUP: .reload
        case SIGUSR1: .reopenLogs
        case SIGCHLD: .childEnded
        default: .terminate
        }
    }
}
