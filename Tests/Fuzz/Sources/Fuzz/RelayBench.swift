import Core
import Glibc
import Proxy
import Routing
import Telemetry

/// A worker in a thread of its own; this thread plays its client and its target.
final class RelayBench {
    private let counters: WorkerCounters
    private let address: SocketAddress
    private let listening: Socket
    private var connections: [TargetEnd] = []

    /// Starts the worker with one listener, one group and one target.
    init() {
        listening = Self.listen()
        let entrance = Self.listen()
        guard let address = entrance.localAddress, let target = listening.localAddress else { fatalError("not bound") }
        self.address = address
        let wakeup = LogWakeup()
        let sink = LogSink(ring: LogRing(capacity: 1 << 16), wakeup: wakeup)
        let handle = WorkerHandle.start(
            WorkerConfiguration(index: 0, connectionsMax: 1000, descriptorsMax: 4000, bufferBytesMax: 1 << 28),
            control: Mailbox(),
            log: sink, connectionLog: sink)
        counters = handle.counters
        let cell = TargetCell()
        cell.isHealthy = true
        let group = GroupPlan(
            id: 0, name: "all", targets: [TargetPlan(id: 0, address: target, cell: cell)],
            settings: GroupSettings(
                connectTimeout: 5_000_000_000, poolIdleTimeout: 60_000_000_000, poolConnectionsMax: 16),
            cell: GroupCell(), counters: TargetGroupCounters())
        let settings = ListenerSettings(
            idleTimeout: 60_000_000_000, clientKeepAlive: 3_600_000_000_000,
            firstByteTimeout: 30_000_000_000, headTimeout: 10_000_000_000,
            bodyRateWindow: 10_000_000_000, bodyRateWindowBytes: 0, dropsInvalidNames: false, preservesHost: false,
            forwardedForMode: .append, addsClientPort: false, addsReason: true)
        let listener = ListenerPlan(
            id: 0, loadBalancer: "app/fuzz", port: address.port, settings: settings,
            defaultAction: .forward(ForwardPlan(groups: [0], weights: [1])))
        let snapshot = Snapshot(generation: 1, listeners: [listener], groups: [group], accessLog: nil)
        handle.mailbox.send(.adopt(snapshot, opened: [OpenedListener(id: 0, socket: entrance)]))
    }

    private static func listen() -> Socket {
        guard let loopback = SocketAddress(literal: "127.0.0.1", port: 0),
            let socket = try? Socket.listen(on: loopback, sharesPort: false)
        else { fatalError("cannot listen on loopback") }
        return socket
    }

    /// Sends `bytes` on a new connection, ends the client's side of it, and plays the target until the worker has ended
    /// the connection too.
    func relay(_ bytes: [UInt8]) -> RelayRun {
        guard let client = try? Socket.connect(to: address) else { fatalError("cannot connect to \(address)") }
        defer { client.close() }
        var run = RelayRun()
        let before = counters.requests.value
        let output = Buffer(capacity: max(1, bytes.count))
        output.append(bytes.span)
        let input = Buffer(capacity: 1 << 16)
        var isWriting = true
        while true {
            wait(for: client, isWriting: isWriting)
            if isWriting { isWriting = write(output, to: client) }
            serve(&run)
            input.removeAll()
            let result = client.read(into: input)
            run.received += Relays.copy(input)
            switch result {
            case .bytes, .wouldBlock: continue
            case .endOfStream: break
            case .failed: run.isReset = true
            }
            run.requestCount = Int(counters.requests.value - before)
            return run
        }
    }

    /// Writes as much as the kernel takes, and ends our side after the last byte. Returns whether bytes are left.
    private func write(_ output: Buffer, to client: Socket) -> Bool {
        while !output.isEmpty {
            switch client.write(output) {
            case .bytes: continue
            // Not connected yet.
            case .wouldBlock: return true
            case .failed: return errno == EAGAIN || errno == ENOTCONN
            }
        }
        client.shutdownWrite()
        return false
    }

    private func wait(for client: Socket, isWriting: Bool) {
        var watched = [pollfd(fd: client.descriptor, events: Int16(isWriting ? POLLIN | POLLOUT : POLLIN), revents: 0)]
        for descriptor in [listening.descriptor] + connections.map(\.socket.descriptor) {
            watched.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
        }
        let count = unsafe poll(&watched, nfds_t(watched.count), 8000)
        // libFuzzer's alarm signal interrupts the wait now and then.
        demand(count > 0 || count < 0 && errno == EINTR, "nothing happened for eight seconds")
    }

    /// Plays the target: reads what has arrived, and answers complete requests.
    private func serve(_ run: inout RelayRun) {
        while case .accepted(let socket, _) = listening.accept() { connections.append(TargetEnd(socket)) }
        connections.removeAll { connection in
            let isOver = connection.serve(&run)
            if isOver { connection.socket.close() }
            return isOver
        }
    }
}

/// The target's end of one connection.
private final class TargetEnd {
    let socket: Socket
    private var reader = PlainRequests()
    private let input = Buffer(capacity: 1 << 16)

    init(_ socket: Socket) { self.socket = socket }

    /// Reads and answers. Returns whether the connection has ended.
    func serve(_ run: inout RelayRun) -> Bool {
        while true {
            input.removeAll()
            switch socket.read(into: input) {
            case .wouldBlock: return false
            case .endOfStream, .failed: return true
            case .bytes: break
            }
            reader.take(Relays.copy(input))
            let requests = reader.takeRequests()
            // The worker sends one request at a time.
            if reader.isMalformed || requests.count > 1 || !requests.isEmpty && !reader.rest.isEmpty {
                run.isBroken = true
            }
            for request in requests {
                let hasNoBody = PlainHead.text(request.method) == "HEAD"
                let text = "HTTP/1.1 200 OK\r\nX-Request: \(run.recorded.count)\r\nContent-Length: 2\r\n\r\n"
                run.recorded.append(request)
                let answer = Buffer(capacity: 200)
                answer.append(Array((text + (hasNoBody ? "" : "ok")).utf8).span)
                _ = socket.write(answer)
            }
        }
    }
}

extension Relays {
    /// A copy of the bytes in `buffer`.
    fileprivate static func copy(_ buffer: Buffer) -> [UInt8] { copyBytes(buffer.bytes) }
}
