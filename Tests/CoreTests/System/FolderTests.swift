import Core
import Glibc
import Testing

@Suite struct FolderTests {
    @Test(arguments: [("a/b", "a"), ("/a/b", "/a"), ("/a", "/"), ("a", "."), ("/", "/")])
    func findsTheContainingFolder(path: String, folder: String) { #expect(Folder.containing(path) == folder) }

    @Test func makesTheLastFolderOnly() throws {
        let folder = try TemporaryFolder()
        let path = folder["run"]
        #expect(try Folder.make(path, mode: 0o755) == [path])
        #expect(try folder.mode("run") & 0o700 == 0o700)
        #expect(try Folder.make(path, mode: 0o755) == [])
        let error = #expect(throws: SystemError.self) { try Folder.make(folder["a/b"], mode: 0o755) }
        #expect(error == SystemError("make the folder \(folder["a/b"])", code: ENOENT))
        #expect(folder.names == ["run"])
    }

    @Test func createsParentsAndRemovesThem() throws {
        let folder = try TemporaryFolder()
        let made = try Folder.make(folder["a/b/c/"], mode: 0o750, ancestors: true)
        #expect(made == [folder["a"], folder["a/b"], folder["a/b/c"]])
        Folder.remove(made)
        #expect(folder.names.isEmpty)
        let again = try Folder.make(folder["a/b"], mode: 0o750, ancestors: true)
        try replaceFile(folder["a/file"], with: [1])
        Folder.remove(again)
        #expect(folder.names == ["a"], "it is no longer empty")
    }

    @Test func existingFileIsAnError() throws {
        let folder = try TemporaryFolder()
        try replaceFile(folder["file"], with: [1])
        for path in [folder["file"], folder["file/state"], folder["file/a/b"]] {
            let error = #expect(throws: SystemError.self) { try Folder.make(path, mode: 0o755, ancestors: true) }
            #expect(error?.reason == "Not a directory")
        }
        #expect(folder.names == ["file"])
    }
}
