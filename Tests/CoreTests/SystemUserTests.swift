import Core
import Testing

@Suite struct SystemUserTests {
    @Test func findsUsersByName() throws {
        let root = try #require(SystemUser(named: "root"))
        #expect(root.name == "root" && root.userID == 0 && root.groupID == 0)
        #expect(SystemUser(named: "no-such-user-here") == nil)
        #expect(SystemUser(named: "") == nil)
    }

    @Test(.enabled(if: SystemUser.isRoot && SystemUser(named: "nobody") != nil)) func becomesAnother() async {
        await #expect(processExitsWith: .success) {
            let nobody = try #require(SystemUser(named: "nobody"))
            let folder = try TemporaryFolder()
            try replaceFile(folder["state"], with: [1])
            try nobody.own(folder["state"])
            try nobody.become()
            #expect(!SystemUser.isRoot)
            #expect(try readFile(folder["state"]) == [1], "what was given to the user can be read")
            let root = try #require(SystemUser(named: "root"))
            #expect((try? root.become()) == nil, "there is no way back")
        }
    }

    @Test func errorsNameThePath() throws {
        let root = try #require(SystemUser(named: "root"))
        let folder = try TemporaryFolder()
        let path = folder["missing"]
        let error = #expect(throws: SystemError.self) { try root.own(path) }
        #expect(error?.operation == "give \(path) to user root")
    }
}
