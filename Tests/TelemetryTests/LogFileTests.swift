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
        var file = LogFile(FileDescriptor(descriptor: descriptor))

        // No line of seven octets ends where a pipe of 2^n octets is full.
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

    @Test func goesOnWithAReplacement() throws {
        let folder = try Folder()
        var file = LogFile(try LogDestination.file(folder.path("a")).open())
        file.write(Array("one\n".utf8).span)
        file.replace(with: try LogDestination.file(folder.path("b")).open())
        file.write(Array("two\n".utf8).span)
        file.close()
        #expect(try folder.content("a") == "one\n")
        #expect(try folder.content("b") == "two\n")
        #expect(file.bytesWritten == 8)
    }
}
