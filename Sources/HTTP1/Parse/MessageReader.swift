import Core

/// Reads the messages of one connection, one after the other: the head, the pieces of the body, the end.
///
/// The owner of the connection reads bytes into a buffer and calls `next` until it says `needMore`. This is for those
/// who look at whole messages: the admin socket and its client, health checks, the demo's targets. Workers relay a body
/// while it comes, in framing of their own, and use the parsers themselves.
///
/// Shape:  a trivial value without bytes of its own; `head` and the buffer are the caller's.
/// Limits: of a head those of `Limits`; how long a body may be is up to the caller, who counts what `data` brings.
/// Errors: after `refused` the connection cannot be read any further.
public struct MessageReader: Sendable {
    /// What is read.
    public enum Kind: Sendable {
        /// Requests.
        case requests
        /// Responses to requests other than HEAD. Interim ones are passed over; a 101 is final.
        case responses
    }

    /// What the next bytes are.
    public enum Step: Equatable, Sendable {
        /// Nothing more can be said before more bytes have come.
        case needMore
        /// A message has begun; `head` holds its head.
        case head(ParsedHead)
        /// The oldest `count` bytes of the buffer, at least one, are the next piece of the body. They must be taken out
        /// of the buffer before the next step.
        case data(count: Int)
        /// The message is complete. The next step begins another.
        case end
        /// It is not HTTP/1.1.
        case refused(Violation)
    }

    private let kind: Kind
    private var scan = HeadScan()
    private var body: BodyDecoder?

    /// A reader of a connection on which nothing was read yet.
    public init(_ kind: Kind) { self.kind = kind }

    /// Whether a head was read and its message has not ended.
    public var isInMessage: Bool { body != nil }
    /// Whether the message that was begun has no more body to come.
    public var isBodyComplete: Bool { body?.isComplete ?? false }

    /// Says what the oldest bytes of `buffer` are, and takes out those of heads and of framing.
    public mutating func next(_ buffer: Buffer, _ head: Head) -> Step {
        guard var decoder = body else { return nextHead(buffer, head) }
        defer { if body != nil { body = decoder } }
        switch decoder.next(buffer.bytes, trailers: nil) {
        case .data(let skip, let count):
            buffer.consume(skip)
            decoder.consume(count)
            return .data(count: count)
        case .needMore(let skip):
            buffer.consume(skip)
            return .needMore
        case .end(let skip):
            buffer.consume(skip)
            body = nil
            return .end
        case .refused(let violation): return .refused(violation)
        }
    }

    /// What it means that the connection ends here, all steps having been taken: a body may end with it.
    public func endOfStream() -> BodyEnd { body?.endOfStream() ?? .truncated }

    private mutating func nextHead(_ buffer: Buffer, _ head: Head) -> Step {
        while !buffer.isEmpty {
            let result =
                switch kind {
                case .requests: parseRequestHead(buffer.bytes, into: head, options: RequestOptions(), scan: &scan)
                case .responses: parseResponseHead(buffer.bytes, into: head, requestIsHEAD: false, scan: &scan)
                }
            switch result {
            case .needMore: return .needMore
            case .refused(let violation): return .refused(violation)
            case .complete(let parsed):
                buffer.consume(parsed.byteCount)
                scan.reset()
                // An interim response: the final one follows. Source: RFC 9110 §15.2.
                if kind == .responses && head.status < 200 && head.status != 101 { continue }
                body = BodyDecoder(parsed.framing, isLenient: kind == .responses)
                return .head(parsed)
            }
        }
        return .needMore
    }
}
