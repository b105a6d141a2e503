import Core

/// What is agreed about a connection that is passed on: so many bytes there, so many back.
struct TunnelPlan {
    let id: Int
    let requestCount: Int
    let answerCount: Int
    /// Breaks it off after so many bytes were received.
    var abortAt: Int?

    /// What the client sends first: all numbers, in 24 bytes.
    var introduction: [UInt8] {
        [id, requestCount, answerCount].flatMap { number in
            let digits = String(number)
            return Array((String(repeating: "0", count: 8 - digits.count) + digits).utf8)
        }
    }

    static let introductionCount = 24

    init(id: Int, requestCount: Int, answerCount: Int) {
        self.id = id
        self.requestCount = requestCount
        self.answerCount = answerCount
    }

    init?(_ introduction: ArraySlice<UInt8>) {
        let numbers = stride(from: 0, to: 24, by: 8).compactMap { offset in
            Int(String(decoding: introduction.dropFirst(offset).prefix(8), as: UTF8.self))
        }
        guard numbers.count == 3 else { return nil }
        self.init(id: numbers[0], requestCount: numbers[1], answerCount: numbers[2])
    }
}

/// A client whose bytes are passed on. It ends its direction when it has sent all, and wants all of the answer.
final class TunnelClient: Connection {
    private let plan: TunnelPlan
    private var receivedCount = 0
    private var isOver = false

    init(_ world: World, _ name: String, _ plan: TunnelPlan) {
        self.plan = plan
        super.init(world, name, world.connect(to: world.tunnelAddress), isConnected: false)
        world.ledger.begin(plan.id)
    }

    override func connected() {
        output.append(plan.introduction)
        output.append(Pattern.slice(plan.id, .request, 0..<plan.requestCount))
        endsWhenWritten = true
    }

    override func process() {
        let piece = input.take(input.count)
        if !Pattern.matches(piece, plan.id, .answer, at: receivedCount) {
            world.fault("\(name): wrong bytes at \(receivedCount)")
        }
        receivedCount += piece.count
        if !piece.isEmpty, world.random.next(below: 16) == 0 { pause(world.pauseTime()) }
        // Otherwise than by a reset, this would be a good end.
        if let abortAt = plan.abortAt, receivedCount >= abortAt { return close(reset: true) }
        guard isEnded, isOpen else { return }
        if isBroken { return close() }
        if !isOver {
            isOver = true
            if receivedCount != plan.answerCount {
                world.fault("\(name): a good end after \(receivedCount) bytes of \(plan.answerCount)")
            }
            world.ledger.end(plan.id, .answered)
            closeWhenShut()
        }
    }

    override func gone() { if !isOver { world.aborted(RequestPlan(id: plan.id)) } }
}

/// A target's end of a connection that is passed on.
final class TunnelTarget: Connection {
    private let target: Target
    private var plan: TunnelPlan?
    private var receivedCount = 0

    init(_ target: Target, _ socket: Socket, _ number: Int) {
        self.target = target
        super.init(target.world, "\(target.name).\(number)", socket, isConnected: true)
    }

    override var endsOnlyByReset: Bool { true }

    override func process() {
        if plan == nil, input.count >= TunnelPlan.introductionCount {
            plan = TunnelPlan(input.take(TunnelPlan.introductionCount))
            guard let plan else { return world.fault("\(name): this is no beginning") }
            if world.random.next(below: 2) == 0 { answer(plan) }
            if !world.isCalm, world.random.next(below: 8) == 0 {
                after(world.random.next() % 10_000_000) { [self] in close(reset: true) }
            }
        }
        guard let plan else {
            if isEnded { close() }
            return
        }
        let piece = input.take(input.count)
        if !Pattern.matches(piece, plan.id, .request, at: receivedCount) {
            world.fault("\(name): wrong bytes at \(receivedCount)")
        }
        receivedCount += piece.count
        guard isEnded, isOpen else { return }
        if isBroken { return close() }
        if receivedCount != plan.requestCount {
            world.fault("\(name): a good end after \(receivedCount) bytes of \(plan.requestCount)")
        }
        answer(plan)
        guard !isClosing else { return }
        isClosing = true
        closeWhenShut()
    }

    private var isAnswering = false
    private func answer(_ plan: TunnelPlan) {
        guard !isAnswering else { return }
        isAnswering = true
        output.append(Pattern.slice(plan.id, .answer, 0..<plan.answerCount))
        endsWhenWritten = true
    }

    private var isClosing = false
}
