import HTTP1

/// Why we reset a stream of our own accord: what the other side did wrong on it.
///
/// Errors: a server has nobody to answer; a client gives its client 502. The connection goes on.
/// Source: RFC 9113 §5.4.2, §8.1.1.
public enum HTTP2StreamFault: Equatable, Sendable {
    /// A field that no message may have: upper case, control bytes, connection-specific, a pseudo-field out of place.
    case badField
    /// A message without what it needs, or whose DATA is not as long as its content-length says.
    case badMessage
    /// A window of zero or beyond 2^31 − 1.
    case flowControl
    /// A frame after the stream's end.
    case streamClosed
    /// More streams, or more bytes in the heads of open streams, than we take.
    case tooMuch
    /// The rule of HTTP/1 that a response or trailers break.
    case violation(Violation)
    /// Anything else that nghttp2 resets a stream for.
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
