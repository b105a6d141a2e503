import Core

/// How a target answers one request.
struct Conduct {
    enum Framing { case length, chunked, close }
    enum Death { case beforeHead, inHead, inBody, after }

    var delay = Nanoseconds(0)
    var answersEarly = false
    var isInformative = false
    var isPiecemeal = false
    var framing = Framing.length
    var death: Death?
    var resets = false
    var saysClose = false

    func says(close plan: RequestPlan) -> Bool { saysClose && framing != .close }

    /// The body of the answer as HTTP/1 frames it.
    func body(_ plan: RequestPlan) -> [UInt8] {
        guard framing == .chunked else { return Array(Pattern.slice(plan.id, .answer, 0..<plan.answerCount)) }
        var bytes: [UInt8] = []
        var offset = 0
        while offset < plan.answerCount {
            let count = min(plan.answerCount - offset, 1 + (plan.id &* 61 &+ offset) % 7000)
            bytes += Array((String(count, radix: 16) + "\r\n").utf8)
            bytes += Pattern.slice(plan.id, .answer, offset..<(offset + count))
            bytes += Array("\r\n".utf8)
            offset += count
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }
}

/// A target: a host that listens, and dies and comes back as the seed says.
final class Target {
    enum Kind { case http1, http2, tunnel }

    unowned let world: World
    let name: String
    let kind: Kind
    let address: SocketAddress
    private var listener: Socket?
    private var token = Token.none
    private var connections: [Connection] = []
    private var count = 0

    init(_ world: World, _ name: String, _ kind: Kind, _ address: SocketAddress) {
        self.world = world
        self.name = name
        self.kind = kind
        self.address = address
        start()
    }

    func start() {
        guard listener == nil else { return }
        let socket = world.listen(on: address)
        listener = socket
        token = world.watch(self, socket)
    }

    /// The program ends: what it has open is reset or closed, and nobody listens any more.
    func stop(reset: Bool) {
        guard let listener else { return }
        self.listener = nil
        world.forget(token)
        listener.close()
        endAll(reset: reset)
    }

    func endAll(reset: Bool) {
        for connection in connections { connection.close(reset: reset || connection.endsOnlyByReset) }
        connections = []
    }

    func accept() {
        while let listener, case .accepted(let socket, _) = listener.accept() {
            count += 1
            connections.removeAll { !$0.isOpen }
            let connection: Connection =
                switch kind {
                case .http1: HTTP1Target(self, socket, count)
                case .http2: HTTP2Target(self, socket, count)
                case .tunnel: TunnelTarget(self, socket, count)
                }
            connections.append(connection)
        }
    }

    /// The request that a head is of; nil if it is none of ours.
    func read(_ head: HTTP1Reader.Head) -> RequestPlan? {
        guard let id = head.number("x-id"), let body = head.number("x-body"), let want = head.number("x-want") else {
            return nil
        }
        var plan = RequestPlan(id: id)
        plan.method = String(head.startLine.prefix { $0 != " " })
        plan.bodyCount = body
        plan.answerCount = want
        plan.expectsContinue = head["expect"] != nil
        return plan
    }

    func conduct(for plan: RequestPlan) -> Conduct {
        var conduct = Conduct()
        conduct.delay = world.random.next(below: 3) == 0 ? world.random.next() % 40_000_000 : 1000
        conduct.isPiecemeal = world.random.next(below: 3) == 0
        conduct.isInformative = world.random.next(below: 6) == 0
        conduct.framing = [.length, .length, .chunked, .close][world.random.next(below: 4)]
        conduct.answersEarly = !world.isCalm && plan.bodyCount > 0 && world.random.next(below: 6) == 0
        // What an HTTP/2 connection refuses at its end cannot always be sent again.
        conduct.saysClose = world.random.next(below: 10) == 0 && !(world.isCalm && kind == .http2)
        guard !world.isCalm, world.random.next(below: 8) == 0 else { return conduct }
        conduct.death = [.beforeHead, .inHead, .inBody, .after][world.random.next(below: 4)]
        conduct.resets = world.random.next(below: 2) == 0
        return conduct
    }

    /// For how long an idle connection is kept; nil for ever.
    func idleTime() -> Nanoseconds? {
        world.isCalm || world.random.next(below: 3) > 0 ? nil : world.random.next() % 100_000_000
    }
}
