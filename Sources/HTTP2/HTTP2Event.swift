import Core
import HTTP1

/// What a session tells. Streams are named by slots: small numbers, which are given again after `closed`.
public enum HTTP2Event {
    /// A head has come: a request's, or a response's, interim ones included. The head is the taker's.
    case head(slot: Int, Head, isEnd: Bool)
    /// A request breaks a rule that HTTP/1 answers with a status; or what came is no response. The head is the taker's.
    case refusedHead(slot: Int, Head, Violation, isEnd: Bool)
    /// Octets of the body, where they lie in what was handed to `receive`.
    case data(slot: Int, ByteRange)
    /// The other side has ended its message; trailers are the taker's.
    case end(slot: Int, trailers: Head?)
    /// The stream is over.
    case closed(slot: Int, HTTP2ErrorCode, byOtherSide: Bool)
    /// The other side takes, or opens, no more streams.
    case goAway
    /// A PING of ours was answered.
    case pingAcknowledged
    /// Nothing any more: a request that was reset before anyone saw it.
    case none

    /// The stream it is about.
    var slot: Int? {
        switch self {
        case .head(let slot, _, _), .refusedHead(let slot, _, _, _), .data(let slot, _), .end(let slot, _),
            .closed(let slot, _, _):
            slot
        case .goAway, .pingAcknowledged, .none: nil
        }
    }
}
