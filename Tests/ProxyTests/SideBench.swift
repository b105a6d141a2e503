import Core
import HTTP1
import HTTP2
import Telemetry

@testable import Proxy

/// Sides over loopback, whose other ends the test holds, and the resources that they share. There is no worker.
final class SideBench {
    var resources = Resources(counters: WorkerCounters(), bufferBytesMax: 1 << 24, now: Instant.now())
    let listener = WorkerListener(Plans.listener(), actions: [], tickets: Plans.tickets)
    let pool = TargetPool(Plans.target(0))

    /// Which of the two roles an HTTP/1 connection has.
    enum Role: CaseIterable { case client, target }

    /// An HTTP/1 connection as a side, and its other end.
    func connection(_ role: Role) throws -> (side: Side, other: Socket) {
        switch role {
        case .client: try client()
        case .target: try target()
        }
    }

    func client() throws -> (side: ClientConnection, other: Socket) {
        let sockets = try SocketPair()
        let side = ClientConnection(
            transport: Transport(token: .none, socket: sockets.own, to: .client),
            address: Plans.address("192.0.2.7", 50_000), listener: listener, now: resources.now)
        return (side, sockets.other)
    }

    func target() throws -> (side: TargetConnection, other: Socket) {
        let sockets = try SocketPair()
        let side = TargetConnection(
            transport: Transport(token: .none, socket: sockets.own, to: .target), pool: pool, group: Plans.emptyGroup,
            now: resources.now)
        side.transport.isReadable = true
        side.transport.isWritable = true
        return (side, sockets.other)
    }

    /// A client's HTTP/2 connection and the client at its other end.
    func http2Client(windowBytes: Int = 64 * 1024) throws -> (connection: HTTP2ClientConnection, peer: FramePeer) {
        let sockets = try SocketPair()
        let session = HTTP2Session(.server, HTTP2Settings(), heads: resources.heads, now: resources.now)
        let connection = HTTP2ClientConnection(
            transport: Transport(token: .none, socket: sockets.own, to: .client), session: session,
            address: Plans.address("192.0.2.7", 50_000), listener: listener, keepAliveUntil: .distantFuture,
            now: resources.now)
        return (connection, FramePeer(.client, sockets.other, windowBytes: windowBytes))
    }

    /// An HTTP/2 connection to a target, which is open, and the target at its other end.
    func http2Target(windowBytes: Int = 64 * 1024) throws -> (connection: HTTP2TargetConnection, peer: FramePeer) {
        let sockets = try SocketPair()
        let session = HTTP2Session(.client, HTTP2Settings.target, heads: resources.heads, now: resources.now)
        let connection = HTTP2TargetConnection(
            transport: Transport(token: .none, socket: sockets.own, to: .target), session: session, pool: pool,
            group: Plans.emptyGroup, serverName: [], now: resources.now)
        connection.transport.isReadable = true
        connection.transport.isWritable = true
        connection.enter(.open)
        return (connection, FramePeer(.server, sockets.other, windowBytes: windowBytes))
    }

    /// An exchange that `client` has asked for.
    func exchange(_ client: ClientSide, _ request: StaticString = "GET / HTTP/1.1\r\nHost: a\r\n\r\n") -> Exchange {
        let exchange = Exchange()
        exchange.request = Self.request(request)
        exchange.begin(client, now: resources.now, timeOfDay: 0)
        client.exchange = exchange
        return exchange
    }

    /// Reads from a side's connection until something has come, or its end.
    func fill(_ side: Side) -> Transport.ReadResult {
        while true {
            switch side {
            case let side as ClientConnection: side.transport.isReadable = true
            case let side as TargetConnection: side.transport.isReadable = true
            default: break
            }
            let result = side.fillInbound(&resources)
            if result != .nothing { return result }
        }
    }

    /// Has an HTTP/2 connection read what has come, and hands each event to `act`.
    func read(_ connection: HTTP2Connection, _ act: (HTTP2Event, Span<UInt8>) -> Void) {
        connection.transport.isReadable = true
        connection.session.beginTurn()
        let input = resources.frames
        input.removeAll()
        guard connection.transport.receive(into: input, &resources) == .got else { return }
        let takenCount = connection.takeFrames(input.bytes, &resources)
        precondition(takenCount == input.count, "bench: a turn that was too short")
        for index in 0..<connection.session.eventCount { act(connection.session.event(index), input.bytes) }
        connection.session.removeEvents()
        if !connection.blocked.isEmpty { connection.resumeBlocked(&resources) }
    }

