import CLinux

/// How the process returns freed memory to the system. malloc(3) keeps what is freed: pages between blocks in use, and
/// by default every block up to the size of the largest one that was ever freed.
public enum ProcessMemory {
    /// Makes malloc map large blocks one by one, so that they return to the system when they are freed. Called once,
    /// before the first thread starts. Source: mallopt(3).
    public static func prepare() {
        _ = apus_set_mmap_threshold(Int32(Limits.mappedBytesMin))
        _ = apus_set_trim_threshold(Int32(Limits.trimmedBytesMin))
    }

    /// Returns free pages between blocks in use to the system. Takes milliseconds for every ten megabytes, during which
    /// threads that allocate may have to wait. Source: malloc_trim(3).
    public static func returnMemory() { _ = apus_malloc_trim() }
}
