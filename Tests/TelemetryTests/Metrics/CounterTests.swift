import Core
import HTTP1
import HTTP2
import Routing
import Testing

@testable import Telemetry

@Suite struct CounterTests {
    @Test func counts() {
        let counter = Counter()
        #expect(counter.value == 0)
        counter.add()
        counter.add(41)
        #expect(counter.value == 42)
    }

    @Test func gaugeRisesAndFalls() {
        let gauge = Gauge()
        gauge.add(3)
        gauge.subtract()
        #expect(gauge.value == 2)
        gauge.subtract(2)
        #expect(gauge.value == 0)
    }

    @Test func gaugeBelowZeroTraps() async {
        await #expect(processExitsWith: .failure) {
            let gauge = Gauge()
            gauge.add()
            gauge.subtract(2)
        }
    }

    /// One thread writes, another reads: what is read never falls, and the last is exact.
    @Test func isReadWhileWritten() {
        let counters = WorkerCounters()
        let writer = Thread.start(name: "counting") {
            for _ in 0..<100_000 { counters.requests.add() }
        }
        var seen: UInt64 = 0
        var fell = false
        while seen < 100_000 {
            let value = counters.requests.value
            if value < seen { fell = true }
            seen = value
        }
        writer.join()
        #expect(!fell)
        #expect(counters.requests.value == 100_000)
    }

    @Test func eachLabelCountsForItself() {
        let set = CounterSet<TimeoutKind>()
        for (index, kind) in TimeoutKind.allCases.enumerated() { set.add(kind, UInt64(index) + 1) }
        for (index, kind) in TimeoutKind.allCases.enumerated() { #expect(set.value(kind) == UInt64(index) + 1) }
    }

    @Test func everyLabelHasItsCounterAndItsName() {
        check(RejectionReason.self)
        check(TimeoutKind.self)
        check(StatusClass.self)
        check(GeneratedStatus.self)
        check(Compliance.self)
        check(HTTP2Fault.self)
        check(StreamFaultReason.self)
        check(MalformedReason.self)
        check(TLSFailureReason.self)
        check(AttemptOutcome.Ending.self)
        check(SuspicionCause.self)
    }

    private func check<Label: CounterLabel>(_ type: Label.Type) {
        let cases = Array(type.allCases)
        #expect(cases.count <= CounterSet<Label>.capacity)
        #expect(cases.map(\.rawValue) == (0..<UInt8(cases.count)).map(\.self))
        #expect(Set(cases.map { "\($0.label)" }).count == cases.count)
    }
}
