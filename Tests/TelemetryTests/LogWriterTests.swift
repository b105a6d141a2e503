import Core
import Foundation
import TestRuns
import Testing

@testable import Telemetry

@Suite struct LogWriterTests {
    /// Two workers, more lines than their rings hold: every accepted line is in the file, each worker's in order.
    @Test func writesEveryAcceptedLine() throws {
        let folder = try Folder()
        let bell = LogBell()
        let rings = [LogRing(capacity: 4096), LogRing(capacity: 4096)]
        let writer = try LogWriter(.file(folder.path("access.log")), rings: rings, bell: bell)
        let workers = rings.enumerated().map { index, ring in
            Core.Thread.start(name: "worker-\(index)") {
                for number in 0..<2000 {
                    let line = Array("\(index) \(number)\n".utf8)
                    while !ring.append(line.span) { bell.ring(for: ring) }
                    bell.ring(for: ring)
                }
            }
        }
        for worker in workers { worker.join() }
        #expect(writer.stop(timeoutMilliseconds: 60_000))
        let lines = try folder.content("access.log").split(separator: "\n")
        for index in 0..<2 {
            #expect(lines.filter { $0.hasPrefix("\(index) ") } == (0..<2000).map { "\(index) \($0)" })
        }
        #expect(lines.count == 4000)
        #expect(writer.linesDropped == 0)
        #expect(writer.bytesWritten == UInt64(lines.reduce(0) { $0 + $1.utf8.count + 1 }))
    }

    /// A sleeping writer is woken by one line, without being stopped.
    @Test func wakesForOneLine() throws {
        let folder = try Folder()
        let (bell, ring) = (LogBell(), LogRing(capacity: 4096))
        let writer = try LogWriter(.file(folder.path("access.log")), rings: [ring], bell: bell)
        for number in 0..<50 {
            #expect(ring.append(text: "\(number)\n"))
            bell.ring(for: ring)
            let deadline = Instant.now() + 10_000_000_000
            while ring.count > 0 && Instant.now() < deadline { sched_yield() }
            #expect(ring.count == 0)
        }
        #expect(writer.stop(timeoutMilliseconds: 60_000))
        #expect(try folder.content("access.log") == (0..<50).map { "\($0)\n" }.joined())
    }

    @Test func reopensAfterARename() throws {
        let folder = try Folder()
        let (bell, ring) = (LogBell(), LogRing(capacity: 4096))
        let writer = try LogWriter(.file(folder.path("access.log")), rings: [ring], bell: bell)
        #expect(ring.append(text: "before\n"))
        bell.ring(for: ring)
        let deadline = Instant.now() + 10_000_000_000
        while writer.bytesWritten < 7 && Instant.now() < deadline { sched_yield() }
        try FileManager.default.moveItem(atPath: folder.path("access.log"), toPath: folder.path("access.log.1"))
        try writer.reopen()
        try writer.reopen()
        #expect(writer.stop(timeoutMilliseconds: 60_000))
        #expect(try folder.content("access.log.1") == "before\n")
        #expect(try folder.content("access.log") == "")
    }

    @Test func keepsTheOldFileWhenTheNewCannotBeOpened() throws {
        let folder = try Folder()
        try FileManager.default.createDirectory(atPath: folder.path("logs"), withIntermediateDirectories: false)
        let (bell, ring) = (LogBell(), LogRing(capacity: 4096))
        let writer = try LogWriter(.file(folder.path("logs/access.log")), rings: [ring], bell: bell)
        try FileManager.default.moveItem(atPath: folder.path("logs"), toPath: folder.path("moved"))
        #expect(throws: SystemError.self) { try writer.reopen() }
        #expect(ring.append(text: "after\n"))
        #expect(writer.stop(timeoutMilliseconds: 60_000))
        #expect(try folder.content("moved/access.log") == "after\n")
    }

    @Test func refusesAFileThatCannotBeOpened() {
        #expect(throws: SystemError.self) {
            _ = try LogWriter(.file("/nonexistent/access.log"), rings: [], bell: LogBell())
        }
    }

    /// `/dev/full` takes nothing: lines are counted, and the writer goes on and ends.
    @Test func countsWhatAFullDiskLoses() throws {
        let (bell, ring) = (LogBell(), LogRing(capacity: 4096))
        let writer = try LogWriter(.file("/dev/full"), rings: [ring], bell: bell)
        #expect(ring.append(text: "one\ntwo\n"))
        bell.ring(for: ring)
        #expect(ring.append(text: "three\n"))
        #expect(writer.stop(timeoutMilliseconds: 60_000))
        #expect(writer.linesDropped == 3)
        #expect(writer.bytesWritten == 0)
        #expect(ring.count == 0)
    }
}

/// A temporary folder, gone with its owner.
final class Folder {
    private let url: URL

    init() throws { url = URL(fileURLWithPath: try TestRun.makeFolder()) }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }
    func content(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }
}
