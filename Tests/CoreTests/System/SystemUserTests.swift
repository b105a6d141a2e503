import Core
import Testing

@Suite struct SystemUserTests {
    @Test func findsUsersByName() throws {
        let root = try #require(SystemUser(named: "root"))
        #expect(root.name == "root" && root.userID == 0 && root.groupID == 0)
        #expect(SystemUser(named: "no-such-user-here") == nil)
        #expect(SystemUser(named: "") == nil)
    }

    @Test(.enabled(if: SystemUser.isRoot && SystemUser(named: "nobody") != nil)) func becomesAnother() async throws {
        let folder = try TemporaryFolder()
        let path = folder["state"]
        try replaceFile(path, with: [1])
        await #expect(processExitsWith: .success) { [path = path as String] in
            let nobody = try #require(SystemUser(named: "nobody"))
            let root = try #require(SystemUser(named: "root"))
            try nobody.own(path)
            try nobody.become()
            #expect(!SystemUser.isRoot)
            #expect(try readFile(path) == [1], "the user can read its files")
            #expect((try? root.become()) == nil, "it cannot become root again")
        }
        withExtendedLifetime(folder) {}
    }

    @Test(.enabled(if: Socket.mayUseForeignAddresses && SystemUser.isRoot && SystemUser(named: "nobody") != nil))
    func keepsTheCapabilityForForeignAddresses() async throws {
        await #expect(processExitsWith: .success) {
            let root = try #require(SystemUser(named: "root"))
            try #require(SystemUser(named: "nobody")).become(keepsNetAdmin: true)
            #expect(Socket.mayUseForeignAddresses)
            let thread = Thread.start(name: "later") { #expect(Socket.mayUseForeignAddresses) }
            thread.join()
            let status = String(decoding: try readFile("/proc/thread-self/status"), as: UTF8.self)
            for kind in ["CapPrm", "CapEff"] { #expect(status.contains("\(kind):\t0000000000001000")) }
            for kind in ["CapInh", "CapAmb"] { #expect(status.contains("\(kind):\t0000000000000000")) }
            #expect((try? root.become()) == nil, "it cannot become root again")
        }
    }

    @Test func errorsNameThePath() throws {
        let root = try #require(SystemUser(named: "root"))
        let folder = try TemporaryFolder()
        let path = folder["missing"]
        let error = #expect(throws: SystemError.self) { try root.own(path) }
        #expect(error?.operation == "change the owner of \(path) to user root")
    }
}
