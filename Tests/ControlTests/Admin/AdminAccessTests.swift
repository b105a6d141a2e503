import Core
import Model
import Testing

@testable import Control

@Suite struct AdminAccessTests {
    private final class Watcher: AdminAccessObserver {
        var changesCount = 0
        func accessChanged() { changesCount += 1 }
    }

    private static let stranger = UnixCredentials(processID: 7, userID: 4001, groupID: 5001)

    @Test func otherRolesActOnceTheyAreInForce() {
        let access = AdminAccess()
        let watcher = Watcher()
        access.add(watcher)
        #expect(access.role(of: Self.stranger) == .all)
        access.prepare(AdminGrants(isRestricted: true))
        #expect(access.role(of: Self.stranger) == .all && watcher.changesCount == 0)
        access.abandonPrepared()
        access.commit()
        #expect(access.role(of: Self.stranger) == .all && watcher.changesCount == 0)
        access.prepare(AdminGrants(isRestricted: true))
        access.commit()
        #expect(access.role(of: Self.stranger) == nil && watcher.changesCount == 1)
        access.prepare(AdminGrants(isRestricted: true))
        access.commit()
        #expect(watcher.changesCount == 1, "they are the same")
    }

    @Test func refusalsSayWhoAndWhatToDo() throws {
        let access = AdminAccess(AdminGrants(isRestricted: true))
        func refusal(_ needed: AdminRole, _ client: UnixCredentials?, _ role: AdminRole?, _ isReadOnly: Bool)
            -> AdminError?
        {
            access.refusal(of: "PUT /v1/x", needing: needed, client, has: role, isReadOnly: isReadOnly)
        }
        #expect(refusal(.read, Self.stranger, .read, true) == nil && refusal(.targets, nil, .all, false) == nil)
        #expect(access.refusedCount == 0)
        let without = try #require(refusal(.all, Self.stranger, nil, false))
        #expect(without.code == "AccessDenied" && without.status == 403)
        #expect(
            without.message == "PUT /v1/x needs the role all, and user 4001 of group 5001 has no role.")
        #expect(
            without.remedy
                == "If it should have it, add user:4001 or a group of its to admin.roles.all in the file, and reload "
                + "as root."
        )
        #expect(refusal(.all, Self.stranger, .targets, false)?.message.hasSuffix("has the role targets.") == true)
        #expect(refusal(.read, nil, nil, true)?.code == "AccessDenied")
        let overThere = try #require(refusal(.targets, Self.stranger, .read, true))
        #expect(overThere.code == "OperationNotPermitted" && overThere.status == 403)
        #expect(access.refusedCount == 4)
    }
}
