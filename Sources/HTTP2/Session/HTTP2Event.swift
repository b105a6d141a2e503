import Core
import HTTP1

/// What happened in a session, in the order in which it happened.
///
/// Shape:  streams are identified by slots, small dense integers that may index arrays. A slot is taken by a request's
///         head or by `request`, and reused after `removeEvents` has removed its `closed`.
/// Errors: none. The receiver owns the heads, and returns them to the pool.
public enum HTTP2Event {
    /// A server: a request. A client: a response; after a status of 1xx the final response follows. After `isEnd`
    /// neither `data` nor `end` follows.
    case head(slot: Int, Head, isEnd: Bool)
    /// A server: a request to be rejected with the status of the `Violation`. The head has as much of the request as
    /// was read, for logs.
    case refusedHead(slot: Int, Head, Violation, isEnd: Bool)
    /// Bytes of the body, as a range of the bytes given to `receive`, valid until the caller reads again. Call
    /// `consumed` when they were forwarded, which opens the window (backpressure).
    case data(slot: Int, ByteRange)
    /// The message is complete. Trailers that concern routing or this hop are marked removed.
    case end(slot: Int, trailers: Head?)
    /// The stream is closed in both directions; no further event follows.
    case closed(slot: Int, HTTP2ErrorCode, HTTP2Ending)
    /// A server: an invalid request, for this reason. Its stream was reset before any other event.
    case faultyRequest(HTTP2StreamFault)
    /// The other side accepts no more streams (GOAWAY). Those it does not serve are `closed` as `notProcessed`.
    case goAway(HTTP2ErrorCode)
    /// The other side's SETTINGS arrived, so `streamCapacity` may have changed.
    case settings
    /// The other side has acknowledged a `ping`.
    case pingAcknowledged

    /// The stream that it concerns, if any.
    var slot: Int? {
        switch self {
        case .head(let slot, _, _), .refusedHead(let slot, _, _, _), .data(let slot, _), .end(let slot, _),
            .closed(let slot, _, _):
            slot
        case .faultyRequest, .goAway, .settings, .pingAcknowledged: nil
        }
    }
}

/// How a stream ended.
public enum HTTP2Ending: Equatable, Sendable {
    /// Both sides ended it regularly.
    case complete
    /// The other side reset it.
    case resetByOtherSide
    /// We reset it, by `reset`.
    case resetByUs
    /// A client: the target has not processed the request (REFUSED_STREAM, GOAWAY), so it may be retried elsewhere.
    case notProcessed
    /// We reset it because of a fault of the other side.
    case fault(HTTP2StreamFault)
}
