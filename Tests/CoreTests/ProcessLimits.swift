import Glibc

/// What should not have happened, where a test cannot go on.
struct Unexpected: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Lowers what this process may use. For exit tests, which have a process of their own.
enum ProcessLimits {
    /// The number below which descriptors must be.
    static func setDescriptors(_ soft: UInt, most hard: UInt) throws {
        try set(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), soft, hard)
    }

    /// The size to which a file may grow; more fails as on a full disk.
    static func setFileSize(_ bytes: UInt) throws {
        _ = signal(SIGXFSZ, SIG_IGN)
        try set(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), bytes, bytes)
    }

    /// The number below which descriptors must be at present.
    static var descriptors: UInt {
        var limit = rlimit()
        return unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? limit.rlim_cur : 0
    }

    private static func set(_ resource: __rlimit_resource_t, _ soft: UInt, _ hard: UInt) throws {
        var limit = rlimit(rlim_cur: soft, rlim_max: hard)
        guard unsafe setrlimit(resource, &limit) == 0 else { throw Unexpected("a limit that cannot be set") }
    }
}
