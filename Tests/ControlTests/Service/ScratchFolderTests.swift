import Foundation
import Testing

@testable import Control

@Suite struct ScratchFolderTests {
    private let files = FileManager.default

    @Test func isThisUsersAndIsRemovedWithAllInIt() throws {
        let one = try ScratchFolder(named: "apus-test")
        let other = try ScratchFolder(named: "apus-test")
        defer { other.remove() }
        #expect(one.path != other.path && one.path.contains("/apus-test-"))
        let mode = try files.attributesOfItem(atPath: one.path)[.posixPermissions] as? Int
        #expect(mode == 0o700)
        let file = try one.write("a: 1\n", to: "apus.yaml")
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "a: 1\n")
        one.remove()
        #expect(!files.fileExists(atPath: one.path) && files.fileExists(atPath: other.path))
    }

    @Test func takesTheFolderOfOneThatWasKilled() throws {
        let outer = try ScratchFolder(named: "apus-test")
        defer { outer.remove() }
        let path = "\(outer.path)/demo"
        let killed = try ScratchFolder(at: path)
        _ = try killed.write("old", to: "apus.yaml")
        let next = try ScratchFolder(at: path)
        defer { next.remove() }
        #expect(try files.contentsOfDirectory(atPath: next.path).isEmpty)
    }

    @Test func leavesAloneWhatIsSomebodys() throws {
        let outer = try ScratchFolder(named: "apus-test")
        defer { outer.remove() }
        let path = "\(outer.path)/state"
        try files.createDirectory(atPath: path, withIntermediateDirectories: false)
        try "mine".write(toFile: "\(path)/notes.txt", atomically: true, encoding: .utf8)
        let error = #expect(throws: StartError.self) { try ScratchFolder(at: path) }
        #expect(error?.description.contains("has notes.txt") == true)
        let run = try ScratchFolder(named: "apus-test")
        try "mine".write(toFile: "\(run.path)/notes.txt", atomically: true, encoding: .utf8)
        run.remove()
        #expect(try files.contentsOfDirectory(atPath: run.path) == ["notes.txt"])
        try files.removeItem(atPath: run.path)
    }

    @Test func knowsItsFilesByAnyPath() throws {
        let folder = try ScratchFolder(named: "apus-test")
        defer { folder.remove() }
        let file = try folder.write("", to: "apus.yaml")
        let link = "\(folder.path)-link"
        try files.createSymbolicLink(atPath: link, withDestinationPath: folder.path)
        defer { try? files.removeItem(atPath: link) }
        #expect(ScratchFolder.contains(file, in: folder.path))
        #expect(ScratchFolder.contains("\(link)/apus.yaml", in: folder.path))
        #expect(
            ScratchFolder.contains("\(folder.path)/../\(folder.path.split(separator: "/").last!)/a", in: folder.path))
        #expect(!ScratchFolder.contains("\(folder.path)-other/apus.yaml", in: folder.path))
    }

    @Test func saysWhyItCannotBeMade() throws {
        let error = #expect(throws: StartError.self) { try ScratchFolder(at: "/proc/apus-test") }
        #expect(error?.description.hasPrefix("The folder /proc/apus-test cannot be made: ") == true)
    }
}
