import CLinux
import Glibc

/// What the process asks of, and is granted by, the system it runs on.
public enum SystemProcess {
    /// Processors this process may run on.
    public static var processorCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// Raises the limit on open descriptors as far as the system allows, and returns it. Source: getrlimit(2).
    public static func raiseDescriptorLimit() -> Int {
        var limit = rlimit()
        guard unsafe apus_getrlimit_files(&limit) == 0 else { return 1024 }
        var raised = limit
        raised.rlim_cur = raised.rlim_max
        if unsafe apus_setrlimit_files(&raised) == 0 { limit = raised }
        return Int(min(limit.rlim_cur, 1 << 30))
    }

    /// The words that this process was started with, its own name first, as main(3) gets them. Swift's
    /// `CommandLine` finds none of them without /proc, or behind a preloaded library.
    public static var arguments: [String] {
        let count = apus_argument_count()
        // Another C library than glibc does not tell.
        guard count > 0 else { return CommandLine.arguments }
        return (0..<count).map { unsafe String(cString: apus_argument($0)) }
    }

    /// The id of this process.
    public static var id: Int32 { getpid() }
}

/// Opens and gives back one descriptor held in reserve, so that a full table can still be answered.
///
/// With all descriptors in use a waiting connection can be neither accepted nor refused, and a level-triggered listener
/// would spin. Giving the reserve back makes room to accept that one connection and close it.
public struct ReserveDescriptor {
    private var descriptor: Int32

    public init() { descriptor = unsafe apus_open("/dev/null", O_RDONLY, 0) }

    /// Frees one descriptor. Returns whether there was one to free.
    public mutating func release() -> Bool {
        guard descriptor >= 0 else { return false }
        _ = close(descriptor)
        descriptor = -1
        return true
    }

    /// Takes one back, if there is room again.
    public mutating func restore() {
        if descriptor < 0 { descriptor = unsafe apus_open("/dev/null", O_RDONLY, 0) }
    }
}
