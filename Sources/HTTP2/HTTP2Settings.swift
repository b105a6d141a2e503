/// What can be configured of a session.
public struct HTTP2Settings: Sendable {
    /// Whether request fields with names beyond `[-A-Za-z0-9]+` are left out.
    public var dropsInvalidNames: Bool
    /// Whether `:scheme` must be https: on a connection with TLS.
    public var isSecure: Bool

    public init(dropsInvalidNames: Bool = false, isSecure: Bool = false) {
        self.dropsInvalidNames = dropsInvalidNames
        self.isSecure = isSecure
    }
}

/// Why a stream or a connection ends. Source: RFC 9113 §7.
public struct HTTP2ErrorCode: Equatable, Sendable {
    /// As it stands in frames.
    public let number: UInt32

    public init(_ number: UInt32) { self.number = number }

    /// Nothing is wrong.
    public static let noError = HTTP2ErrorCode(0)
    /// The other side broke the protocol.
    public static let protocolError = HTTP2ErrorCode(1)
    /// We failed.
    public static let internalError = HTTP2ErrorCode(2)
    /// Nothing was done: it may be asked again.
    public static let refusedStream = HTTP2ErrorCode(7)
    /// Nobody waits for it any more.
    public static let cancel = HTTP2ErrorCode(8)
    /// Too much of something.
    public static let enhanceYourCalm = HTTP2ErrorCode(11)
}

/// Why a session was ended: the other side's fault.
public enum HTTP2Fault: Sendable {
    case protocolError, compression, flowControl, frameSize
    /// Streams reset again and again.
    case resetFlood
    /// Frames that bring nothing.
    case controlFlood
    /// A head in too many frames, or too large.
    case headFlood
    /// The session would hold too much.
    case memory
}
