import CLinux

/// How the process's memory is given back to the system. What is freed goes to malloc(3), which keeps it: pages between
/// pieces in use, and by default whatever was as large as the largest piece that was ever freed.
public enum ProcessMemory {
    /// Has large pieces taken from the system and given back to it one by one. Called once, before the first thread
    /// starts. Source: mallopt(3).
    public static func prepare() {
        _ = apus_set_mmap_threshold(Int32(Limits.mappedBytesMin))
        _ = apus_set_trim_threshold(Int32(Limits.trimmedBytesMin))
    }

    /// Gives back what lies free between pieces in use. Takes milliseconds for every ten megabytes, in which threads
    /// that allocate may have to wait. Source: malloc_trim(3).
    public static func returnMemory() { _ = apus_malloc_trim() }
}
