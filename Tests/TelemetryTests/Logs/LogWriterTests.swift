import Core
import Foundation
import Glibc
import TestRuns
import Testing

@testable import Telemetry

@Suite struct LogWriterTests {
    private func writer(
        _ destination: LogDestination, _ ring: LogRing, _ wakeup: LogWakeup
    ) throws(SystemError) -> LogWriter {
        try LogWriter(destination, name: "log", rings: [ring], wakeup: wakeup, reopened: { _ in })
    }

    /// Two workers, more lines than their rings hold: every accepted line is in the file, each worker's in order.
    @Test func writesEveryAcceptedLine() throws {
        let folder = try Folder()
        let wakeup = LogWakeup()
        let rings = [LogRing(capacity: 4096), LogRing(capacity: 4096)]
        let writer = try LogWriter(
            .file(folder.path("access.log")), name: "log", rings: rings, wakeup: wakeup, reopened: { _ in })
        let workers = rings.enumerated().map { index, ring in
            Core.Thread.start(name: "worker-\(index)") {
                for number in 0..<2000 {
                    let line = Array("\(index) \(number)\n".utf8)
                    while !ring.append(line.span) { wakeup.wakeIfNeeded(for: ring) }
                    wakeup.wakeIfNeeded(for: ring)
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
        let (wakeup, ring) = (LogWakeup(), LogRing(capacity: 4096))
        let writer = try writer(.file(folder.path("access.log")), ring, wakeup)
        for number in 0..<50 {
            #expect(ring.append(text: "\(number)\n"))
            wakeup.wakeIfNeeded(for: ring)
            let deadline = Instant.now() + 10_000_000_000
            while ring.count > 0 && Instant.now() < deadline { sched_yield() }
            #expect(ring.count == 0)
        }
        #expect(writer.stop(timeoutMilliseconds: 60_000))
        #expect(try folder.content("access.log") == (0..<50).map { "\($0)\n" }.joined())
    }

    @Test func reopensAfterARename() throws {
        let folder = try Folder()
        let (wakeup, ring) = (LogWakeup(), LogRing(capacity: 4096))
        let writer = try writer(.file(folder.path("access.log")), ring, wakeup)
        #expect(ring.append(text: "before\n"))
        wakeup.wakeIfNeeded(for: ring)
        let deadline = Instant.now() + 10_000_000_000
        while writer.bytesWritten < 7 && Instant.now() < deadline { sched_yield() }
        try FileManager.default.moveItem(atPath: folder.path("access.log"), toPath: folder.path("access.log.1"))
        writer.reopen()
        #expect(writer.stop(timeoutMilliseconds: 60_000))
        #expect(try folder.content("access.log.1") == "before\n")
        #expect(try folder.content("access.log") == "")
    }

    @Test func keepsTheOldFileWhenTheNewCannotBeOpened() throws {
        let folder = try Folder()
        try FileManager.default.createDirectory(atPath: folder.path("logs"), withIntermediateDirectories: false)
        let (wakeup, ring) = (LogWakeup(), LogRing(capacity: 4096))
        let errors = Mailbox<SystemError?>()
        let writer = try LogWriter(
            .file(folder.path("logs/access.log")), name: "log", rings: [ring], wakeup: wakeup,
            reopened: { errors.send($0) })
        try FileManager.default.moveItem(atPath: folder.path("logs"), toPath: folder.path("moved"))
        writer.reopen()
        #expect(ring.append(text: "after\n"))
        #expect(writer.stop(timeoutMilliseconds: 60_000))
        #expect(errors.takeAll().map { $0?.code } == [ENOENT])
        #expect(try folder.content("moved/access.log") == "after\n")
    }

    @Test func refusesAFileThatCannotBeOpened() {
        #expect(throws: SystemError.self) {
            _ = try writer(.file("/nonexistent/access.log"), LogRing(capacity: 16), LogWakeup())
        }
    }

    /// `/dev/full` takes nothing: lines are counted, and the writer goes on and ends.
    @Test func countsWhatAFullDiskLoses() throws {
        let (wakeup, ring) = (LogWakeup(), LogRing(capacity: 4096))
        let writer = try writer(.file("/dev/full"), ring, wakeup)
        #expect(ring.append(text: "one\ntwo\n"))
        wakeup.wakeIfNeeded(for: ring)
        #expect(ring.append(text: "three\n"))
        #expect(writer.stop(timeoutMilliseconds: 60_000))
        #expect(writer.linesDropped == 3)
        #expect(writer.bytesWritten == 0)
        #expect(ring.count == 0)
    }

    /// Nobody reads the pipe: the end is not waited for beyond its time.
    @Test func isLeftBehindWhenNobodyReads() throws {
        let pipe = Pipe()
        let (wakeup, ring) = (LogWakeup(), LogRing(capacity: 1 << 20))
        let line = String(repeating: "a", count: 4095) + "\n"
        var unread = 0
        while ring.append(text: line) { unread += line.utf8.count }
        let descriptor = FileDescriptor(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        let writer = LogWriter(LogFile(.standardOutput, descriptor), name: "log", rings: [ring], wakeup: wakeup)
        #expect(!writer.stop(timeoutMilliseconds: 1))
        // Its thread ends when all of it was read. To read more would be to wait forever.
        while unread > 0 { unread -= try pipe.fileHandleForReading.read(upToCount: 1 << 16)?.count ?? unread }
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
