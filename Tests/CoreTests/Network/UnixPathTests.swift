import Core
import Testing

@Suite struct UnixPathTests {
    @Test func findsTheOccupant() throws {
        let folder = try TemporaryFolder()
        let path = folder["admin.sock"]
        #expect(UnixPath.occupant(of: path) == .nothing)
        let listener = try Socket.listen(onUnixPath: path, mode: 0o600)
        #expect(UnixPath.occupant(of: path) == .liveSocket)
        listener.close()
        #expect(UnixPath.occupant(of: path) == .deadSocket)
        UnixPath.remove(path)
        #expect(UnixPath.occupant(of: path) == .nothing && folder.names.isEmpty)
        UnixPath.remove(path)

        try replaceFile(path, with: [1])
        #expect(UnixPath.occupant(of: path) == .other)
        #expect(UnixPath.occupant(of: folder.path) == .other)
    }

    @Test func namesTheOwners() throws {
        let folder = try TemporaryFolder()
        let path = folder["admin.sock"]
        #expect(UnixPath.owners(of: path) == nil)
        let listener = try Socket.listen(onUnixPath: path, mode: 0o600)
        defer { listener.close() }
        #expect(UnixPath.owners(of: path)?.user == SystemUser.currentName)
        #expect(UnixPath.owners(of: path)?.group.isEmpty == false)
    }

    @Test func anotherSocketAtThePathIsAnother() throws {
        let folder = try TemporaryFolder()
        let (path, other) = (folder["admin.sock"], folder["other.sock"])
        #expect(UnixPath.identity(of: path) == nil)
        try Socket.listen(onUnixPath: path, mode: 0o600).close()
        let identity = try #require(UnixPath.identity(of: path))
        #expect(UnixPath.identity(of: path) == identity)
        // Beside the first one, so that it cannot get the first one's number.
        try Socket.listen(onUnixPath: other, mode: 0o600).close()
        #expect(UnixPath.identity(of: other) != identity)
        try replaceFile(path, with: [1])
        #expect(UnixPath.identity(of: path) == nil)
    }

    @Test func hasTheModeAndTheGroupThatWereAskedFor() throws {
        let folder = try TemporaryFolder()
        let path = folder["admin.sock"]
        let own = SystemUser.currentGroupID
        try Socket.listen(onUnixPath: path, mode: 0o666, group: own).close()
        #expect(try folder.mode("admin.sock") == 0o666)
        try UnixPath.setAccess(of: path, mode: 0o600, group: nil)
        #expect(try folder.mode("admin.sock") == 0o600)
        #expect(throws: SystemError.self) { try UnixPath.setAccess(of: folder["none"], mode: 0o600, group: own) }
    }
}
