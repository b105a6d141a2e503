import Core
import Testing

@testable import Control

@Suite struct DiskThreadTests {
    @Test func whatJobsReturnComesBackInTheirOrder() {
        let loop = ControlLoop(), disk = DiskThread(name: "disk", loop: loop)
        var results: [Int?] = []
        for number in 0..<100 { disk.run({ number }) { results.append($0) } }
        #expect(results.isEmpty, "nothing comes back but through the loop")
        #expect(run(loop) { results.count == 100 })
        #expect(results == Array(0..<100))
        disk.close()
    }

    /// The loop goes on while a job waits; who does not want to wait any longer is told so, and once.
    @Test func aJobThatWaitsTooLongIsReported() {
        let loop = ControlLoop(), disk = DiskThread(name: "disk", loop: loop)
        let gate = EventDescriptor()
        var stuck: [Int?] = [], late: [Int?] = [], behind: [Int?] = []
        disk.run({
            gate.wait(timeoutMilliseconds: 60_000)
            return 1
        }) { stuck.append($0) }
        disk.run(within: 1_000_000, { 2 }) { late.append($0) }
        #expect(run(loop) { !late.isEmpty })
        #expect(late == [nil] && stuck.isEmpty)
        disk.run({ 3 }) { behind.append($0) }
        gate.signal()
        #expect(run(loop) { !behind.isEmpty })
        #expect(stuck == [1] && late == [nil] && behind == [3])
        disk.close()
    }

    /// What late jobs hold is bounded: a further one does not begin, until the disk has done one of them.
    @Test func aStuckDiskHoldsBackAFewJobsOnly() {
        let loop = ControlLoop(), disk = DiskThread(name: "disk", loop: loop)
        let gate = EventDescriptor()
        var stuck: [Int?] = [], late: [Int?] = [], refused: [Int?] = [], later: [Int?] = []
        disk.run({
            gate.wait(timeoutMilliseconds: 60_000)
            return 1
        }) { stuck.append($0) }
        for number in 0..<Limits.lateJobsMax { disk.run(within: 1_000_000, { number }) { late.append($0) } }
        #expect(run(loop) { late.count == Limits.lateJobsMax })
        disk.run(within: 60_000_000_000, { 2 }) { refused.append($0) }
        #expect(refused.isEmpty, "nothing comes back but through the loop")
        #expect(run(loop) { !refused.isEmpty })
        #expect(refused == [nil] && stuck.isEmpty)
        gate.signal()
        #expect(run(loop) { !stuck.isEmpty })
        // That one of the late jobs is done as well is heard a moment later: until then a further one is refused.
        var isAsked = false
        let isDone = run(loop) {
            if !isAsked {
                isAsked = true
                disk.run(within: 60_000_000_000, { 3 }) { outcome in
                    later.append(outcome)
                    isAsked = outcome != nil
                }
            }
            return later.last == 3
        }
        #expect(isDone && later.dropLast().allSatisfy { $0 == nil })
        disk.close()
    }

    @Test func nobodyIsToldOfWhatEndsAfterwards() {
        let loop = ControlLoop(), disk = DiskThread(name: "disk", loop: loop)
        let done = EventDescriptor()
        disk.run({ done.signal() }) { _ in Issue.record("the thread was closed") }
        disk.close()
        done.wait(timeoutMilliseconds: 60_000)
        var hasPassed = false
        loop.afterBatch { hasPassed = true }
        #expect(run(loop) { hasPassed })
    }
}
