import Core
import HTTP1
import HTTP2

/// A client that speaks HTTP/2 from its first byte, with many streams at once.
final class HTTP2Client: HTTP2End {
    private struct Stream {
        let plan: RequestPlan
        let body: Buffer?
        var status = 0
        var isOurs = false
        var reason = "?"
        var count = 0
        var hasEnded = false
    }

    private var plans: [RequestPlan]
    private let depth: Int
    private var streams: [Int: Stream] = [:]

    init(_ world: World, _ name: String, _ plans: [RequestPlan], depth: Int) {
        self.plans = plans
        self.depth = depth
        super.init(world, name, world.connect(to: world.httpAddress), .client, isConnected: false)
    }

    override func connected() { sendNext() }

    private func sendNext() {
        while isOpen, streams.count < depth, let plan = plans.first {
            let head = Head(plan.head, isRequest: true)
            let framing: Framing =
                plan.isChunked ? .chunked : plan.bodyCount > 0 ? .length(UInt64(plan.bodyCount)) : .none
            let isEnd = plan.bodyCount == 0
            guard let slot = session.request(head, scheme: "http", framing: framing, isEnd: isEnd) else { break }
            plans.removeFirst()
            world.ledger.begin(plan.id)
            let body = isEnd ? nil : buffer(Pattern.slice(plan.id, .request, 0..<plan.bodyCount))
            streams[slot] = Stream(plan: plan, body: body)
            if let body { send(body, slot, plan) }
            if let abort = plan.abort {
                after(world.random.next() % 20_000_000) { [self] in
                    guard streams[slot]?.plan.id == plan.id else { return }
                    if abort.reset { session.reset(slot, .cancel) } else { close(reset: true) }
                }
            }
        }
        if plans.isEmpty, streams.isEmpty { after(1_000_000) { [self] in close() } }
    }

    private func send(_ body: Buffer, _ slot: Int, _ plan: RequestPlan) {
        guard let pause = plan.pause, pause.at < body.count else { return session.attach(slot, body, isLast: true) }
        session.attach(slot, body, count: pause.at, isLast: false)
        after(pause.time) { [self] in
            guard streams[slot]?.plan.id == plan.id else { return }
            session.detach(slot)
            session.attach(slot, body, isLast: true)
        }
    }

    override func handle(_ event: HTTP2Event, _ bytes: [UInt8]) {
        switch event {
        case .head(let slot, let head, let isEnd):
            guard head.status >= 200 else { return }
            check(slot, head)
            if isEnd { end(slot) }
        case .data(let slot, let range): take(slot, bytes[range.start..<range.end])
        case .end(let slot, _): end(slot)
        case .closed(let slot, _, let ending):
            guard let stream = streams.removeValue(forKey: slot) else { return }
            if !stream.hasEnded {
                if ending == .notProcessed { world.leftToClient(stream.plan) } else { world.aborted(stream.plan) }
            }
            sendNext()
        case .settings: sendNext()
        case .refusedHead, .faultyRequest: world.fault("\(name): a bad answer")
        case .goAway, .pingAcknowledged: break
        }
    }

    private func check(_ slot: Int, _ head: Head) {
        guard let plan = streams[slot]?.plan else { return world.fault("\(name) was answered without having asked") }
        streams[slot]?.status = Int(head.status)
        streams[slot]?.reason = head.value("apus-reason") ?? "?"
        guard let id = head.number("x-id") else {
            streams[slot]?.isOurs = true
            if head.value("server") != "apus" { world.fault("\(name): an answer to \(plan.id) from nobody") }
            return
        }
        if id != plan.id { world.fault("\(name) asked for \(plan.id) and got \(id)") }
        if head.status != 200 { world.fault("\(name): \(plan.id) was answered \(head.status)") }
    }

    private func take(_ slot: Int, _ piece: ArraySlice<UInt8>) {
        guard let stream = streams[slot] else { return world.fault("\(name): data for no stream") }
        if !stream.isOurs, !Pattern.matches(piece, stream.plan.id, .answer, at: stream.count) {
            world.fault("\(name): wrong bytes in the answer to \(stream.plan.id) at \(stream.count)")
        }
        streams[slot]?.count += piece.count
        guard world.random.next(below: 16) == 0 else { return session.consumed(slot, piece.count) }
        after(world.pauseTime()) { [self] in
            if streams[slot]?.plan.id == stream.plan.id { session.consumed(slot, piece.count) }
        }
    }

    private func end(_ slot: Int) {
        guard let stream = streams[slot] else { return world.fault("\(name): the end of no stream") }
        if stream.hasEnded { return world.fault("\(name): \(stream.plan.id) ended twice") }
        streams[slot]?.hasEnded = true
        if stream.isOurs { return world.refused(stream.plan, stream.status, stream.reason) }
        if stream.plan.hasAnswerBody, stream.count != stream.plan.answerCount {
            world.fault("\(name): \(stream.count) bytes answer \(stream.plan.id) of \(stream.plan.answerCount)")
        }
        world.ledger.end(stream.plan.id, .answered)
    }

    override func gone() {
        for (_, stream) in streams.sorted(by: { $0.key < $1.key }) where !stream.hasEnded { world.aborted(stream.plan) }
        streams = [:]
        let rest = plans
        guard !rest.isEmpty, !world.isFinishing else { return }
        world.after(1_000_000 + world.random.next() % 50_000_000) { [self] in
            _ = HTTP2Client(world, name + "'", rest, depth: depth)
        }
    }
}
