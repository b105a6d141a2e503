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
}
