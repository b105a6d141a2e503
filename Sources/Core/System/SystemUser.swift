import CLinux
import Glibc

/// A user of the system, as an owner of processes and files. Source: getpwnam(3), credentials(7).
public struct SystemUser: Equatable, Sendable {
    /// The user's name, as in `nobody`.
    public let name: String
    /// The user's number.
    public let userID: UInt32
    /// The number of the user's primary group.
    public let groupID: UInt32

    /// The user called `name`; nil when the system knows none.
    public init?(named name: String) {
        guard let entry = unsafe getpwnam(name) else { return nil }
        self.name = name
        userID = unsafe entry.pointee.pw_uid
        groupID = unsafe entry.pointee.pw_gid
    }

    /// The number of the group called `name`; nil when the system knows none. May wait for a name service.
    /// Source: getgrnam(3).
    public static func groupID(named name: String) -> UInt32? {
        unsafe getgrnam(name).map { unsafe $0.pointee.gr_gid }
    }

    /// The number of this process's group.
    public static var currentGroupID: UInt32 { getegid() }

    /// The name of this process's user, or its number if it has no name.
    public static var currentName: String {
        unsafe getpwuid(geteuid()).map { unsafe String(cString: $0.pointee.pw_name) } ?? "\(geteuid())"
    }

    /// The number of this process's user.
    public static var currentID: UInt32 { geteuid() }

    /// Whether this process runs as root, and so may become another user.
    public static var isRoot: Bool { geteuid() == 0 }

    /// Drops root's privileges: the process becomes this user for good, with the user's groups and no others. Call
    /// before other threads exist, since capabilities belong to a thread and new threads inherit them.
    ///
    /// Of root's capabilities only CAP_NET_ADMIN is kept, if `keepsNetAdmin` and root had it.
    ///
    /// Source: capabilities(7). Errors: `SystemError`; the process may then have changed only some of its ids, and has
    ///         to end.
    public func become(keepsNetAdmin: Bool = false) throws(SystemError) {
        guard unsafe initgroups(name, groupID) == 0 else { throw SystemError("take the groups of user \(name)") }
        guard setgid(groupID) == 0 else { throw SystemError("take the group of user \(name)") }
        guard apus_prctl_keep_capabilities(keepsNetAdmin ? 1 : 0) == 0 else {
            throw SystemError("keep CAP_NET_ADMIN")
        }
        guard setuid(userID) == 0 else { throw SystemError("become user \(name)") }
        guard keepsNetAdmin else { return }
        // setuid(2) left all permitted capabilities in place. Root in a container may lack CAP_NET_ADMIN: then none is
        // kept.
        let isKept = apus_set_capabilities(1 << UInt64(CAP_NET_ADMIN)) == 0 || apus_set_capabilities(0) == 0
        guard isKept, apus_prctl_keep_capabilities(0) == 0 else { throw SystemError("drop root's capabilities") }
    }

    /// Whether the programs that this thread starts keep CAP_NET_ADMIN, if this process has it without being root: as
    /// the process that takes over from it has to.
    public static func passNetAdmin(_ passes: Bool) {
        if !isRoot { _ = apus_pass_capability(UInt32(CAP_NET_ADMIN), passes ? 1 : 0) }
    }

    /// Uses the capabilities that the file of this program permits, as in the container image. A file that made them
    /// effective itself could not be started at all where one of them is dropped. Call before other threads exist.
    ///
    /// Source: capabilities(7), "File capabilities". It cannot fail: effective may be whatever is permitted.
    public static func useCapabilities() { _ = apus_use_permitted_capabilities() }

    /// Makes the user the owner of the file, folder or socket at `path`, which belongs to `group`, or else to the
    /// user's own.
    public func own(_ path: String, group: UInt32? = nil) throws(SystemError) {
        guard unsafe chown(path, userID, group ?? groupID) == 0 else {
            throw SystemError("change the owner of \(path) to user \(name)")
        }
    }
}
