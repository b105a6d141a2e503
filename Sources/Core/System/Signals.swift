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

    private static let ending = [SIGTERM, SIGINT]
    private static let others = [SIGHUP, SIGUSR1, SIGCHLD]

    /// Has these signals wait for `next`, on the calling thread and on every thread it starts later; those to end only
    /// from `blockTermination` on. And ignores SIGPIPE, which writes to closed connections would otherwise raise. Call before
    /// any other thread exists.
    public init() {
        _ = signal(SIGPIPE, SIG_IGN)
        Self.mask(SIG_BLOCK, Self.others)
        var set = Self.set(Self.ending + Self.others)
        descriptor = unsafe signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        precondition(descriptor >= 0, "signalfd: \(systemErrorText(errno))")
    }

    /// From now on the signals to end wait as well, for whoever ends things in order. Until then they end the process
    /// at once, whatever it waits for. Call before any other thread exists.
    public func blockTermination() { Self.mask(SIG_BLOCK, Self.ending) }

    /// The signals to end do so at once again. Call when no thread is left.
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
        case SIGCHLD: .childEnded
        default: .terminate
        }
    }
}
