import CLinux
import Glibc

extension SystemProcess {
    /// What this process uses of the system. Source: proc(5), getrusage(2).
    public struct Figures: Sendable {
        /// Processor time in user mode and in the kernel, all threads together.
        public var processorTime: Nanoseconds = 0
        /// Octets of memory that are in RAM.
        public var residentBytes: UInt64 = 0
        /// Octets of address space.
        public var virtualBytes: UInt64 = 0
        /// Open descriptors.
        public var descriptorCount: UInt64 = 0
        /// The most descriptors that may be open.
        public var descriptorsMax: UInt64 = 0
    }

    /// What this process uses now; what the system does not tell is 0.
    public static var figures: Figures {
        var figures = Figures()
        var usage = rusage()
        if unsafe getrusage(RUSAGE_SELF, &usage) == 0 {
            figures.processorTime = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)
        }
        if let pages = try? readFile("/proc/self/statm") {
            let sizes = pages.span.text.split(separator: " ").prefix(2).map { (UInt64($0) ?? 0) * pageBytes }
            if sizes.count == 2 { (figures.virtualBytes, figures.residentBytes) = (sizes[0], sizes[1]) }
        }
        figures.descriptorCount = countDescriptors()
        var limit = rlimit()
        if unsafe apus_getrlimit_files(&limit) == 0 { figures.descriptorsMax = limit.rlim_cur }
        return figures
    }

    private static var pageBytes: UInt64 { UInt64(max(0, sysconf(Int32(_SC_PAGESIZE)))) }

    private static func nanoseconds(_ time: timeval) -> Nanoseconds {
        Nanoseconds(time.tv_sec) * 1_000_000_000 + Nanoseconds(time.tv_usec) * 1000
    }

    private static func countDescriptors() -> UInt64 {
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { _ = unsafe closedir(folder) }
        var count: UInt64 = 0
        while unsafe readdir(folder) != nil { count += 1 }
        // Without ".", ".." and the descriptor that reads the folder.
        return count > 3 ? count - 3 : 0
    }
}
