import Core
import Glibc
import Routing
import Telemetry
import Testing

@testable import Proxy

/// Datagrams from clients to targets and back.
@Suite struct WorkerDatagramsTests {
    /// A client of datagrams.
    private final class Client {
        let socket: DatagramSocket
        private let input = Buffer(capacity: 1 << 16)
        /// What has come, each datagram by itself.
        private(set) var received: [String] = []

        init(_ address: SocketAddress) throws { socket = try DatagramSocket.connect(to: address) }

        deinit { socket.close() }

        func send(_ text: StaticString) { _ = Socket(descriptor: socket.descriptor).write(SideBench.buffer(text)) }

        func has(_ wanted: [String]) -> Bool {
            input.removeAll()
            while case .bytes = Socket(descriptor: socket.descriptor).read(into: input) {
                received.append(input.text)
                input.removeAll()
            }
            return received == wanted
        }
    }

    /// A target of datagrams, which sends each back if `echoes`.
    private final class Target {
        private var socket: DatagramSocket
        private let batch = DatagramBatch(capacity: 8)
        let plan: TargetPlan
        private(set) var received: [String] = []
        private(set) var sources: [SocketAddress] = []
        var echoes = true

        init(_ id: Int = 0) throws {
            socket = try DatagramSocket.listen(on: Plans.address("127.0.0.1", 0), sharesPort: false)
            guard let address = socket.localAddress else { fatalError("not bound") }
            plan = TargetPlan(id: id, address: address, cell: TargetCell())
            plan.cell.isHealthy = true
        }

        deinit { close() }

        /// Nobody listens from now on.
        func close() {
            guard socket.descriptor >= 0 else { return }
            socket.close()
            socket = DatagramSocket(descriptor: -1)
        }

        func has(_ count: Int) -> Bool {
            let batch = batch
            while case .messages(let count) = batch.receive(from: socket), count > 0 {
                for index in 0..<count {
                    let source = batch[index].source
                    received.append(batch.bytes(index).text)
                    sources.append(source)
                    if echoes { _ = batch.forward(index..<index + 1, over: socket, to: source) }
                }
            }
            return received.count >= count
        }
    }

    private func worker(_ target: Target, connectionsMax: Int = 10) throws -> ServingWorker {
        try ServingWorker(
            Plans.flowListener(), [Plans.flowGroup([target.plan])], connectionsMax: connectionsMax,
            takesDatagrams: true)
    }

    /// No flow begins for a client that is denied; one that has begun goes on.
    @Test func datagramsOfDeniedClientsAreDropped() throws {
        let target = try Target()
        let access = Plans.denying("127.0.0.0", 8)
        let group = Plans.flowGroup([target.plan])
        var worker = try ServingWorker(Plans.flowListener(), [group], takesDatagrams: true)
        let early = try Client(worker.address)
        early.send("early")
        #expect(worker.serve { target.has(1) && early.has(["early"]) })
        worker.bench.adopt([Plans.flowListener(access: access)], [group])
        let late = try Client(worker.address)
        for text in ["1", "22", "333"] as [StaticString] { late.send(text) }
        early.send("still")
        #expect(worker.serve { target.has(2) && early.has(["early", "still"]) })
        worker.settle()
        #expect(late.has([]) && target.received == ["early", "still"])
        #expect(access.denials.datagrams.value == 3 && access.denials.connections.value == 0)
        #expect(access.denials.lastClient.value == Plans.address("127.0.0.1", 0))
        #expect(worker.counters.datagramsDropped.value == 3 && worker.counters.flows.value(.udp) == 1)
        worker.stop()
    }

