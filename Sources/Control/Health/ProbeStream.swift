import Core
import HTTP1
import HTTP2
import Model

/// The question of a health check over HTTP/2, and what becomes of the answer.
///
/// Over gRPC it is a call with an empty message. Source: docs/elbv2.md, "Health checks"; grpc.health.v1, "GRPC Health
/// Checking Protocol".
final class ProbeStream {
    /// What the answer says.
    enum Answer: Equatable {
        case status(UInt16)
        /// The status of gRPC's; nil if there was none. Of the standard health service, whether it says SERVING.
        case grpc(Int?, isServing: Bool)
        /// It is not an answer.
        case broken
    }

    private let session: HTTP2Session
    private let isGRPC: Bool
    private var slot: Int?
    private var status: UInt16 = 0
    private var grpcStatus: Int?
    private var message: [UInt8] = []
    private(set) var answer: Answer?

    /// The service that answers about itself.
    static let standardPath = "/grpc.health.v1.Health/Check"

    init(isGRPC: Bool, heads: HeadPool, now: Instant) {
        self.isGRPC = isGRPC
        session = HTTP2Session(.client, .target, heads: heads, now: now)
    }

    /// Asks, by the request in `head`: what is to be sent goes to `output`.
    func ask(_ head: Head, isSecure: Bool, into output: Buffer) {
        slot = session.request(
            head, scheme: isSecure ? "https" : "http", framing: isGRPC ? .chunked : .none, isEnd: !isGRPC)
        if isGRPC, let slot {
            // Not compressed, no bytes: an empty message of whatever type.
            let empty = Buffer(capacity: 8)
            for _ in 0..<5 { empty.append(0 as UInt8) }
            session.attach(slot, empty, isLast: true)
            _ = session.produce(into: output)
            session.detach(slot)
        } else {
            _ = session.produce(into: output)
        }
    }

    /// Takes what came, and leaves in `output` what must be sent. Sets `answer` once it is known.
    func receive(_ bytes: Span<UInt8>, into output: Buffer, heads: HeadPool, now: Instant) {
        var takenCount = 0
        repeat {
            let rest = bytes.extracting(takenCount..<bytes.count)
            session.beginTurn()
            takenCount += session.receive(rest, now: now)
            for index in 0..<session.eventCount { take(session.event(index), of: rest, heads) }
            session.removeEvents()
        } while takenCount < bytes.count && session.fault == nil
        if session.fault != nil && answer == nil { answer = .broken }
        _ = session.produce(into: output)
    }

    /// Writes to `output` that no more requests follow (GOAWAY), and that the response is not awaited any more
    /// (RST_STREAM).
    /// Source: RFC 9113 §5.4.2, §6.8.
    func end(into output: Buffer) {
        if answer == nil, let slot { session.reset(slot, .cancel) }
        session.finishShutdown()
        _ = session.produce(into: output)
    }

    private func take(_ event: HTTP2Event, of bytes: Span<UInt8>, _ heads: HeadPool) {
        switch event {
        case .head(_, let head, let isEnd):
            if head.status >= 200 {
                status = head.status
                noteStatus(head)
                if isEnd { finish() }
            }
            heads.put(head)
        case .refusedHead, .faultyRequest: preconditionFailure("probe: a request")
        case .data(let slot, let range):
            let piece = bytes.extracting(range.start..<range.end)
            if message.count < Limits.checkMessageBytesMax {
                for index in 0..<piece.count { message.append(piece[index]) }
            }
            session.consumed(slot, range.count)
        case .end(_, let trailers):
            if let trailers {
                noteStatus(trailers)
                heads.put(trailers)
            }
            finish()
        case .closed: if answer == nil { answer = .broken }
        case .goAway, .settings, .pingAcknowledged: break
        }
    }

    private func noteStatus(_ head: Head) {
        for index in 0..<head.fieldCount where head.bytes(head.field(index).name).equals("grpc-status") {
            let value = head.bytes(head.field(index).value)
            grpcStatus = Self.code(value)
        }
    }

    /// One or two digits; nil for anything else.
    private static func code(_ text: Span<UInt8>) -> Int? {
        guard (1...2).contains(text.count) else { return nil }
        var number = 0
        for index in 0..<text.count {
            guard text[index].isDigit else { return nil }
            number = number * 10 + Int(text[index] - 0x30)
        }
        return number
    }

    private func finish() {
        guard isGRPC else { return answer = .status(status) }
        // The message of HealthCheckResponse: field 1, an enumeration in which 1 is SERVING.
        answer = .grpc(status == 200 ? grpcStatus : nil, isServing: message.count >= 7 && message[5...6] == [8, 1])
    }
}
