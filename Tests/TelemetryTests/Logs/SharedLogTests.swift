import Core
import Foundation
import Synchronization
import Testing

@testable import Telemetry

@Suite struct SharedLogTests {
    @Test func linesOfAllThreadsArriveWholeAndInTheOrderOfEach() throws {
        let folder = try Folder()
        let log = SharedLog(.file(folder.path("own.log")), name: "own-log")
        log.write("before the start\n")
        log.start()
        let threads = (0..<4).map { thread in
            Core.Thread.start(name: "writing") {
                for number in 0..<500 { log.write("\(thread) \(number)\n") }
            }
        }
        for thread in threads { thread.join() }
        #expect(log.stop(timeoutMilliseconds: 60_000))
        let lines = try folder.content("own.log").split(separator: "\n")
        #expect(lines.first == "before the start")
        for thread in 0..<4 {
            #expect(lines.filter { $0.hasPrefix("\(thread) ") } == (0..<500).map { "\(thread) \($0)" })
        }
        #expect(log.linesDropped == 0)
    }

    /// A process that is refused its start says why, though no thread was ever started.
    @Test func whatWasLoggedBeforeARefusedStartIsWritten() throws {
        let folder = try Folder()
        let log = SharedLog(.file(folder.path("own.log")), name: "own-log")
        log.write("one\n")
        #expect(log.stop(timeoutMilliseconds: 60_000))
        #expect(try folder.content("own.log") == "one\n")
    }

    @Test func whatDoesNotFitIsDroppedWholeAndCounted() throws {
        let folder = try Folder()
        let log = SharedLog(.file(folder.path("own.log")), name: "own-log", capacity: 16)
        for line in ["0123456\n", "0123456\n", "lost\n", String(repeating: "a", count: 100) + "\n"] { log.write(line) }
        #expect(log.linesDropped == 2)
        #expect(log.stop(timeoutMilliseconds: 60_000))
        #expect(try folder.content("own.log") == "0123456\n0123456\n")
        #expect(log.linesDropped == 2)
    }

    @Test func whatTheDeviceDoesNotTakeIsCounted() {
        let log = SharedLog(.file("/dev/full"), name: "own-log")
        log.write("lost\n")
        #expect(log.stop(timeoutMilliseconds: 60_000))
        #expect(log.linesDropped == 1)
    }
}
