import Core
import Model

/// What each user and each group of `admin.roles` may do, by their numbers.
///
/// Shape: a value, compared with who has connected. Looking up the names is `AdminAccounts`.
struct AdminGrants: Equatable, Sendable {
    private var users: [UInt32: AdminRole] = [:]
    private var groups: [UInt32: AdminRole] = [:]
    /// Whether there are roles at all; without them, whoever can connect may do everything.
    private let isRestricted: Bool

    /// Without roles, or with roles that nobody has.
    init(isRestricted: Bool = false) { self.isRestricted = isRestricted }

    /// Gives `role` to a user.
    mutating func add(user: UInt32, _ role: AdminRole) { users[user] = max(users[user] ?? role, role) }

    /// Gives `role` to a group.
    mutating func add(group: UInt32, _ role: AdminRole) { groups[group] = max(groups[group] ?? role, role) }

    /// The role of `client`: the highest that its user or one of its groups has, and all for root and for the user of
    /// this process. Nil for none, also where it is not known who the client is.
    func role(of client: UnixCredentials?) -> AdminRole? {
        guard isRestricted else { return .all }
        guard let client else { return nil }
        if client.userID == 0 || client.userID == SystemUser.currentID { return .all }
        var best = users[client.userID]
        for group in [client.groupID] + client.groups {
            guard let role = groups[group] else { continue }
            best = max(best ?? role, role)
        }
        return best
    }
}

/// The users and groups that `admin` names, looked up on this host.
///
/// It may wait for a name service: made at the start, by `apus check`, and on a thread that may wait, by one thread at
/// a time.
struct AdminAccounts: Equatable, Sendable {
    /// The roles that were looked up.
    let roles: AdminRoles?
    /// What they give.
    private(set) var grants: AdminGrants
    /// The number of `group`; nil if there is none.
    private(set) var group: UInt32?
    /// The number of `readOnlySocket.group`; nil if there is none.
    private(set) var readOnlyGroup: UInt32?
    /// The names that this system does not know.
    private(set) var mistakes: [ConfigError] = []

    /// Looks up the names of `admin`, which stand where `places` says.
    init(lookingUp admin: Admin, _ places: DocumentPlaces = DocumentPlaces()) {
        roles = admin.roles
        grants = AdminGrants(isRestricted: admin.roles != nil)
        group = number(ofGroup: admin.group, places.setting("admin", "group"))
        readOnlyGroup = number(
            ofGroup: admin.readOnlySocket?.group, places.setting("admin", "readOnlySocket", "group"))
        for role in AdminRole.allCases {
            for (index, principal) in (admin.roles?[role] ?? []).enumerated() {
                let place = places.setting("admin", "roles", role.name).index(index)
                switch principal {
                case .user(let id): if let number = number(ofUser: id, place) { grants.add(user: number, role) }
                case .group(let id): if let number = number(ofGroup: id, place) { grants.add(group: number, role) }
                }
            }
        }
    }

    private mutating func number(ofUser id: SystemID, _ place: DocumentPlaces.Place) -> UInt32? {
        switch id {
        case .number(let number): return number
        case .name(let name):
            if let user = SystemUser(named: name) { return user.userID }
            mistakes.append(
                place.mistake(
                    "\(place.path) names the user \(name), and this system has no such user.",
                    remedy: "Make the user, name one that is there, or write the number, as in user:1000."))
            return nil
        }
    }

    private mutating func number(ofGroup id: SystemID?, _ place: DocumentPlaces.Place) -> UInt32? {
        switch id {
        case nil: return nil
        case .number(let number): return number
        case .name(let name):
            if let number = SystemUser.groupID(named: name) { return number }
            mistakes.append(
                place.mistake(
                    "\(place.path) names the group \(name), and this system has no such group.",
                    remedy: "Make the group, name one that is there, or write its number."))
            return nil
        }
    }
}
