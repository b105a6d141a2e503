import Core
import Logging
import Telemetry
import Testing

@testable import Control

@Suite struct LossWatchTests {
    private static let second: Nanoseconds = 1_000_000_000

    struct Step: Sendable {
        let second: UInt64, total: UInt64, word: LossPeriod.Report
    }

    static let periods: [[Step]] = [
        [Step(second: 0, total: 0, word: .nothing), Step(second: 1, total: 0, word: .nothing)],
        // It is said at once, then every ten seconds while it goes on, then that it is over; and the same again.
        [
            Step(second: 1, total: 3, word: .going(3)), Step(second: 2, total: 5, word: .nothing),
            Step(second: 11, total: 9, word: .going(6)), Step(second: 12, total: 9, word: .nothing),
            Step(second: 20, total: 9, word: .nothing), Step(second: 21, total: 9, word: .over(9)),
            Step(second: 22, total: 9, word: .nothing), Step(second: 23, total: 10, word: .going(1)),
            Step(second: 33, total: 10, word: .over(1)),
        ],
        // What was lost after the last word is told before it is called over.
        [
            Step(second: 1, total: 1, word: .going(1)), Step(second: 5, total: 2, word: .nothing),
            Step(second: 11, total: 2, word: .going(1)), Step(second: 15, total: 2, word: .over(2)),
        ],
    ]

    @Test(arguments: periods) func saysEachThingOnce(_ steps: [Step]) {
        var spell = LossPeriod()
        for step in steps {
            let now = Instant(nanoseconds: (1000 + step.second) * Self.second)
            #expect(spell.step(total: step.total, now: now) == step.word, "at \(step.second) s")
        }
    }

    @Test func linesThatTheDeviceDoesNotTakeAreToldWithTheirRemedy() throws {
        let log = RecordingLog(), loop = ControlLoop()
        let ring = LogRing(), wakeup = LogWakeup()
        let writer = try LogWriter(.file("/dev/full"), name: "log", rings: [ring], wakeup: wakeup, reopened: { _ in })
        let budget = DescriptorBudget(.init(), descriptors: 1024)
        let losses = Loss.all(
            [], budget, memoryBytes: 1, accessLog: (writer, "/dev/full"), connectionLog: (nil, ""),
            healthLog: ((nil, ""), { 0 }))
        let watch = LossWatch(losses, loop: loop, logger: Logger(label: "test") { _ in log })
        let now = Instant.now()
        watch.look(now: now)
        #expect(log.lines.isEmpty)
        let line = Buffer(capacity: 64)
        line.append("one line\n")
        let isTaken = ring.append(line.bytes)
        #expect(isTaken)
        #expect(writer.stop(timeoutMilliseconds: 60_000), "what waits is tried first")
        watch.look(now: now + Self.second)
        #expect(log.lines.count == 1)
        #expect(log.lines.first?.hasPrefix("access log lines are lost count=1 file=/dev/full remedy=Make room") == true)
        #expect(log.lines.first?.contains(" ringBytes=1048576") == true)
        watch.look(now: now + 20 * Self.second)
        #expect(log.lines.last == "the access log takes all lines again count=1")
    }
}
