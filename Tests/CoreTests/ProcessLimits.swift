import Glibc

/// An unexpected state that ends a test.
struct Unexpected: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Lowers the resource limits of this process. For exit tests, which run in a process of their own.
enum ProcessLimits {
    /// Sets the limit on descriptors.
    static func setDescriptors(_ soft: UInt, most hard: UInt) throws {
        try set(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), soft, hard)
    }

    /// Sets the limit on the size of files; a write beyond fails as on a full disk.
    static func setFileSize(_ bytes: UInt) throws {
        _ = signal(SIGXFSZ, SIG_IGN)
        try set(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), bytes, bytes)
    }

    /// The current limit on descriptors.
    static var descriptors: UInt {
        var limit = rlimit()
        return unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? limit.rlim_cur : 0
    }

    private static func set(_ resource: __rlimit_resource_t, _ soft: UInt, _ hard: UInt) throws {
        var limit = rlimit(rlim_cur: soft, rlim_max: hard)
        guard unsafe setrlimit(resource, &limit) == 0 else { throw Unexpected("a limit that cannot be set") }
    }
}
