import Core
import Foundation
import Testing

@testable import Telemetry

@Suite struct LogFileTests {
    /// A pipe that fills in the middle of a line: what was lost is counted, and the next line begins a line of its own.
    @Test func doesNotContinueABrokenLine() throws {
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        #expect(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0)
        var file = LogFile(.standardOutput, FileDescriptor(descriptor: descriptor))

        // No line of seven bytes ends where a pipe of 2^n bytes is full.
        let lineCount = 200_000
        let text = Array(String(repeating: "123456\n", count: lineCount).utf8)
        file.write(text.span)
        #expect(file.linesDropped > 0)
        let taken = Int(file.bytesWritten)
        #expect(taken > 0 && taken % 7 != 0)
        #expect(file.linesDropped == UInt64(lineCount - taken / 7))

        // Still full: also lost.
        file.write(Array("lost\n".utf8).span)
        #expect(file.linesDropped == UInt64(lineCount - taken / 7 + 1))

        #expect(try pipe.fileHandleForReading.read(upToCount: taken)?.count == taken)
        file.write(Array("next\n".utf8).span)
        #expect(try pipe.fileHandleForReading.read(upToCount: 6) == Data("\nnext\n".utf8))
    }

    @Test func goesOnInANewFileAfterARename() throws {
        let folder = try Folder()
        let destination = LogDestination.file(folder.path("a"))
        var file = LogFile(destination, try destination.open())
        file.write(Array("one\n".utf8).span)
        try FileManager.default.moveItem(atPath: folder.path("a"), toPath: folder.path("a.1"))
        try file.reopen()
        file.write(Array("two\n".utf8).span)
        file.close()
        #expect(try folder.content("a.1") == "one\n")
        #expect(try folder.content("a") == "two\n")
        #expect(file.bytesWritten == 8)
    }

    /// Nothing waits for a reader: lines are lost and counted until there is one.
    @Test func aFIFOIsWrittenToOnceSomebodyReadsIt() throws {
        let folder = try Folder()
        try #require(mkfifo(folder.path("log"), 0o600) == 0)
        let destination = LogDestination.file(folder.path("log"))
        var file = LogFile(destination, try destination.open())
        file.write(Array("one\ntwo\n".utf8).span)
        #expect(file.linesDropped == 2 && file.bytesWritten == 0)

        let reader = open(folder.path("log"), O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        file.write(Array("three\n".utf8).span)
        #expect(file.linesDropped == 2 && file.bytesWritten == 6)
        let blocks = try #require(try destination.open())
        #expect(fcntl(blocks.descriptor, F_GETFL) & O_NONBLOCK == 0, "the log's thread may wait for a slow reader")
        blocks.close()
        file.close()
    }

    @Test func whatIsNoFileIsRefused() throws {
        let folder = try Folder()
        #expect(throws: SystemError.self) { try LogDestination.file(folder.path("none/log")).open() }
        #expect(throws: SystemError.self) { try LogDestination.file(folder.path("")).open() }
    }
}
