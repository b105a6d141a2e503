import CLinux
import Glibc

/// A user of the system: who a process is, and who owns files. Source: getpwnam(3), credentials(7).
public struct SystemUser: Equatable, Sendable {
    /// As in `nobody`.
    public let name: String
    /// The user's number.
    public let userID: UInt32
    /// The number of the user's first group.
    public let groupID: UInt32

    /// The user called `name`; nil when the system knows none.
    public init?(named name: String) {
        guard let entry = unsafe getpwnam(name) else { return nil }
        self.name = name
        userID = unsafe entry.pointee.pw_uid
        groupID = unsafe entry.pointee.pw_gid
    }

    /// What this process's user is called, or its number where it has no name.
    public static var currentName: String {
        unsafe getpwuid(geteuid()).map { unsafe String(cString: $0.pointee.pw_name) } ?? "\(geteuid())"
    }

    /// Whether this process may become another user.
    public static var isRoot: Bool { geteuid() == 0 }

    /// Makes this process the user, for good, with the user's groups and no others. Call before other threads exist:
    /// capabilities are each thread's own, and those that begin later have what this one has.
    ///
    /// Of root's capabilities CAP_NET_ADMIN stays if `keepsNetAdmin`, where root had it, and nothing else ever.
    ///
    /// Source: capabilities(7). Errors: `SystemError`; the process may then be half one and half the other user, and
    ///         has to end.
    public func become(keepsNetAdmin: Bool = false) throws(SystemError) {
        guard unsafe initgroups(name, groupID) == 0 else { throw SystemError("take the groups of user \(name)") }
        guard setgid(groupID) == 0 else { throw SystemError("take the group of user \(name)") }
        guard apus_prctl_keep_capabilities(keepsNetAdmin ? 1 : 0) == 0 else {
            throw SystemError("keep CAP_NET_ADMIN")
        }
        guard setuid(userID) == 0 else { throw SystemError("become user \(name)") }
        guard keepsNetAdmin else { return }
        // All that were permitted still are. Root in a container may lack this one: then none stays.
        let isKept = apus_set_capabilities(1 << UInt64(CAP_NET_ADMIN)) == 0 || apus_set_capabilities(0) == 0
        guard isKept, apus_prctl_keep_capabilities(0) == 0 else { throw SystemError("lay down root's capabilities") }
    }

    /// Gives the file, folder or socket at `path` to the user.
    public func own(_ path: String) throws(SystemError) {
        guard unsafe chown(path, userID, groupID) == 0 else { throw SystemError("give \(path) to user \(name)") }
    }
}
