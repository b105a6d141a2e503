import Core

/// A client that asks for a WebSocket, and then says and hears what a `TunnelPlan` says.
final class WebSocketClient: Connection {
    private let plan: TunnelPlan
    private var reader = HTTP1Reader(readsResponses: true)
    private var isOpened = false
    private var receivedCount = 0
    private var isOver = false

    init(_ world: World, _ name: String, _ plan: TunnelPlan) {
        self.plan = plan
        super.init(world, name, world.connect(to: world.httpAddress), isConnected: false)
        world.ledger.begin(plan.id)
    }

    override func connected() {
        let lines = [
            "GET /1/\(plan.id) HTTP/1.1", "Host: simulation.example", "X-Id: \(plan.id)",
            "X-Body: \(plan.requestCount)", "X-Want: \(plan.answerCount)", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        output.append(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8))
    }

    override func process() {
        if !isOpened, case .head(let head)? = reader.next(&input) { take(head) }
        guard isOpen else { return }
        if isOpened { takeBytes() }
        if isEnded { close() }
    }

    private func take(_ head: HTTP1Reader.Head) {
        guard head.status == 101 else {
            guard head.status >= 200 else { return }
            isOver = true
            world.refused(RequestPlan(id: plan.id), head.status, head["apus-reason"] ?? "?")
            return close()
        }
        if head.number("x-id") != plan.id { world.fault("\(name): the wrong target agreed: \(head["x-id"] ?? "none")") }
        isOpened = true
        output.append(Pattern.slice(plan.id, .request, 0..<plan.requestCount))
    }

    private func takeBytes() {
        let piece = input.take(input.count)
        if !Pattern.matches(piece, plan.id, .answer, at: receivedCount) {
            world.fault("\(name): wrong bytes at \(receivedCount)")
        }
        receivedCount += piece.count
        if receivedCount > plan.answerCount { world.fault("\(name): more than there was") }
        if let abortAt = plan.abortAt, receivedCount >= abortAt { return close(reset: world.random.next() % 2 == 0) }
        guard receivedCount == plan.answerCount, !isOver else { return }
        isOver = true
        world.ledger.end(plan.id, .answered)
        endsWhenWritten = true
        after(10_000_000_000) { [self] in close() }
    }

    override func gone() { if !isOver { world.aborted(RequestPlan(id: plan.id)) } }
}
