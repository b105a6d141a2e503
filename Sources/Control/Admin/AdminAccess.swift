import Core
import Model

/// Told that other roles are in force.
protocol AdminAccessObserver: AnyObject {
    /// What clients may do may be something else now.
    func accessChanged()
}

/// Who may do what over the admin sockets, as it is in force. A reload prepares other roles, and puts them in force.
///
/// Shape: one object of the control thread. Every request is judged by what is in force when it has come, so that a
///        connection which is open already gets no more than a new one would.
final class AdminAccess {
    private struct Observer {
        weak var observer: (any AdminAccessObserver)?
    }

    private var grants: AdminGrants
    private var prepared: AdminGrants?
    private var observers: [Observer] = []
    /// Requests that were refused since their clients had no role for them.
    private(set) var refusedCount: UInt64 = 0

    /// `grants` are in force.
    init(_ grants: AdminGrants = AdminGrants()) { self.grants = grants }

    /// Tells `observer` of other roles, as long as it lives.
    func add(_ observer: any AdminAccessObserver) {
        observers.removeAll { $0.observer == nil }
        observers.append(Observer(observer: observer))
    }

    /// The role of `client`; nil for none.
    func role(of client: UnixCredentials?) -> AdminRole? { grants.role(of: client) }

    /// Has `grants` put in force with the next `commit`.
    func prepare(_ grants: AdminGrants) { prepared = grants }

    /// Puts in force what was prepared.
    func commit() {
        guard let prepared = prepared.take(), prepared != grants else { return }
        grants = prepared
        for observer in observers { observer.observer?.accessChanged() }
    }

    /// Forgets what was prepared.
    func abandonPrepared() { prepared = nil }

    /// Why `client`, who has the role `role` here, may not do what takes the role `needed`; nil if it may. With
    /// `isReadOnly` it is the socket that allows no more than reading, to anybody. Counts refusals.
    func refusal(
        of request: String, needing needed: AdminRole, _ client: UnixCredentials?, has role: AdminRole?,
        isReadOnly: Bool
    ) -> AdminError? {
        if let role, role >= needed { return nil }
        refusedCount += 1
        if role != nil, isReadOnly {
            return AdminError(
                code: "OperationNotPermitted", status: 403,
                message: "\(request) needs the role \(needed.name), and over this socket everything is read only.",
                remedy: "Use admin.socket, if you may.")
        }
        let who = client.map { "user \($0.userID) of group \($0.groupID)" } ?? "a client that the system does not name"
        let name = client.map { "user:\($0.userID) or a group of its" } ?? "who that is"
        let what = role.map { "the role \($0.name)" } ?? "no role"
        return AdminError(
            code: "AccessDenied", status: 403,
            message: "\(request) needs the role \(needed.name), and \(who) has \(what).",
            remedy: "If it should have it, add \(name) to admin.roles.\(needed.name) in the file, and reload as root.")
    }
}
