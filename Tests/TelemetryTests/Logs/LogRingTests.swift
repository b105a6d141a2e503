import Core
import Synchronization
import Testing

@testable import Telemetry

@Suite struct LogRingTests {
    @Test func givesBackWhatWasAppended() {
        let ring = LogRing(capacity: 16)
        #expect(ring.append(text: "hello\n"))
        #expect(ring.append(text: "world\n"))
        #expect(ring.count == 12)
        #expect(taken(ring) == "hello\nworld\n")
        #expect(ring.count == 0)
        #expect(taken(ring) == "")
    }

    @Test func refusesWhatDoesNotFitWhole() {
        let ring = LogRing(capacity: 8)
        #expect(ring.append(text: "12345"))
        #expect(!ring.append(text: "6789"))
        #expect(ring.append(text: "678"))
        #expect(!ring.append(text: "9"))
        #expect(taken(ring) == "12345678")
        #expect(!ring.append(text: "123456789"))
        #expect(ring.append(text: ""))
    }

    @Test func wrapsInTwoPieces() {
        let ring = LogRing(capacity: 8)
        #expect(ring.append(text: "abcdef"))
        #expect(taken(ring) == "abcdef")
        #expect(ring.append(text: "ghijk"))
        #expect(taken(ring) == "gh")
        #expect(taken(ring) == "ijk")
    }

    @Test func keepsWhatWasNotTaken() {
        let ring = LogRing(capacity: 8)
        #expect(ring.append(text: "abcdef"))
        ring.take { _ in 2 }
        #expect(ring.count == 4)
        #expect(ring.append(text: "ghij"))
        #expect(taken(ring) == "cdefgh")
        #expect(taken(ring) == "ij")
    }

    @Test func refusesOddCapacities() async {
        await #expect(processExitsWith: .failure) { _ = LogRing(capacity: 100) }
    }

    /// A worker appends lines of every length to a ring that is too small for them, while another thread takes any part
    /// of what is there. What comes out is what went in, in order, byte by byte, and only whole lines are missing.
    @Test func twoThreadsLoseNothingButWholeLines() {
        let ring = LogRing(capacity: 256)
        let isDone = Atomic<Bool>(false)
        let lines = 20_000
        let accepted = Mutex<[Int]>([])
        let worker = RingWorker(ring: ring, lines: lines)
        let thread = Core.Thread.start(name: "appending") {
            let kept = worker.run()
            accepted.withLock { $0 = kept }
            isDone.store(true, ordering: .releasing)
        }
        var out: [UInt8] = []
        var share = 1
        while true {
            let wasDone = isDone.load(ordering: .acquiring)
            var count = 0
            ring.take { piece in
                count = piece.count
                share = share % 7 + 1
                let part = min(piece.count, share * 13)
                for index in 0..<part { out.append(piece[index]) }
                return part
            }
            if wasDone && count == 0 { break }
        }
        thread.join()
        let kept = accepted.withLock { $0 }
        #expect(!kept.isEmpty)
        #expect(out == kept.flatMap(RingWorker.line))
    }

    private func taken(_ ring: LogRing) -> String {
        var text = ""
        ring.take { piece in
            text = piece.text
            return piece.count
        }
        return text
    }
}

/// Appends numbered lines, and tells which were accepted.
private struct RingWorker: Sendable {
    let ring: LogRing
    let lines: Int

    func run() -> [Int] { (0..<lines).filter { ring.append(Self.line($0).span) } }

    static func line(_ number: Int) -> [UInt8] {
        Array("\(number)".utf8) + [UInt8](repeating: UInt8(0x61 + number % 26), count: number % 90) + [.lineFeed]
    }
}

extension LogRing {
    func append(text: String) -> Bool { append(Array(text.utf8).span) }
}
