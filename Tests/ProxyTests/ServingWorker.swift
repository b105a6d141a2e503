import Core
import Routing
import Telemetry

@testable import Proxy

/// A worker that serves over loopback, pass by pass. Its clock stands still unless the test moves it.
struct ServingWorker: ~Copyable {
    var bench: WorkerBench
    /// Where its listener takes connections.
    let address: SocketAddress

    /// A worker with one listener, which takes datagrams instead of connections if `takesDatagrams`.
    init(
        _ listener: ListenerPlan, _ groups: [GroupPlan] = [], connectionsMax: Int = 10, descriptorsMax: Int = 20,
        index: Int = 0, mailboxes: [Mailbox<WorkerMail>] = [], takesDatagrams: Bool = false
    ) throws {
        bench = WorkerBench(
            connectionsMax: connectionsMax, descriptorsMax: descriptorsMax, index: index, mailboxes: mailboxes)
        let any = Plans.address("127.0.0.1", 0)
        let socket = takesDatagrams ? nil : try Socket.listen(on: any, sharesPort: false)
        let datagrams = takesDatagrams ? try DatagramSocket.listen(on: any, sharesPort: false) : nil
        guard let bound = socket?.localAddress ?? datagrams?.localAddress else { fatalError("not bound") }
        address = bound
        let snapshot = Snapshot(
            generation: 1, listeners: [listener], groups: groups, accessLog: .json, connectionLog: .json)
        bench.worker.adopt(
            snapshot, opened: [OpenedListener(id: listener.id, socket: socket, datagrams: datagrams)])
    }

    /// A worker to which another process hands over its socket for datagrams: it waits for the flows.
    init(_ listener: ListenerPlan, _ groups: [GroupPlan], sharing datagrams: DatagramSocket) {
        bench = WorkerBench()
        guard let bound = datagrams.localAddress else { fatalError("not bound") }
        address = bound
        let snapshot = Snapshot(
            generation: 1, listeners: [listener], groups: groups, accessLog: .json, connectionLog: .json)
        bench.worker.adopt(
            snapshot,
            opened: [OpenedListener(id: listener.id, socket: nil, datagrams: datagrams, awaitsFlows: true)])
    }

    var counters: WorkerCounters { bench.counters }

    /// A client that connects.
    func client() throws -> LoopbackEnd { LoopbackEnd(try Socket.connect(to: address)) }

    /// A client that connects and asks for `path`.
    func client(asking path: String) throws -> LoopbackEnd {
        let client = try client()
        client.ask(path)
        return client
    }

    /// Makes passes until `condition` holds; with each its clock goes on by `tick`. False if it does not within 10 s.
    mutating func serve(tick: Nanoseconds = 0, until condition: () -> Bool) -> Bool {
        let deadline = Instant.now() + 10_000_000_000
        while !condition() {
            if Instant.now() >= deadline { return false }
            pass(after: tick)
        }
        return true
    }

    /// Makes one pass, for which it waits a millisecond at most; its clock has gone on by `time`. `meanwhile` happens
    /// when it is known what is ready, and nothing was done yet.
    mutating func pass(after time: Nanoseconds = 0, meanwhile: () -> Void = {}) {
        let now = bench.worker.now
        let readyCount = bench.worker.poller.wait(until: now + 1_000_000, now: now)
        meanwhile()
        bench.worker.runPass(readyCount, now: now + time)
    }

    /// Makes passes until nothing more is to be done for what has been sent to it.
    mutating func settle() { for _ in 0..<5 { pass() } }

    /// What the connection log holds since it was asked last.
    func takeConnectionLog() -> String {
        var log = ""
        bench.connectionRing.take { line in
            log = line.text
            return line.count
        }
        return log
    }

    /// Ends all its connections.
    mutating func stop() {
        bench.worker.stop()
        bench.worker.closeListeners { _ in true }
        bench.worker.closeDatagramListeners { _ in true }
    }
}

/// The test's end of a connection over loopback.
final class LoopbackEnd {
    let socket: Socket
    private let input = Buffer(capacity: 1 << 16)
    /// All that has come.
    private(set) var text = ""
    private(set) var isEnded = false
    private var isClosed = false

    init(_ socket: Socket) { self.socket = socket }

    deinit { if !isClosed { socket.close() } }

    /// Closes it: what arrives from now on is answered with a reset.
    func close() {
        read()
        isEnded = true
        isClosed = true
        socket.close()
    }

    /// Closes it with a reset.
    func reset() {
        isEnded = true
        isClosed = true
        socket.closeWithReset()
    }

    /// Sends bytes, of which there is room for all.
    func send(_ text: String) {
        let output = Buffer(capacity: text.utf8.count)
        for byte in text.utf8 { output.append(byte) }
        while !output.isEmpty {
            if case .failed = socket.write(output) { return }
        }
    }

    /// Sends a GET.
    func ask(_ path: String) { send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n") }

    /// Answers what was asked.
    func answer(_ body: String = "ok") {
        send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    /// Reads what is there.
    func read() {
        while !isEnded {
            input.removeAll()
            switch socket.read(into: input) {
            case .bytes: text += input.text
            case .wouldBlock: return
            case .endOfStream, .failed: isEnded = true
            }
        }
    }

    /// Whether so much text has come.
    func has(_ wanted: String) -> Bool {
        read()
        return text.contains(wanted)
    }

    /// Whether the other side has ended the connection.
    var hasEnd: Bool {
        read()
        return isEnded
    }

    /// How many requests have come.
    var requestCount: Int {
        read()
        return text.split(separator: " HTTP/1.1\r\n", omittingEmptySubsequences: false).count - 1
    }

    /// How many responses with this status have come.
    func count(of status: Int) -> Int {
        read()
        return text.split(separator: "HTTP/1.1 \(status) ", omittingEmptySubsequences: false).count - 1
    }
}

/// A target whose connections the test holds.
final class LoopbackTarget {
    private let listening: Socket
    let plan: TargetPlan
    /// Those that were taken, in this order.
    private(set) var connections: [LoopbackEnd] = []

    init(_ id: Int = 0) throws {
        listening = try Socket.listen(on: Plans.address("127.0.0.1", 0), sharesPort: false)
        guard let address = listening.localAddress else { fatalError("not bound") }
        plan = TargetPlan(id: id, address: address, cell: TargetCell())
        plan.cell.isHealthy = true
    }

    deinit { listening.close() }

    /// Whether so many connections have come.
    func hasTaken(_ count: Int) -> Bool {
        while case .accepted(let socket, _) = listening.accept() { connections.append(LoopbackEnd(socket)) }
        return connections.count >= count
    }

    /// Whether so many requests have come in all.
    func has(_ count: Int) -> Bool {
        _ = hasTaken(0)
        return connections.reduce(0) { $0 + $1.requestCount } >= count
    }

    /// A port on which nobody listens.
    static func closed(_ id: Int) throws -> TargetPlan {
        let socket = try Socket.listen(on: Plans.address("127.0.0.1", 0), sharesPort: false)
        defer { socket.close() }
        guard let address = socket.localAddress else { fatalError("not bound") }
        let plan = TargetPlan(id: id, address: address, cell: TargetCell())
        plan.cell.isHealthy = true
        return plan
    }
}
