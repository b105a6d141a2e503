import Core
import Foundation
import Testing

@Suite struct SystemUserTests {
    @Test func findsUsersByName() {
        #expect(SystemUser(named: "root")?.userID == 0)
        #expect(SystemUser(named: "root")?.groupID == 0)
        #expect(SystemUser(named: "no such user") == nil)
    }

    @Test func whatIsNotThereCannotBeGivenAway() throws {
        let root = try #require(SystemUser(named: "root"))
        let error = #expect(throws: SystemError.self) { try root.own("/nonexistent/file") }
        #expect(error?.code == ENOENT)
    }
}
