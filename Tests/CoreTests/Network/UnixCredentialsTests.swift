import Core
import Glibc
import Testing

@Suite struct UnixCredentialsTests {
    @Test func tellWhoHasConnected() throws {
        let folder = try TemporaryFolder()
        let path = folder["admin.sock"]
        let listener = try Socket.listen(onUnixPath: path, mode: 0o600)
        defer { listener.close() }
        let client = try Socket.connect(toUnixPath: path)
        defer { client.close() }
        guard case .accepted(let server, _) = listener.accept() else { throw Unexpected("nothing was accepted") }
        defer { server.close() }
        let credentials = try #require(server.unixCredentials)
        #expect(credentials.processID == getpid())
        #expect(credentials.userID == geteuid() && credentials.groupID == getegid())
        var groups = [gid_t](repeating: 0, count: 65_536)
        let count = unsafe getgroups(Int32(groups.count), &groups)
        #expect(credentials.groups.sorted() == groups.prefix(Int(count)).sorted())
    }

    @Test func nobodyIsAtTheEndOfNoSocket() { #expect(Socket(descriptor: -1).unixCredentials == nil) }
}
