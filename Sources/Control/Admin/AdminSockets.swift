import Core
import Logging
import Model

/// The Unix sockets of control: `admin.socket`, and `admin.readOnlySocket` if there is one.
///
/// Shape: one object of the control thread, from the start to the end of the process.
final class AdminSockets {
    private let servers: [AdminServer]
    private let accounts: AdminAccounts

    /// Opens the sockets of `admin`, or takes those that `inheritance` has at their paths, for clients with the roles
    /// of `accounts`, which has the numbers of the sockets' groups as well.
    ///
    /// Errors: `StartError`; then none is open.
    init(
        _ admin: Admin, _ accounts: AdminAccounts, _ inheritance: Inheritance?, loop: ControlLoop,
        services: any AdminServices, logger: Logger
    ) throws(StartError) {
        self.accounts = accounts
        services.access.prepare(accounts.grants)
        services.access.commit()
        var opened: [AdminServer] = []
        for socket in Self.wanted(by: admin, accounts) {
            if let received = inheritance?.takeAdminSocket(at: socket.path) {
                opened.append(
                    AdminServer(
                        path: socket.path, isReadOnly: socket.isReadOnly, received: received, socket.access,
                        loop: loop, services: services, logger: logger))
                continue
            }
            do throws(AdminError) {
                opened.append(
                    try AdminServer(
                        path: socket.path, isReadOnly: socket.isReadOnly, socket.access, loop: loop,
                        services: services, logger: logger))
            } catch {
                for server in opened { server.close() }
                throw .refused(message: error.message, remedy: error.remedy)
            }
        }
        servers = opened
    }

    /// A socket that a configuration asks for, with the key of its path.
    typealias Wanted = (key: String, path: String, isReadOnly: Bool, access: AdminServer.SocketAccess)

    /// The sockets that `admin` asks for.
    static func wanted(by admin: Admin, _ accounts: AdminAccounts) -> [Wanted] {
        let main: Wanted = (
            "admin.socket", admin.socket, false, .init(mode: admin.mode.permissions, group: accounts.group)
        )
        guard let second = admin.readOnlySocket else { return [main] }
        return [
            main,
            (
                "admin.readOnlySocket.path", second.path, true,
                .init(mode: second.mode.permissions, group: accounts.readOnlyGroup)
            ),
        ]
    }

    /// Makes `user`, whom this process is about to become, their owner.
    func own(by user: SystemUser) throws(SystemError) {
        for server in servers {
            try user.own(
                server.endpoint.name, group: server.endpoint.isReadOnly ? accounts.readOnlyGroup : accounts.group)
        }
    }

    /// What another process gets that takes the place of this one.
    var handedOver: [(path: String, isReadOnly: Bool, descriptor: Int32)] {
        servers.map { ($0.endpoint.name, $0.endpoint.isReadOnly, $0.descriptor) }
    }

    /// Takes connections from now on.
    func begin() { for server in servers { server.begin() } }

    /// Takes no more connections, and leaves the files to the process that does.
    func stopListening() { for server in servers { server.stopListening() } }

    /// Closes everything, and removes the files if they are this process's.
    func close() { for server in servers { server.close() } }
}
