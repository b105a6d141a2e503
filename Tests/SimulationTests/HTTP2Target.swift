import Core
import HTTP1
import HTTP2

/// A target's end of one HTTP/2 connection.
final class HTTP2Target: HTTP2End {
    private struct Stream {
        let plan: RequestPlan
        let conduct: Conduct
        var count = 0
        var isRead = false
        var body: Buffer?
    }

    private let target: Target
    private var streams: [Int: Stream] = [:]
    private var isFinishing = false

    init(_ target: Target, _ socket: Socket, _ number: Int) {
        self.target = target
        super.init(target.world, "\(target.name).\(number)", socket, .server, isConnected: true)
    }

    override func handle(_ event: HTTP2Event, _ bytes: [UInt8]) {
        switch event {
        case .head(let slot, let head, let isEnd):
            guard streams[slot] == nil else { return world.fault("\(name): two heads for one stream") }
            guard let plan = read(head) else { return world.fault("\(name) got no request") }
            let conduct = target.conduct(for: plan)
            streams[slot] = Stream(plan: plan, conduct: conduct)
            if conduct.isInformative {
                session.respond(slot, Self.head("103 Early Hints", []), framing: .none, isEnd: false)
            }
            if conduct.answersEarly { answerLater(slot) }
            if isEnd { end(slot) }
        case .data(let slot, let range):
            guard let stream = streams[slot] else { return world.fault("\(name): data for no stream") }
            let piece = bytes[range.start..<range.end]
            if !Pattern.matches(piece, stream.plan.id, .request, at: stream.count) {
                world.fault("\(name): wrong bytes in the request \(stream.plan.id) at \(stream.count)")
            }
            streams[slot]?.count += piece.count
            session.consumed(slot, piece.count)
        case .end(let slot, _): end(slot)
        case .closed(let slot, _, _): streams[slot] = nil
        case .refusedHead, .faultyRequest: world.fault("\(name): a bad request")
        case .goAway, .settings, .pingAcknowledged: break
        }
    }

    private func read(_ head: Head) -> RequestPlan? {
        guard let id = head.number("x-id"), let body = head.number("x-body"), let want = head.number("x-want") else {
            return nil
        }
        var plan = RequestPlan(id: id)
        plan.method = head.bytes(head.method).text
        plan.bodyCount = body
        plan.answerCount = want
        return plan
    }

    private func end(_ slot: Int) {
        guard let stream = streams[slot] else { return world.fault("\(name): the end of no stream") }
        if stream.count != stream.plan.bodyCount {
            world.fault("\(name): request \(stream.plan.id) ended after \(stream.count) bytes")
        }
        world.ledger.process(stream.plan)
        streams[slot]?.isRead = true
        if !stream.conduct.answersEarly { answerLater(slot) }
    }

    private func answerLater(_ slot: Int) {
        guard let stream = streams[slot] else { return }
        after(stream.conduct.delay) { [self] in
            if streams[slot]?.plan.id == stream.plan.id { answer(slot, stream.plan, stream.conduct) }
        }
    }

    private func answer(_ slot: Int, _ plan: RequestPlan, _ conduct: Conduct) {
        if conduct.death == .beforeHead { return die(slot, conduct) }
        let isEnd = !plan.hasAnswerBody || plan.answerCount == 0
        let fields = ["X-Id: \(plan.id)"]
        let framing: Framing = conduct.framing == .length && !isEnd ? .length(UInt64(plan.answerCount)) : .chunked
        session.respond(slot, Self.head("200 OK", fields), framing: isEnd ? .none : framing, isEnd: isEnd)
        if conduct.death == .inHead { return die(slot, conduct) }
        guard !isEnd else { return finish(conduct) }
        let body = buffer(Pattern.slice(plan.id, .answer, 0..<plan.answerCount))
        streams[slot]?.body = body
        guard conduct.isPiecemeal || conduct.death == .inBody else {
            session.attach(slot, body, isLast: true)
            return finish(conduct)
        }
        session.attach(slot, body, count: body.count / 2, isLast: false)
        after(conduct.delay + 1000) { [self] in
            guard streams[slot]?.plan.id == plan.id else { return }
            if conduct.death == .inBody { return die(slot, conduct) }
            session.detach(slot)
            session.attach(slot, body, isLast: true)
            finish(conduct)
        }
    }

    private func die(_ slot: Int, _ conduct: Conduct) {
        switch world.random.next(below: 4) {
        case 0: close(reset: conduct.resets)
        case 1: session.reset(slot, .internalError)
        // Whoever has read a request must not say that he has not.
        case 2 where streams[slot]?.isRead == false: session.reset(slot, .refusedStream)
        default: session.reset(slot, .cancel)
        }
    }

    /// Says now and then that it takes no more.
    private func finish(_ conduct: Conduct) {
        guard conduct.saysClose || conduct.death == .after, !isFinishing else { return }
        isFinishing = true
        session.beginShutdown()
        after(5_000_000) { [self] in session.finishShutdown() }
    }

    private static func head(_ status: String, _ fields: [String]) -> Head {
        Head((["HTTP/1.1 \(status)"] + fields).joined(separator: "\r\n") + "\r\n\r\n", isRequest: false)
    }
}
