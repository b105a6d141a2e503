import HTTP1

/// Why we reset a stream: what the other side did wrong on it.
///
/// Errors: a server cannot answer the request; on the target's side, the client gets 502. The connection stays open.
/// Source: RFC 9113 §5.4.2, §8.1.1.
public enum HTTP2StreamFault: Equatable, Sendable {
    /// An invalid field: upper case, control bytes, connection-specific, a misplaced pseudo-header field.
    case badField
    /// A message without a mandatory field, or whose DATA does not match its content-length.
    case badMessage
    /// A window increment of zero, or a window beyond 2^31 − 1.
    case flowControl
    /// A frame after the stream's end.
    case streamClosed
    /// More streams, or more bytes in the heads of open streams, than we allow.
    case tooMuch
    /// A rule of HTTP/1 that the response or the trailers break.
    case violation(Violation)
    /// Any other reason for which nghttp2 resets a stream.
    case other

    /// The cause as a code of one word, for logs.
    public var reasonCode: StaticString {
        switch self {
        case .badField: "BadField"
        case .badMessage: "BadMessage"
        case .flowControl: "FlowControl"
        case .streamClosed: "StreamClosed"
        case .tooMuch: "TooMuch"
        case .violation(let violation): violation.reasonCode
        case .other: "StreamError"
        }
    }
}
