import CLinux

/// Who the process at the other end of a Unix socket was when it connected, as this process's user namespace has it.
///
/// Limits: a process has at most 65,536 groups (`NGROUPS_MAX`).
/// Source: unix(7), `SO_PEERCRED`; linux/net/core/sock.c, `SO_PEERGROUPS`.
public struct UnixCredentials: Equatable, Sendable {
    /// The number of the process.
    public let processID: Int32
    /// The number of its user.
    public let userID: UInt32
    /// The number of its group.
    public let groupID: UInt32
    /// The numbers of its supplementary groups.
    public let groups: [UInt32]

    /// A process of this user and these groups.
    public init(processID: Int32, userID: UInt32, groupID: UInt32, groups: [UInt32] = []) {
        self.processID = processID
        self.userID = userID
        self.groupID = groupID
        self.groups = groups
    }
}

extension Socket {
    /// Who is at the other end of this Unix socket; nil if that cannot be told. Where only the supplementary groups
    /// cannot be told there are none, so that nobody gets rights by them.
    public var unixCredentials: UnixCredentials? {
        var words: [UInt32] = [0, 0, 0]
        guard unsafe apus_unix_credentials(descriptor, &words) == 0 else { return nil }
        return UnixCredentials(
            processID: Int32(bitPattern: words[0]), userID: words[1], groupID: words[2], groups: unixGroups)
    }

    private var unixGroups: [UInt32] {
        // Most processes have few; one that has more is asked about again with as much room as it needs.
        var count: UInt32 = 32
        for _ in 0..<2 {
            var groups = [UInt32](repeating: 0, count: Int(count))
            if unsafe apus_unix_groups(descriptor, &groups, &count) == 0 { return Array(groups.prefix(Int(count))) }
            guard count > groups.count, count <= 65_536 else { return [] }
        }
        return []
    }
}
