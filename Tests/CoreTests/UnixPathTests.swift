import Core
import Testing

@Suite struct UnixPathTests {
    @Test func tellsWhatIsThere() throws {
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

    @Test func makesTheLastFolderOnly() throws {
        let folder = try TemporaryFolder()
        UnixPath.makeFolder(of: folder["run/admin.sock"])
        #expect(folder.names == ["run"])
        #expect(try folder.mode("run") & 0o700 == 0o700)
        UnixPath.makeFolder(of: folder["run/admin.sock"])
        UnixPath.makeFolder(of: folder["a/b/admin.sock"])
        UnixPath.makeFolder(of: "admin.sock")
        UnixPath.makeFolder(of: "/admin.sock")
        #expect(folder.names == ["run"])
    }
}
