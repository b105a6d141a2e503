import Core
import HTTP1

/// What happened in a session, in the order in which it happened.
///
/// Shape:  streams are named by slots, small dense integers: arrays may be indexed by them. A slot is taken with a
///         stream's head or by `request`, and free for another after `removeEvents` has removed its `closed`.
/// Errors: whoever takes a head owns it and gives it back to the pool.
public enum HTTP2Event {
    /// A server: a request. A client: a response; with a status of 1xx the final one is to come. After `isEnd` neither
    /// `data` nor `end` comes.
    case head(slot: Int, Head, isEnd: Bool)
    /// A server: a request that breaks a rule which HTTP/1 answers with a status: answer that. The head has as much of
    /// the request as was read, for logs.
    case refusedHead(slot: Int, Head, Violation, isEnd: Bool)
    /// Bytes of the body, in those handed to `receive`: they are to be looked at before its caller reads again. Tell
    /// `consumed` when they were passed on.
    case data(slot: Int, ByteRange)
    /// The message is complete. Trailers that concern routing or this hop are marked removed.
    case end(slot: Int, trailers: Head?)
    /// The stream is over, for both sides; nothing more comes for it.
    case closed(slot: Int, HTTP2ErrorCode, HTTP2Ending)
    /// A server: a request that is none, for this reason; its stream was reset before anybody heard of it.
    case faultyRequest(HTTP2StreamFault)
    /// The other side takes no more streams; those it does not serve are `closed` as `notProcessed`.
    case goAway(HTTP2ErrorCode)
    /// The other side's settings are known or have changed: `streamCapacity` may have, too.
    case settings
    /// The other side has answered `ping`.
    case pingAcknowledged

    /// The stream it is about, if it is about one.
    var slot: Int? {
        switch self {
        case .head(let slot, _, _), .refusedHead(let slot, _, _, _), .data(let slot, _), .end(let slot, _),
            .closed(let slot, _, _):
            slot
        case .faultyRequest, .goAway, .settings, .pingAcknowledged: nil
        }
    }
}

/// How a stream came to its end.
public enum HTTP2Ending: Equatable, Sendable {
    /// Both sides have said all they had to say.
    case complete
    /// The other side reset it.
    case resetByOtherSide
    /// We did, by `reset`.
    case resetByUs
    /// A client: the other side went away without looking at the request, which may be sent again elsewhere.
    case notProcessed
    /// We did, because the other side broke a rule.
    case fault(HTTP2StreamFault)
}
