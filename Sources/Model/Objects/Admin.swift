/// The admin socket, and who may do what with it.
public struct Admin: Hashable, Sendable {
    /// Path of the Unix socket.
    public var socket: String
    /// The group that the socket belongs to; nil for that of the process.
    public var group: SystemID?
    /// Who may connect to the socket.
    public var mode: SocketMode
    /// A second socket, over which nothing can be changed; nil for none.
    public var readOnlySocket: ReadOnlySocket?
    /// Who may do what; nil if whoever can connect may do everything.
    public var roles: AdminRoles?
    /// Where `GET /metrics` and `GET /health` are answered over TCP, to anybody who can connect; nil is nowhere.
    public var metrics: TCPAddress?

    /// Settings of the admin socket.
    public init(
        socket: String = "/run/apus/admin.sock", group: SystemID? = nil, mode: SocketMode = .ownerAndGroup,
        readOnlySocket: ReadOnlySocket? = nil, roles: AdminRoles? = nil, metrics: TCPAddress? = nil
    ) {
        self.socket = socket
        self.group = group
        self.mode = mode
        self.readOnlySocket = readOnlySocket
        self.roles = roles
        self.metrics = metrics
    }
}

/// A Unix socket over which everything can be read and nothing be changed.
public struct ReadOnlySocket: Hashable, Sendable {
    /// Its path.
    public var path: String
    /// The group that it belongs to; nil for that of the process.
    public var group: SystemID?
    /// Who may connect to it.
    public var mode: SocketMode

    /// A socket at `path`.
    public init(path: String, group: SystemID? = nil, mode: SocketMode = .ownerAndGroup) {
        self.path = path
        self.group = group
        self.mode = mode
    }
}

/// Who may connect to a Unix socket: the permissions of its file. Connecting takes the permission to write; root always
/// has it. Source: unix(7).
public enum SocketMode: String, Hashable, Sendable, CaseIterable {
    /// Its user.
    case owner = "0600"
    /// Its user and its group.
    case ownerAndGroup = "0660"
    /// Everybody.
    case everybody = "0666"

    /// The permissions.
    public var permissions: UInt32 {
        switch self {
        case .owner: 0o600
        case .ownerAndGroup: 0o660
        case .everybody: 0o666
        }
    }
}

/// What a client of the admin socket may do. Each role includes those before it.
public enum AdminRole: Int, Hashable, Sendable, CaseIterable, Comparable {
    /// To see everything, and to change nothing.
    case read
    /// What a deployment needs as well: targets, instances, weights.
    case targets
    /// Everything.
    case all

    /// Its key in `admin.roles`.
    public var name: String {
        switch self {
        case .read: "read"
        case .targets: "targets"
        case .all: "all"
        }
    }

    public static func < (first: AdminRole, second: AdminRole) -> Bool { first.rawValue < second.rawValue }
}

/// Who has which role. Root, and the user of the process, have the role `all` in any case.
public struct AdminRoles: Hashable, Sendable {
    /// Those with the role `read`.
    public var read: [Principal]
    /// Those with the role `targets`.
    public var targets: [Principal]
    /// Those with the role `all`.
    public var all: [Principal]

    /// Nobody but those said.
    public init(read: [Principal] = [], targets: [Principal] = [], all: [Principal] = []) {
        self.read = read
        self.targets = targets
        self.all = all
    }

    /// Those with `role`, as it is written.
    public subscript(role: AdminRole) -> [Principal] {
        switch role {
        case .read: read
        case .targets: targets
        case .all: all
        }
    }
}

/// A user or a group of this system by its name or its number.
public enum SystemID: Hashable, Sendable, CustomStringConvertible {
    /// By its name.
    case name(String)
    /// By its number.
    case number(UInt32)

    /// The name or the number.
    public var description: String {
        switch self {
        case .name(let name): name
        case .number(let number): "\(number)"
        }
    }
}

/// A user, or the members of a group, of this system.
public enum Principal: Hashable, Sendable, CustomStringConvertible {
    /// Processes of this user.
    case user(SystemID)
    /// Processes of this group, or with it among their supplementary groups.
    case group(SystemID)

    /// As it is written.
    public var description: String {
        switch self {
        case .user(let id): "user:\(id)"
        case .group(let id): "group:\(id)"
        }
    }
}
