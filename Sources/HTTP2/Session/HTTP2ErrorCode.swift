/// The error code of RST_STREAM and GOAWAY. Any number may be received. Source: RFC 9113 §7.
public struct HTTP2ErrorCode: RawRepresentable, Equatable, Hashable, Sendable {
    /// The number in the registry.
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// No error.
    public static let noError = HTTP2ErrorCode(rawValue: 0)
    /// A protocol error that has no code of its own.
    public static let protocolError = HTTP2ErrorCode(rawValue: 1)
    /// An error of the side that sends it.
    public static let internalError = HTTP2ErrorCode(rawValue: 2)
    /// More DATA than the window allowed, or a window beyond 2^31 − 1.
    public static let flowControlError = HTTP2ErrorCode(rawValue: 3)
    /// Our settings were not acknowledged in time.
    public static let settingsTimeout = HTTP2ErrorCode(rawValue: 4)
    /// A frame on a stream that had ended.
    public static let streamClosed = HTTP2ErrorCode(rawValue: 5)
    /// A frame of an invalid size.
    public static let frameSizeError = HTTP2ErrorCode(rawValue: 6)
    /// The stream was not processed: the request may be retried.
    public static let refusedStream = HTTP2ErrorCode(rawValue: 7)
    /// The stream is no longer needed.
    public static let cancel = HTTP2ErrorCode(rawValue: 8)
    /// A header block that cannot be decoded.
    public static let compressionError = HTTP2ErrorCode(rawValue: 9)
    /// The connection behind a CONNECT failed.
    public static let connectError = HTTP2ErrorCode(rawValue: 10)
    /// The other side causes too much load.
    public static let enhanceYourCalm = HTTP2ErrorCode(rawValue: 11)
    /// The TLS connection is too weak.
    public static let inadequateSecurity = HTTP2ErrorCode(rawValue: 12)
    /// HTTP/1.1 has to be used.
    public static let http11Required = HTTP2ErrorCode(rawValue: 13)

    /// The name in the registry of error codes, for logs.
    public var name: StaticString {
        switch self {
        case .noError: "NoError"
        case .protocolError: "ProtocolError"
        case .internalError: "InternalError"
        case .flowControlError: "FlowControlError"
        case .settingsTimeout: "SettingsTimeout"
        case .streamClosed: "StreamClosed"
        case .frameSizeError: "FrameSizeError"
        case .refusedStream: "RefusedStream"
        case .cancel: "Cancel"
        case .compressionError: "CompressionError"
        case .connectError: "ConnectError"
        case .enhanceYourCalm: "EnhanceYourCalm"
        case .inadequateSecurity: "InadequateSecurity"
        case .http11Required: "HTTP11Required"
        default: "UnknownError"
        }
    }
}
