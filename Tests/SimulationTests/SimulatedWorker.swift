import Core
import Telemetry

@testable import Proxy

/// A worker that a simulation drives, pass by pass.
final class SimulatedWorker {
    let index: Int
    let mailbox: Mailbox<WorkerMail>
    let counters = WorkerCounters()
    private let ring = LogRing(capacity: 1 << 15)
    private var worker: Worker
    private(set) var isStopped = false
    private var logLineCount = 0

    var party: Int { index + 1 }

    init(_ network: SimulatedNetwork, _ configuration: WorkerConfiguration, control: Mailbox<ControlMail>) {
        index = configuration.index
        mailbox = Mailbox()
        network.party = configuration.index + 1
        worker = Worker(
            configuration, mailbox: mailbox, control: control, counters: counters,
            log: LogSink(ring: ring, wakeup: LogWakeup()),
            connectionLog: LogSink(ring: LogRing(capacity: 1 << 13), wakeup: LogWakeup()))
    }

    var nextPassAt: Instant { isStopped ? .distantFuture : worker.nextPassAt ?? .distantFuture }

    /// Makes a pass if one is due.
    func pass(_ network: SimulatedNetwork) -> Bool {
        guard !isStopped, nextPassAt <= network.now || network.isReady(party) else { return false }
        network.party = party
        let readyCount = worker.poller.wait(until: network.now, now: network.now)
        worker.runPass(readyCount, now: network.now)
        takeLog()
        if worker.isFinished {
            worker.stop()
            takeLog()
            isStopped = true
        }
        return true
    }

    private func takeLog() {
        while ring.count > 0 {
            ring.take { piece in
                for index in 0..<piece.count where piece[index] == 0x0A { logLineCount += 1 }
                return piece.count
            }
        }
    }

    /// What it still has though it has stopped, and where its counters disagree.
    var leftovers: [String] {
        var found: [String] = []
        func expect(_ what: String, _ value: some BinaryInteger, _ wanted: UInt64 = 0) {
            if Int(value) != Int(wanted) { found.append("worker \(index): \(what) is \(value), not \(wanted)") }
        }
        expect("the bytes held", worker.resources.buffers.bytesHeld)
        expect("the number of slots taken beside the mailbox's", worker.slab.count - 1)
        expect("the number of timers", worker.timers.count)
        expect("the number of clients", worker.clientCount)
        expect("the number of flows", worker.flowCount)
        expect("connectionsActive", counters.connectionsActive.value)
        expect("requestsActive", counters.requestsActive.value)
        expect("webSocketsActive", counters.webSocketsActive.value)
        expect("targetConnectionsActive", counters.targetConnectionsActive.value)
        expect("targetConnectionsIdle", counters.targetConnectionsIdle.value)
        expect("the number of exchanges that wait for a descriptor", worker.descriptorQueue.count)
        expect("the number of exchanges in pools", worker.pools.reduce(0) { $0 + ($1?.inFlight ?? 0) })
        let requests = counters.requests.value
        expect("the number of log lines", UInt64(logLineCount) + counters.logLinesDropped.value, requests)
        var durations = LatencySums()
        durations.add(counters.requestDuration)
        expect("the number of durations", durations.count, requests)
        for kind in [FlowKind.tcp] {
            expect("the number of flows ended", counters.flowsEnded.value(kind), counters.flows.value(kind))
        }
        return found
    }
}
