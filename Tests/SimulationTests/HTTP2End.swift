import Core
import HTTP1
import HTTP2

/// One end of an HTTP/2 connection that a script plays.
class HTTP2End: Connection {
    let session: HTTP2Session
    private let heads = HeadPool()
    private let frames = Buffer(capacity: Core.Limits.largeBufferBytes)

    init(_ world: World, _ name: String, _ socket: Socket, _ role: HTTP2Session.Role, isConnected: Bool) {
        var settings = HTTP2Settings()
        settings.streamCountMax = [1, 3, 100][world.random.next(below: 3)]
        // Never less than what the other side may send before it knows: the session holds it to this from the start.
        settings.streamWindowBytes = [65_535, 200_000][world.random.next(below: 2)]
        session = HTTP2Session(role, settings, heads: heads, now: world.network.now)
        super.init(world, name, socket, isConnected: isConnected)
    }

    /// Acts on one event; `bytes` are those that `data` is among.
    func handle(_ event: HTTP2Event, _ bytes: [UInt8]) {}

    override func produce() {
        var isDone = false
        while !isDone, output.count < 65_536 {
            frames.removeAll()
            isDone = session.produce(into: frames)
            output.append(frames.array)
            handleAll([])
            if frames.isEmpty { break }
        }
    }

    override func process() {
        while isOpen, !input.isEmpty, session.fault == nil {
            let bytes = Array(input.waiting.prefix(32_768))
            session.beginTurn()
            let count = session.receive(bytes.span, now: world.network.now)
            input.consume(count)
            handleAll(bytes)
        }
        if let fault = session.fault {
            world.fault("\(name): what came breaks the rules of HTTP/2: \(fault)")
            close()
        }
        if isOpen, isEnded || session.isFinished && output.isEmpty { close() }
    }

    private func handleAll(_ bytes: [UInt8]) {
        for index in 0..<session.eventCount {
            let event = session.event(index)
            world.tell("\(name): \(event)")
            handle(event, bytes)
            switch event {
            case .head(_, let head, _), .refusedHead(_, let head, _, _): heads.put(head)
            case .end(_, let trailers): if let trailers { heads.put(trailers) }
            default: break
            }
        }
        session.removeEvents()
    }

    /// A body that is lent to the session.
    func buffer(_ bytes: some Collection<UInt8>) -> Buffer {
        let buffer = Buffer(capacity: max(1, bytes.count))
        buffer.append(Array(bytes).span)
        return buffer
    }
}

extension Head {
    /// A head, read from the text that HTTP/1 has for it.
    convenience init(_ text: String, isRequest: Bool) {
        self.init()
        var scan = HeadScan()
        let bytes = Array(text.utf8)
        let isRead: Bool
        if isRequest {
            let result = parseRequestHead(bytes.span, into: self, options: RequestOptions(), scan: &scan)
            if case .complete = result { isRead = true } else { isRead = false }
        } else {
            let result = parseResponseHead(bytes.span, into: self, requestIsHEAD: false, scan: &scan)
            if case .complete = result { isRead = true } else { isRead = false }
        }
        precondition(isRead, "no head: \(text)")
    }

    /// The value of a field; nil if there is none.
    func value(_ name: String) -> String? {
        let wanted = Array(name.utf8)
        for index in 0..<fieldCount {
            let field = field(index)
            let name = bytes(field.name)
            guard !field.isRemoved, name.count == wanted.count else { continue }
            if (0..<wanted.count).allSatisfy({ name[$0] | 0x20 == wanted[$0] | 0x20 }) {
                return bytes(field.value).text
            }
        }
        return nil
    }

    func number(_ name: String) -> Int? { value(name).flatMap { Int($0) } }
}
