import CLinux
import Glibc

/// Facts and limits of this process, as the system reports them.
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

    /// The command line of this process, its own name first, as `main` gets it. Swift's `CommandLine` finds it neither
    /// without /proc nor when a library is preloaded.
    public static var arguments: [String] {
        let count = apus_argument_count()
        // Only glibc passes the arguments to initialisers.
        guard count > 0 else { return CommandLine.arguments }
        return (0..<count).map { unsafe String(cString: apus_argument($0)) }
    }

    /// The path of the program that this process runs, as it was started: where symbolic links lead elsewhere by now,
    /// or another file is there, the path leads to that. Read before the file can have been replaced.
    ///
    /// Source: getauxval(3), `AT_EXECFN`; proc(5), `/proc/self/exe`.
    public static func startedPath() -> String? {
        if let path = unsafe apus_executed_path() {
            let text = unsafe String(cString: path)
            if text.hasPrefix("/"), !text.hasPrefix("/proc/") { return text }
        }
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }

    /// Removes a variable from the environment, so that programs which this one starts do not get it. Returns its
    /// value; nil when it was unset or empty. Call before other threads exist. Source: unsetenv(3).
    public static func takeEnvironment(_ name: String) -> String? {
        let value = Terminal.environment(name)
        _ = unsafe unsetenv(name)
        return value
    }

    /// The id of this process.
    public static var id: Int32 { getpid() }

    /// Whether the process with this number runs, or may do so: one that has ended and was not waited for does not.
    /// Source: proc(5), `/proc/pid/stat`.
    public static func isRunning(_ id: Int) -> Bool {
        // 0 and below would ask for groups of processes.
        guard let number = pid_t(exactly: id), number > 0, kill(number, 0) == 0 || errno == EPERM else { return false }
        guard let bytes = try? readFile("/proc/\(id)/stat"),
            let end = bytes.lastIndex(of: UInt8(ascii: ")")), end + 2 < bytes.count
        else { return true }
        return !"ZX".utf8.contains(bytes[end + 2])
    }

    /// The number of the process that has started this one, or has adopted it, and its name; empty if it cannot be
    /// told. Source: proc(5), `/proc/pid/comm`.
    public static var parent: (id: Int32, name: String) {
        let id = getppid()
        let bytes = (try? readFile("/proc/\(id)/comm")) ?? []
        return (id, String(decoding: bytes, as: UTF8.self).filter { $0 != "\n" })
    }
}

/// Holds one descriptor in reserve, so that connections can still be refused when the process is out of descriptors.
///
/// With all descriptors in use, a waiting connection can be neither accepted nor refused, and a level-triggered
/// listener would spin. Closing the reserve makes room to accept that connection and close it.
public struct ReserveDescriptor {
    private var descriptor: Int32

    public init() { descriptor = unsafe apus_open("/dev/null", O_RDONLY, 0) }

    /// Closes the reserved descriptor. Returns whether there was one.
    public mutating func release() -> Bool {
        guard descriptor >= 0 else { return false }
        _ = close(descriptor)
        descriptor = -1
        return true
    }

    /// Opens a reserved descriptor again, if there is room.
    public mutating func restore() {
        if descriptor < 0 { descriptor = unsafe apus_open("/dev/null", O_RDONLY, 0) }
    }
}
