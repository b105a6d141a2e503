import Core
import HTTP1
import HTTP2
import Routing

@testable import Proxy

extension ServingWorker {
    /// A client of HTTP/2 without TLS that knows how many streams it may open.
    mutating func http2Client(windowBytes: Int = 64 * 1024) throws -> HTTP2End {
        let client = HTTP2End(.client, try Socket.connect(to: address), windowBytes: windowBytes)
        client.peer.send()
        guard serve(until: { client.read() && client.peer.session.hasReceivedSettings }) else {
            fatalError("no settings")
        }
        return client
    }
}

/// The test's end of an HTTP/2 connection over loopback: a client's, or a target's.
final class HTTP2End {
    let peer: FramePeer

    init(_ role: HTTP2Session.Role, _ socket: Socket, windowBytes: Int = 64 * 1024) {
        peer = FramePeer(role, socket, windowBytes: windowBytes)
    }

    deinit { if !peer.isClosed { peer.socket.close() } }

    /// Reads what has come, and writes what that makes due. Always true.
    @discardableResult func read() -> Bool {
        peer.read()
        peer.send()
        return true
    }

    /// Sends a request, whose body follows by `send` if it has one. Returns its slot.
    @discardableResult func ask(
        _ request: StaticString = "GET / HTTP/1.1\r\nHost: a\r\n\r\n", hasBody: Bool = false
    ) -> Int {
        let framing: Framing = hasBody ? .chunked : .none
        let head = SideBench.request(request)
        guard let slot = peer.session.request(head, scheme: "http", framing: framing, isEnd: !hasBody) else {
            fatalError("no stream")
        }
        peer.forget(slot)
        peer.send()
        return slot
    }

    /// Sends a piece of a body.
    func send(_ text: StaticString, on slot: Int, isLast: Bool = true) {
        peer.session.attach(slot, SideBench.buffer(text), isLast: isLast)
        peer.send()
        peer.session.detach(slot)
    }

    /// Answers the request on `slot`; a `body` that is nil follows by `send`.
    func answer(_ slot: Int, status: StaticString = "200 OK", body: StaticString? = "ok") {
        let head = SideBench.response(status: status)
        peer.session.respond(slot, head, framing: .chunked, isEnd: false)
        if let body { send(body, on: slot) } else { peer.send() }
    }

    /// The status of the final response on `slot`; nil if none has come.
    func status(_ slot: Int) -> Int? {
        read()
        return peer.heads[slot]?.last { $0.status >= 200 }.map { Int($0.status) }
    }

    /// A field of the last response on `slot`.
    func field(_ name: String, _ slot: Int) -> String? { peer.heads[slot]?.last?.fields[name] }
}

/// A target of HTTP/2 without TLS, whose connections the test holds.
final class HTTP2LoopbackTarget {
    private let listening: Socket
    let plan: TargetPlan
    /// Those that were taken, in this order.
    private(set) var connections: [HTTP2End] = []
    /// Whether connections are answered; a target that is not stands still.
    var isAwake = true

    init(_ id: Int = 0) throws {
        listening = try Socket.listen(on: Plans.address("127.0.0.1", 0), sharesPort: false)
        guard let address = listening.localAddress else { fatalError("not bound") }
        plan = TargetPlan(id: id, address: address, cell: TargetCell())
        plan.cell.isHealthy = true
    }

    deinit { listening.close() }

    /// Whether so many requests have come in all.
    func has(_ count: Int) -> Bool {
        while case .accepted(let socket, _) = listening.accept() { connections.append(HTTP2End(.server, socket)) }
        if isAwake { for connection in connections { connection.read() } }
        return connections.reduce(0) { $0 + $1.peer.headSlots.count } >= count
    }
}

extension SideBench {
    /// A response's head without fields.
    static func response(status: StaticString) -> Head {
        let head = Head()
        var scan = HeadScan()
        let bytes = Buffer(capacity: 256)
        bytes.append("HTTP/1.1 ")
        bytes.append(status)
        bytes.append("\r\n\r\n")
        guard case .complete = parseResponseHead(bytes.bytes, into: head, requestIsHEAD: false, scan: &scan) else {
            preconditionFailure("bench: not a response")
        }
        return head
    }
}
