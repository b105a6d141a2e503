import CLinux
import Glibc

/// The signals Apus handles, read from a descriptor (signalfd) on the control thread instead of interrupting it.
/// Source: signalfd(2).
public struct Signals {
    /// Readable when a signal waits.
    public let descriptor: Int32

    /// What the operator asks for.
    public enum Signal: Sendable {
        /// SIGTERM or SIGINT: graceful shutdown. Drain what is in flight, then exit.
        case terminate
        /// SIGHUP: read the configuration file again.
        case reload
        /// SIGUSR1: reopen the log files, after they were rotated.
        case reopenLogs
        /// SIGUSR2: another process of the same program takes over.
        case upgrade
        /// SIGCHLD: a child process ended.
        case childEnded
    }

    private static let ending = [SIGTERM, SIGINT]
    private static let others = [SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD]

    /// Blocks these signals on the calling thread and on every thread it starts later, so that they wait for `next`;
    /// SIGTERM and SIGINT only from `blockTermination` on. Ignores SIGPIPE, which writes to closed connections would
    /// raise. Call before any other thread exists.
    public init() {
        _ = signal(SIGPIPE, SIG_IGN)
        Self.mask(SIG_BLOCK, Self.others)
        var set = Self.set(Self.ending + Self.others)
        descriptor = unsafe signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        precondition(descriptor >= 0, "signalfd: \(systemErrorText(errno))")
    }

    /// From now on SIGTERM and SIGINT wait for `next` too, so that shutdown is graceful. Until then they end the
    /// process at once. Call before any other thread exists.
    public func blockTermination() { Self.mask(SIG_BLOCK, Self.ending) }

    /// SIGTERM and SIGINT end the process at once again. Call when no other thread is left.
    public func unblockTermination() { Self.mask(SIG_UNBLOCK, Self.ending) }

    private static func mask(_ how: Int32, _ numbers: [Int32]) {
        var set = set(numbers)
        let status = unsafe pthread_sigmask(how, &set, nil)
        precondition(status == 0, "pthread_sigmask: \(systemErrorText(status))")
    }

    private static func set(_ numbers: [Int32]) -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in numbers { _ = unsafe sigaddset(&set, number) }
        return set
    }

    /// The next waiting signal, or nil.
    public func next() -> Signal? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard unsafe read(descriptor, &information, size) == size else { return nil }
        return switch Int32(information.ssi_signo) {
        case SIGHUP: .reload
        case SIGUSR1: .reopenLogs
        case SIGUSR2: .upgrade
        case SIGCHLD: .childEnded
        default: .terminate
        }
    }
}