    @Test func datagramsGoBothWaysAndStayWhole() throws {
        let target = try Target()
        var worker = try worker(target)
        let client = try Client(worker.address)
        for text in ["one", "three", "five"] as [StaticString] { client.send(text) }
        #expect(
            worker.serve {
                _ = target.has(3); return client.has(["one", "three", "five"])
            })
        #expect(target.received == ["one", "three", "five"] && Set(target.sources.map(\.port)).count == 1)
        #expect(worker.counters.flows.value(.udp) == 1 && worker.counters.datagrams.value == 6)
        #expect(worker.counters.flowBytes.value(.udp) == 24 && worker.counters.datagramsDropped.value == 0)
        worker.stop()
        #expect(worker.takeConnectionLog().contains("shutdown"))
        #expect(worker.bench.worker.flowCount == 0)
    }

    /// Each client has a socket of its own towards the target, so that an answer finds its way.
    @Test func clientsAreToldApart() throws {
        let target = try Target()
        var worker = try worker(target)
        let clients = try (0..<5).map { _ in try Client(worker.address) }
        for (index, client) in clients.enumerated() { client.send(["a", "b", "c", "d", "e"][index]) }
        #expect(worker.serve { target.has(5) })
        #expect(Set(target.sources.map(\.port)).count == 5)
        for (index, client) in clients.enumerated() {
            #expect(worker.serve { client.has([["a", "b", "c", "d", "e"][index]]) })
        }
        worker.stop()
    }

    @Test func withoutATargetNoFlowBegins() throws {
        var worker = try ServingWorker(Plans.flowListener(), [Plans.flowGroup([])], takesDatagrams: true)
        let client = try Client(worker.address), counters = worker.counters
        client.send("a")
        #expect(worker.serve { counters.flowsRejected.value(.udp) == 1 })
        #expect(worker.bench.worker.flowCount == 0)
        worker.stop()
    }

    /// The kernel tells that nobody listens at the target: the next datagram begins another flow.
    @Test func aTargetThatIsGoneEndsTheFlow() throws {
        let target = try Target()
        var worker = try worker(target)
        let client = try Client(worker.address), counters = worker.counters
        client.send("a")
        #expect(worker.serve { target.has(1) })
        target.close()
        client.send("b")
        #expect(worker.serve { counters.flowEndings.value(.unreachable) == 1 })
        #expect(worker.bench.worker.flowCount == 0 && worker.bench.worker.pools[0]?.inFlight == 0)
        worker.stop()
    }

    @Test func silenceEndsAFlow() throws {
        let target = try Target()
        var worker = try worker(target)
        let client = try Client(worker.address), counters = worker.counters
        client.send("a")
        #expect(
            worker.serve {
                _ = target.has(1); return client.has(["a"])
            })
        worker.pass(after: 110_000_000_000)
        worker.settle()
        #expect(counters.flowEndings.value(.idle) == 0)
        // A tenth of the timeout late at most.
        worker.pass(after: 10_500_000_000)
        worker.pass(after: 12_500_000_000)
        worker.settle()
        #expect(counters.flowEndings.value(.idle) == 1 && worker.bench.worker.flowCount == 0)
        #expect(worker.bench.worker.resources.buffers.bytesHeld == 0)
        worker.stop()
    }

    /// A flood of senders that nobody has heard of does not take the place of a client that is known.
    @Test func aFloodDoesNotDriveOutWhoIsKnown() throws {
        let target = try Target()
        var worker = try worker(target, connectionsMax: 4)
        let known = try Client(worker.address)
        known.send("a")
        #expect(
            worker.serve {
                _ = target.has(1); return known.has(["a"])
            })
        known.send("b")
        #expect(
            worker.serve {
                _ = target.has(2); return known.has(["a", "b"])
            })
        target.echoes = false
        let flood = try (0..<20).map { _ in try Client(worker.address) }
        for client in flood { client.send("x") }
        #expect(worker.serve { target.has(22) })
        #expect(worker.counters.flowsEvicted.value == 17 && worker.bench.worker.flowCount == 4)
        known.send("c")
        #expect(worker.serve { target.has(23) })
        #expect(worker.counters.flows.value(.udp) == 21, "the known client's flow goes on")
        worker.stop()
    }

    /// Answers could not come from the address that is gone: its flows end, which is counted as a cut.
    @Test func aRemovedListenerEndsItsFlows() throws {
        let target = try Target()
        var worker = try worker(target)
        let client = try Client(worker.address)
        client.send("a")
        #expect(worker.serve { target.has(1) })
        worker.bench.adopt([], [])
        worker.settle()
        #expect(worker.counters.flowEndings.value(.listenerRemoved) == 1)
        #expect(worker.counters.connectionsCutByConfiguration.value == 1)
        #expect(worker.bench.worker.datagramListeners.isEmpty && worker.bench.worker.flowCount == 0)
        worker.stop()
    }

    // MARK: Another process takes over

    /// Two workers stand for those of two processes, which share the sockets of the listener and of the flow.
    @Test func flowsGoOnInAnotherProcess() throws {
        let target = try Target()
        var old = try worker(target)
        let client = try Client(old.address)
        client.send("one")
        #expect(
            old.serve {
                _ = target.has(1); return client.has(["one"])
            })
        client.send("two")
        #expect(
            old.serve {
                _ = target.has(2); return client.has(["one", "two"])
            })
        let shared = dup(old.bench.worker.datagramListeners[0].socket.descriptor)
        var new = ServingWorker(
            Plans.flowListener(), [Plans.flowGroup([target.plan])], sharing: DatagramSocket(descriptor: shared))
        client.send("three")
        new.settle()
        #expect(new.counters.datagrams.value == 0, "it waits for the flows")

        old.bench.worker.handOver(old.bench.worker.now + 1_000_000_000)
        old.settle()
        #expect(old.bench.worker.flowCount == 0 && old.bench.worker.isFinished)
        let moved = old.bench.control.takeAll().flatMap { mail -> [MovedFlow] in
            if case .handedOver(worker: 0, let flows, _, _) = mail { flows } else { [] }
        }
        #expect(moved.count == 1 && moved[0].isVerified && moved[0].receivedBytes == 6 && moved[0].sentBytes == 6)
        new.bench.worker.adoptFlows(moved, isLast: false)
        new.bench.worker.adoptFlows([], isLast: true)
        #expect(
            new.serve {
                _ = target.has(3); return client.has(["one", "two", "three"])
            })
        #expect(target.received == ["one", "two", "three"] && Set(target.sources.map(\.port)).count == 1)
        #expect(new.counters.flows.value(.udp) == 1 && new.bench.worker.flowCount == 1)
        #expect(old.counters.staleEvents.value == 0, "it watches nothing that it has handed over")
        new.stop()
        #expect(new.takeConnectionLog().contains("\"received_bytes\":11"))
        old.stop()
    }

    /// Whether a client that sends `text` has then got `texts` in all.
    private func sends(
        _ client: Client, _ text: StaticString, has texts: [String], _ worker: inout ServingWorker, _ target: Target,
        tick: Nanoseconds = 0
    ) -> Bool {
        client.send(text)
        return worker.serve(tick: tick) {
            // The target answers when it is asked for what it has.
            target.has(1) && client.has(texts)
        }
    }

    /// The flows that a worker tells of, in their order, with sockets that are the other process's own.
    private func copies(of worker: inout ServingWorker) -> [MovedFlow] {
        worker.bench.worker.copyFlows(to: 4711)
        let told = worker.bench.control.takeAll().flatMap { mail -> [MovedFlow] in
            if case .copiedFlows(worker: 0, process: 4711, let flows) = mail { flows } else { [] }
        }
        return told.map { told in
            var told = told
            told.socket = DatagramSocket(descriptor: dup(told.socket.descriptor))
            return told
        }
    }

    /// First the other process is told of flows, which go on; then of what has become of them.
    @Test func flowsThatChangeWhileTheyAreToldOfArriveAsTheyAre() throws {
        let target = try Target()
        var old = try worker(target)
        var clients: [Client] = []
        for _ in 0..<3 {
            let client = try Client(old.address)
            clients.append(client)
            #expect(sends(client, "one", has: ["one"], &old, target, tick: 1), "in the order of their flows")
        }
        let told = copies(of: &old)
        #expect(told.map(\.number) == [0, 1, 2])
        let shared = dup(old.bench.worker.datagramListeners[0].socket.descriptor)
        var new = ServingWorker(
            Plans.flowListener(), [Plans.flowGroup([target.plan])], sharing: DatagramSocket(descriptor: shared))
        new.bench.worker.adoptFlows(told, isLast: false)
        // The first goes on, the second ends and begins anew, and a fourth begins.
        let second = try #require(old.bench.worker.datagramFlows().first { $0.key.client == told[1].client })
        old.bench.worker.endFlow(second, .idle, by: .apus)
        for client in clients.prefix(2) { #expect(sends(client, "two", has: ["one", "two"], &old, target, tick: 1)) }
        let fourth = try Client(old.address)
        #expect(sends(fourth, "four", has: ["four"], &old, target))
        new.settle()
        #expect(new.counters.datagrams.value == 0, "the old process has them still")

        old.bench.worker.handOver(old.bench.worker.now + 1_000_000_000)
        for mail in old.bench.control.takeAll() {
            guard case .handedOver(worker: 0, let moved, let ended, let changes) = mail else { continue }
            #expect(moved.count == 2 && moved.allSatisfy { $0.number == nil })
            #expect(ended == [1] && changes.map(\.number) == [0])
            #expect(changes[0].isVerified && changes[0].receivedBytes == 3 && changes[0].sentBytes == 3)
            new.bench.worker.adoptFlows([], ended: ended, isLast: false)
            new.bench.worker.adoptFlows(moved, isLast: true)
            new.bench.worker.adoptChanges(changes, isLast: true)
        }
        #expect(new.bench.worker.flowCount == 4 && new.bench.worker.adoptedFlows.isEmpty)
        for client in clients.prefix(2) {
            #expect(sends(client, "last", has: ["one", "two", "last"], &new, target))
        }
        #expect(sends(clients[2], "last", has: ["one", "last"], &new, target))
        #expect(sends(fourth, "last", has: ["four", "last"], &new, target))
        #expect(new.bench.worker.datagramFlows().count(where: \.isVerified) == 4)
        #expect(Set(target.sources.map(\.port)).count == 5, "the one that ended had a port of its own")
        #expect(old.counters.staleEvents.value == 0 && new.counters.staleEvents.value == 0)
        new.stop()
        old.stop()
    }

    /// The process that was to take over does not: all goes on, and ends, as before.
    @Test func flowsThatWereToldOfInVainGoOn() throws {
        let target = try Target()
        var worker = try worker(target)
        let clients = try (0..<2).map { _ in try Client(worker.address) }
        for client in clients { #expect(sends(client, "one", has: ["one"], &worker, target)) }
        for copy in copies(of: &worker) { copy.socket.close() }
        let flow = try #require(worker.bench.worker.datagramFlows().first)
        worker.bench.worker.endFlow(flow, .idle, by: .apus)
        #expect(fcntl(flow.socket.descriptor, F_GETFD) != -1, "it may be on its way to the other process")
        worker.bench.worker.endFlowCopy()
        #expect(worker.bench.worker.datagramFlows().allSatisfy { $0.number == nil })
        for client in clients { #expect(sends(client, "two", has: ["one", "two"], &worker, target)) }
        #expect(worker.bench.worker.flowCount == 2 && worker.counters.staleEvents.value == 0)
        worker.stop()
    }

    /// A flow to a target that is not there any more ends: the next datagram begins another one.
    @Test func flowsOfTargetsThatAreGoneEnd() throws {
        let target = try Target()
        var old = try worker(target)
        let client = try Client(old.address)
        client.send("one")
        #expect(old.serve { target.has(1) })
        let shared = dup(old.bench.worker.datagramListeners[0].socket.descriptor)
        let other = try Target(1)
        var new = ServingWorker(
            Plans.flowListener(), [Plans.flowGroup([other.plan])], sharing: DatagramSocket(descriptor: shared))
        old.bench.worker.handOver(old.bench.worker.now)
        let moved = old.bench.control.takeAll().flatMap { mail -> [MovedFlow] in
            if case .handedOver(worker: 0, let flows, _, _) = mail { flows } else { [] }
        }
        client.send("two")
        new.bench.worker.adoptFlows(moved, isLast: true)
        #expect(new.serve { other.has(1) })
        #expect(other.received == ["two"])
        new.stop()
        old.stop()
    }
}
