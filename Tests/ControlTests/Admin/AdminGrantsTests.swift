import Core
import Model
import Testing

@testable import Control

/// Which role a client has. The tests' own user has all, so clients here are others.
@Suite struct AdminGrantsTests {
    static let grants: AdminGrants = {
        var grants = AdminGrants(isRestricted: true)
        grants.add(user: 4001, .read)
        grants.add(user: 4002, .targets)
        grants.add(group: 5001, .targets)
        grants.add(group: 5002, .all)
        return grants
    }()

    struct Case: Sendable, CustomTestStringConvertible {
        let why: String
        let user: UInt32, group: UInt32
        var groups: [UInt32] = []
        let role: AdminRole?
        var testDescription: String { why }
    }

    @Test(arguments: [
        Case(why: "a user", user: 4001, group: 1, role: .read),
        Case(why: "another user", user: 4002, group: 1, role: .targets),
        Case(why: "the group of the process", user: 4009, group: 5001, role: .targets),
        Case(why: "a supplementary group", user: 4009, group: 1, groups: [7, 5002], role: .all),
        Case(why: "the highest counts", user: 4001, group: 5001, groups: [5002], role: .all),
        Case(why: "a lower one takes nothing", user: 4002, group: 1, groups: [1], role: .targets),
        Case(why: "numbers of users are none of groups", user: 5002, group: 4002, role: nil),
        Case(why: "nobody", user: 4009, group: 1, groups: [2, 3], role: nil),
        Case(why: "root", user: 0, group: 1, role: .all),
    ])
    func areComparedWithTheClient(_ test: Case) {
        let client = UnixCredentials(processID: 1, userID: test.user, groupID: test.group, groups: test.groups)
        #expect(Self.grants.role(of: client) == test.role)
        #expect(AdminGrants().role(of: client) == .all, "without roles")
    }

    @Test func theOwnUserHasAll() {
        let own = UnixCredentials(processID: 1, userID: SystemUser.currentID, groupID: 1)
        #expect(AdminGrants(isRestricted: true).role(of: own) == .all)
    }

    @Test func whoIsNotKnownHasNone() {
        #expect(Self.grants.role(of: nil) == nil)
        #expect(AdminGrants().role(of: nil) == .all)
    }

    @Test func namesAreLookedUp() {
        let roles = AdminRoles(
            read: [.user(.number(4001))], targets: [.user(.name("nobody"))], all: [.group(.name("root"))])
        let accounts = AdminAccounts(lookingUp: Admin(group: .name("root"), roles: roles))
        #expect(accounts.mistakes.isEmpty && accounts.group == 0 && accounts.readOnlyGroup == nil)
        let nobody = SystemUser(named: "nobody")?.userID ?? 0
        func role(_ user: UInt32, _ group: UInt32) -> AdminRole? {
            accounts.grants.role(of: UnixCredentials(processID: 1, userID: user, groupID: group))
        }
        #expect(role(nobody, 1) == .targets && role(4001, 1) == .read && role(4009, 0) == .all && role(4009, 1) == nil)
    }

    @Test func namesThatAreNotThereHaveTheirPlace() throws {
        let text = """
            admin:
              group: no-such-group
              readOnlySocket: { path: /r, group: no-such-group }
              roles:
                read: ["user:nobody", "user:no-such-user"]
                all: ["group:no-such-group", "user:99999"]
            """
        let (document, places) = try Document.parse(Array(text.utf8), file: "a.yaml")
        let mistakes = AdminAccounts(lookingUp: document.admin, places).mistakes.map(\.description)
        #expect(mistakes.count == 4)
        for (mistake, start) in zip(
            mistakes,
            [
                "a.yaml:2:10: admin.group names the group no-such-group, and this system has no such group. Make the",
                "a.yaml:3:38: admin.readOnlySocket.group names the group",
                "a.yaml:5:27: admin.roles.read[1] names the user no-such-user, and this system has no such user.",
                "a.yaml:6:11: admin.roles.all[0] names the group no-such-group",
            ])
        {
            #expect(mistake.hasPrefix(start), "\(mistake)")
        }
    }
}
