import Glibc
import Testing

@testable import Core

@Suite struct FileKindTests {
    @Test func everyKindIsTold() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/file", fifo = folder.path + "/fifo", link = folder.path + "/link"
        let descriptor = open(file, O_CREAT | O_RDWR, 0o600)
        #expect(descriptor >= 0 && mkfifo(fifo, 0o600) == 0 && symlink(folder.path, link) == 0)
        defer { _ = Glibc.close(descriptor) }
        #expect(FileKind(of: descriptor) == .regular && FileKind(at: file) == .regular)
        #expect(FileKind(at: fifo) == .fifo && FileKind(at: folder.path) == .folder)
        #expect(FileKind(at: link) == .folder, "a link is what it leads to")
        #expect(FileKind(at: "/dev/null") == .characterDevice && FileKind(at: file + "/x") == nil)
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { _ = Glibc.close(socket) }
        #expect(FileKind(of: socket) == .socket && FileKind(of: socket).name == "a socket")
    }

    @Test func aLinkToNothingIsNothing() throws {
        let folder = try TemporaryFolder()
        #expect(symlink(folder.path + "/gone", folder.path + "/link") == 0)
        #expect(FileKind(at: folder.path + "/link") == nil)
    }
}
