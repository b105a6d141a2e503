import Core
import Foundation
import Glibc
import Testing

@testable import Control

@Suite struct FileContentsTests {
    @Test func holdsWhatWasReadAndWhyTheRestWasNot() throws {
        let folder = try TemporaryFolder()
        let (file, none, fifo) = (folder.file("a"), folder.file("none"), folder.file("fifo"))
        try Data("content".utf8).write(to: URL(fileURLWithPath: file))
        let isMade = unsafe mkfifo(fifo, 0o600) == 0
        try #require(isMade)
        let files = FileContents(reading: [file, none, fifo])
        #expect(try files.content(file) == Array("content".utf8))
        #expect(files.isThere(file) && files.isThere(fifo) && !files.isThere(none))
        #expect(throws: SystemError.self) { try files.content(none) }
        let error = #expect(throws: SystemError.self) { try files.content(fifo) }
        #expect(error?.reason == "a FIFO, not a regular file")
        #expect(files.covers([file, none]) && !files.covers([file, folder.file("other")]))
    }

    @Test func theFoldersAreWatchedBeforeTheFilesAreRead() throws {
        let folder = try TemporaryFolder()
        let watch = try FolderWatch()
        _ = FileContents(reading: [folder.file("a")], watching: watch)
        try Data("new".utf8).write(to: URL(fileURLWithPath: folder.file("a")))
        #expect(watch.takeEvents())
        _ = FileContents(reading: [], watching: watch, forgettingOthers: true)
        try Data("new".utf8).write(to: URL(fileURLWithPath: folder.file("a")))
        #expect(!watch.takeEvents())
    }
}
