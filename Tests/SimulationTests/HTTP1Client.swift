import Core

/// A client that sends its requests on one connection, several at once if it pipelines.
final class HTTP1Client: Connection {
    private var plans: [RequestPlan]
    private let depth: Int
    private let thinkTime: Nanoseconds
    private var outstanding: [RequestPlan] = []
    private var reader = HTTP1Reader(readsResponses: true)
    private var answer: (head: HTTP1Reader.Head, count: Int)?
    private var isSending = false
    private var isLast = false
    /// An answer said that the connection ends behind it.
    private var isToldToClose = false

    init(_ world: World, _ name: String, _ plans: [RequestPlan], depth: Int, thinkTime: Nanoseconds) {
        self.plans = plans
        self.depth = depth
        self.thinkTime = thinkTime
        super.init(world, name, world.connect(to: world.httpAddress), isConnected: false)
    }

    override func connected() { sendNext() }

    private func sendNext() {
        guard isOpen, !isSending, !isLast, outstanding.count < depth, !plans.isEmpty else { return }
        let plan = plans.removeFirst()
        outstanding.append(plan)
        world.ledger.begin(plan.id)
        if plan.closes { isLast = true }
        let bytes = plan.bytes
        if let abort = plan.abort {
            output.append(bytes.prefix(abort.at))
            isLast = true
            after(world.random.next() % 20_000_000) { [self] in close(reset: abort.reset) }
        } else if let pause = plan.pause, pause.at < bytes.count {
            isSending = true
            output.append(bytes.prefix(pause.at))
            after(pause.time) { [self] in
                output.append(bytes.dropFirst(pause.at))
                isSending = false
                sendNext()
            }
        } else {
            output.append(bytes)
        }
        sendNext()
    }

    override func process() {
        reader.isBodiless = outstanding.first?.hasAnswerBody == false
        while isOpen, let event = reader.next(&input) {
            take(event)
            reader.isBodiless = outstanding.first?.hasAnswerBody == false
        }
        guard isEnded, isOpen else { return }
        if !isBroken, reader.endsWithConnection { complete() }
        close()
    }

    private func take(_ event: HTTP1Reader.Event) {
        switch event {
        case .bad(let text):
            world.fault("\(name) cannot read \(text)")
            close()
        case .head(let head):
            guard let plan = outstanding.first else { return world.fault("\(name) was answered without having asked") }
            if head.status < 200 { return }
            answer = (head, 0)
            check(head, plan)
        case .body(let piece):
            guard let answer, let plan = outstanding.first else { return }
            if answer.head["x-id"] != nil, !Pattern.matches(piece, plan.id, .answer, at: answer.count) {
                world.fault("\(name): wrong bytes in the answer to \(plan.id) at \(answer.count)")
            }
            self.answer?.count += piece.count
            if world.random.next(below: 16) == 0 { pause(world.pauseTime()) }
        case .end: complete()
        }
    }

    private func check(_ head: HTTP1Reader.Head, _ plan: RequestPlan) {
        guard let id = head.number("x-id") else {
            if head["server"] != "apus" {
                world.fault("\(name): an answer to \(plan.id) from nobody: \(head.startLine)")
            }
            return
        }
        if id != plan.id { world.fault("\(name) asked for \(plan.id) and got \(id)") }
        if head.status != 200 { world.fault("\(name): \(plan.id) was answered \(head.startLine)") }
    }

    private func complete() {
        guard let answer, !outstanding.isEmpty else { return }
        let plan = outstanding.removeFirst()
        self.answer = nil
        if answer.head["x-id"] == nil {
            world.refused(plan, answer.head.status, "\(answer.head["apus-reason"] ?? "?")")
        } else {
            if plan.hasAnswerBody, answer.count != plan.answerCount, !reader.endsWithConnection {
                world.fault("\(name): \(answer.count) bytes answer \(plan.id) instead of \(plan.answerCount)")
            }
            world.ledger.end(plan.id, .answered)
        }
        if answer.head["connection"] == "close" {
            isLast = true
            isToldToClose = true
        }
        if plans.isEmpty && outstanding.isEmpty || isLast && outstanding.isEmpty {
            return after(world.random.next() % 5_000_000) { [self] in close() }
        }
        after(thinkTime) { [self] in sendNext() }
    }

    override func gone() {
        // What was pipelined behind an answer that closes the connection was not processed. Source: RFC 9112 §9.6.
        for plan in outstanding { if isToldToClose { world.leftToClient(plan) } else { world.aborted(plan) } }
        outstanding = []
        let rest = plans
        guard !rest.isEmpty, !world.isFinishing else { return }
        world.after(1_000_000 + world.random.next() % 50_000_000) { [self] in
            _ = HTTP1Client(world, name + "'", rest, depth: depth, thinkTime: thinkTime)
        }
    }
}