    /// The clients that go on in the next pass, since it was asked last.
    func takeDeferred() -> [ClientSide] {
        defer { resources.deferredClients.removeAll() }
        for client in resources.deferredClients { client.isDeferred = false }
        return resources.deferredClients
    }

    static func buffer(_ text: StaticString, capacity: Int = 1 << 16) -> Buffer {
        let buffer = Buffer(capacity: capacity)
        buffer.append(text)
        return buffer
    }

    /// A buffer of so many bytes.
    static func buffer(count: Int) -> Buffer {
        let buffer = Buffer(capacity: count)
        for index in 0..<count { buffer.append(UInt8(truncatingIfNeeded: index)) }
        return buffer
    }

    static func request(_ text: StaticString) -> Head {
        let head = Head()
        var scan = HeadScan()
        let bytes = buffer(text)
        guard case .complete = parseRequestHead(bytes.bytes, into: head, options: RequestOptions(), scan: &scan) else {
            preconditionFailure("bench: not a request")
        }
        return head
    }

    static func response(_ text: StaticString) -> Head {
        let head = Head()
        var scan = HeadScan()
        let bytes = buffer(text)
        guard case .complete = parseResponseHead(bytes.bytes, into: head, requestIsHEAD: false, scan: &scan) else {
            preconditionFailure("bench: not a response")
        }
        return head
    }
}

extension Socket {
    /// Reads until `count` bytes have come.
    func readText(_ count: Int) -> String {
        let input = Buffer(capacity: count)
        while input.count < count {
            if case .failed = read(into: input) { break }
        }
        return input.text
    }

    /// Writes all of `text`.
    func writeAll(_ text: StaticString) {
        let output = SideBench.buffer(text)
        while !output.isEmpty { _ = write(output) }
    }
}

extension Buffer {
    /// What waits in it.
    var text: String {
        var text = ""
        for index in 0..<count { text.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
        return text
    }
}

/// Who speaks HTTP/2 at the other end of a connection.
final class FramePeer {
    let session: HTTP2Session
    let socket: Socket
    private let heads = HeadPool()
    private let input = Buffer(capacity: 1 << 16)
    private let output = Buffer(capacity: 1 << 16)
    /// Bytes of bodies that have come, by the session's slots.
    private(set) var receivedCounts: [Int: Int] = [:]
    private(set) var endedSlots: Set<Int> = []
    private(set) var closings: [Int: HTTP2Ending] = [:]
    private(set) var statuses: [Int] = []
    private(set) var headSlots: [Int] = []
    private(set) var hasGoAway = false
    /// Whether what has come is consumed, so that its stream's window opens again.
    var consumes = true

    init(_ role: HTTP2Session.Role, _ socket: Socket, windowBytes: Int) {
        self.socket = socket
        var settings = HTTP2Settings()
        settings.streamWindowBytes = windowBytes
        session = HTTP2Session(role, settings, heads: heads, now: .now())
    }

    /// Writes all that the session has to say.
    func send() {
        while true {
            let isDone = session.produce(into: output)
            while !output.isEmpty { if case .failed = socket.write(output) { return } }
            output.removeAll()
            if isDone { return }
        }
    }

    /// Reads what has come by now.
    func read() {
        let input = input
        input.removeAll()
        guard case .bytes = socket.read(into: input) else { return }
        var index = 0
        while index < input.count {
            session.beginTurn()
            index += session.receive(input.bytes.extracting(index..<input.count), now: .now())
            for event in 0..<session.eventCount { note(session.event(event)) }
            session.removeEvents()
        }
    }

    private func note(_ event: HTTP2Event) {
        switch event {
        case .head(let slot, let head, let isEnd):
            headSlots.append(slot)
            statuses.append(Int(head.status))
            if isEnd { endedSlots.insert(slot) }
        case .data(let slot, let range):
            receivedCounts[slot, default: 0] += range.count
            if consumes { session.consumed(slot, range.count) }
        case .end(let slot, _): endedSlots.insert(slot)
        case .closed(let slot, _, let ending): closings[slot] = ending
        case .goAway: hasGoAway = true
        case .refusedHead, .faultyRequest, .settings, .pingAcknowledged: break
        }
    }
}
