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
    /// Fills it again if nothing waits in it.
    func refill() {
        guard isEmpty else { return }
        removeAll()
        let bytes = [UInt8](repeating: 0x61, count: freeCount)
        append(bytes.span)
    }

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
    private let headPool = HeadPool()
    private let input = Buffer(capacity: 1 << 16)
    private let output = Buffer(capacity: 1 << 16)
    /// Bytes of bodies that have come, by the session's slots.
    private(set) var receivedCounts: [Int: Int] = [:]
    private(set) var endedSlots: Set<Int> = []
    private(set) var closings: [Int: HTTP2Ending] = [:]
    /// The codes with which streams were reset, by the session's slots.
    private(set) var resetCodes: [Int: HTTP2ErrorCode] = [:]
    private(set) var statuses: [Int] = []
    private(set) var headSlots: [Int] = []
    /// A head that has come: a request's has the status 0.
    struct ReceivedHead {
        let status: UInt16
        let method: String
        let path: String
        var fields: [String: String] = [:]

        init(_ head: Head) {
            status = head.status
            method = head.bytes(head.method).text
            path = head.bytes(head.path).text
            for index in 0..<head.fieldCount where !head.field(index).isRemoved {
                let field = head.field(index)
                fields[head.bytes(field.name).text.lowercased()] = head.bytes(field.value).text
            }
        }
    }
    /// By the session's slots, in the order in which they came.
    private(set) var heads: [Int: [ReceivedHead]] = [:]
    /// The bodies that have come, by the session's slots.
    private(set) var bodies: [Int: String] = [:]
    private(set) var hasGoAway = false
    private(set) var isEnded = false
    private(set) var isClosed = false
    /// Whether what has come is consumed, so that its stream's window opens again.
    var consumes = true

    init(_ role: HTTP2Session.Role, _ socket: Socket, windowBytes: Int) {
        self.socket = socket
        var settings = HTTP2Settings()
        settings.streamWindowBytes = windowBytes
        session = HTTP2Session(role, settings, heads: headPool, now: .now())
    }

    /// Closes the connection with a reset.
    func reset() {
        isClosed = true
        isEnded = true
        socket.closeWithReset()
    }

    /// Forgets what has come on a slot, which a new stream takes.
    func forget(_ slot: Int) {
        heads[slot] = nil
        bodies[slot] = nil
        closings[slot] = nil
        resetCodes[slot] = nil
        receivedCounts[slot] = nil
        endedSlots.remove(slot)
    }

    /// Writes all that the session has to say.
    func send() {
        if isClosed { return }
        while true {
            let isDone = session.produce(into: output)
            while !output.isEmpty { if case .failed = socket.write(output) { return } }
            output.removeAll()
            if isDone { return }
        }
    }

    /// Reads what has come by now.
    func read() {
        if isClosed { return }
        let input = input
        input.removeAll()
        switch socket.read(into: input) {
        case .bytes: break
        case .wouldBlock: return
        case .endOfStream, .failed:
            isEnded = true
            return
        }
        var index = 0
        while index < input.count {
            session.beginTurn()
            let piece = input.bytes.extracting(index..<input.count)
            index += session.receive(piece, now: .now())
            for event in 0..<session.eventCount { note(session.event(event), piece) }
            session.removeEvents()
        }
    }

    private func note(_ event: HTTP2Event, _ input: Span<UInt8>) {
        switch event {
        case .head(let slot, let head, let isEnd):
            headSlots.append(slot)
            statuses.append(Int(head.status))
            self.heads[slot, default: []].append(ReceivedHead(head))
            if isEnd { endedSlots.insert(slot) }
        case .data(let slot, let range):
            receivedCounts[slot, default: 0] += range.count
            bodies[slot, default: ""] += input.extracting(range).text
            if consumes { session.consumed(slot, range.count) }
        case .end(let slot, _): endedSlots.insert(slot)
        case .closed(let slot, let code, let ending):
            closings[slot] = ending
            resetCodes[slot] = code
        case .goAway: hasGoAway = true
        case .refusedHead, .faultyRequest, .settings, .pingAcknowledged: break
        }
    }
}
