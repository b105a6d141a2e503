import Core

/// A target's end of one HTTP/1 connection.
final class HTTP1Target: Connection {
    private let target: Target
    private var reader = HTTP1Reader(readsResponses: false)
    private var plan: RequestPlan?
    private var bodyCount = 0
    private var isRead = false
    private var isWebSocket = false
    private var isAnswered = false
    private var conduct = Conduct()
    /// Counts requests, so that a timer for an earlier one does nothing.
    private var turn = 0

    init(_ target: Target, _ socket: Socket, _ number: Int) {
        self.target = target
        super.init(target.world, "\(target.name).\(number)", socket, isConnected: true)
    }

    /// An answer that ends with its connection is incomplete while some of it was not written.
    override var endsOnlyByReset: Bool { (plan != nil || !output.isEmpty) && conduct.framing == .close }

    override func process() {
        if isWebSocket { return passOn() }
        while isOpen, !isWebSocket, let event = reader.next(&input) { take(event) }
        guard isEnded, isOpen else { return }
        // Whoever is in the middle of an answer goes on with it if it was merely a half-close.
        if isBroken || plan == nil { close() } else { after(10_000_000) { [self] in close(reset: endsOnlyByReset) } }
    }

    private func take(_ event: HTTP1Reader.Event) {
        switch event {
        case .bad(let text): world.fault("\(name) cannot read \(text)")
        case .head(let head):
            guard plan == nil else { return world.fault("\(name) got \(head.startLine) before it had answered") }
            guard let request = target.read(head) else {
                return world.fault("\(name) got no request: \(head.startLine)")
            }
            if head["upgrade"] != nil { agree(request) } else { begin(request) }
        case .body(let piece):
            guard let plan else { return }
            if !Pattern.matches(piece, plan.id, .request, at: bodyCount) {
                world.fault("\(name): wrong bytes in the request \(plan.id) at \(bodyCount)")
            }
            bodyCount += piece.count
            if world.random.next(below: 16) == 0 { pause(world.pauseTime()) }
        case .end:
            guard let plan else { return }
            if bodyCount != plan.bodyCount {
                world.fault("\(name): request \(plan.id) ended after \(bodyCount) bytes of \(plan.bodyCount)")
            }
            world.ledger.process(plan)
            isRead = true
            if isAnswered { finish() } else if !conduct.answersEarly { answerLater() }
        }
    }

    private func begin(_ request: RequestPlan) {
        plan = request
        bodyCount = 0
        isRead = false
        isAnswered = false
        turn += 1
        conduct = target.conduct(for: request)
        if request.expectsContinue || conduct.isInformative {
            output.append(Array("HTTP/1.1 10\(request.expectsContinue ? "0 Continue" : "3 Early Hints")\r\n\r\n".utf8))
        }
        if conduct.answersEarly { answerLater() }
    }

    private func answerLater() {
        let turn = turn
        after(conduct.delay) { [self] in
            guard turn == self.turn, let plan, !isAnswered else { return }
            answer(plan)
        }
    }

    private func answer(_ plan: RequestPlan) {
        if conduct.death == .beforeHead { return close(reset: conduct.resets) }
        var head = "HTTP/1.1 200 OK\r\nX-Id: \(plan.id)\r\n"
        switch conduct.framing {
        case .length: head += "Content-Length: \(plan.answerCount)\r\n"
        case .chunked: head += "Transfer-Encoding: chunked\r\n"
        case .close: head += "Connection: close\r\n"
        }
        if conduct.says(close: plan) { head += "Connection: close\r\n" }
        var bytes = Array((head + "\r\n").utf8)
        if conduct.death == .inHead { return send(Array(bytes.prefix(bytes.count / 2)), thenDies: true) }
        if plan.hasAnswerBody { bytes += conduct.body(plan) }
        if conduct.death == .inBody { return send(Array(bytes.prefix(bytes.count * 2 / 3)), thenDies: true) }
        send(bytes, thenDies: false)
    }

    /// Sends an answer in one or more pieces.
    private func send(_ bytes: [UInt8], thenDies dies: Bool) {
        let count = conduct.isPiecemeal ? max(1, bytes.count / 3) : bytes.count
        output.append(bytes.prefix(count))
        if bytes.count > count {
            let rest = Array(bytes.dropFirst(count)), turn = turn
            return after(conduct.delay / 2 + 1000) { [self] in
                if turn == self.turn { send(rest, thenDies: dies) }
            }
        }
        if dies { return after(conduct.delay) { [self] in close(reset: conduct.resets || endsOnlyByReset) } }
        isAnswered = true
        if isRead { finish() }
    }

    private func finish() {
        guard let plan else { return }
        self.plan = nil
        if conduct.framing == .close || conduct.death == .after || conduct.says(close: plan) {
            endsWhenWritten = true
            // What is written arrives as long as nothing more is to be read.
            return after(2_000_000) { [self] in closeWhenWritten() }
        }
        let turn = turn
        guard let idleTime = target.idleTime() else { return }
        after(idleTime) { [self] in if turn == self.turn, self.plan == nil { close() } }
    }

    // MARK: WebSocket

    private func agree(_ plan: RequestPlan) {
        self.plan = plan
        bodyCount = 0
        turn += 1
        guard world.isCalm || world.random.next(below: 8) > 0 else { return close() }
        isWebSocket = true
        let lines = [
            "HTTP/1.1 101 Switching Protocols", "X-Id: \(plan.id)", "Connection: Upgrade", "Upgrade: websocket",
        ]
        output.append(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8))
        output.append(Pattern.slice(plan.id, .answer, 0..<plan.answerCount))
        if !world.isCalm, world.random.next(below: 8) == 0 {
            after(world.random.next() % 10_000_000) { [self] in close(reset: world.random.next() % 2 == 0) }
        }
        passOn()
    }

    private func passOn() {
        guard let plan else { return }
        let piece = input.take(input.count)
        if !Pattern.matches(piece, plan.id, .request, at: bodyCount) {
            world.fault("\(name): wrong bytes in the WebSocket \(plan.id) at \(bodyCount)")
        }
        bodyCount += piece.count
        if bodyCount > plan.bodyCount { world.fault("\(name): more than there was") }
        guard isEnded, isOpen else { return }
        if isBroken || output.isEmpty { close() }
    }

    private func closeWhenWritten() {
        if output.isEmpty { close() } else { after(20_000_000) { [self] in closeWhenWritten() } }
    }
}
