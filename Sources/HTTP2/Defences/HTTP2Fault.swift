/// Why a whole connection is beyond help.
///
/// Errors: after any of these, write what `produce` still gives, then close. All but the last are the other side's.
/// Source: RFC 9113 §5.4.1, §10.5; docs/threats.md, "HTTP/2".
public enum HTTP2Fault: UInt8, Error, Sendable, CaseIterable {
    /// What came first was not HTTP/2.
    case badPreface
    /// A rule of the protocol was broken that concerns all streams.
    case protocolError
    case frameSize
    case flowControl
    case compression
    /// A frame on a stream that the other side had ended itself.
    case streamClosed
    /// Too many streams were reset, by the other side or because of it.
    case resetFlood
    /// Too many frames that bring nothing.
    case controlFlood
    /// Too many CONTINUATION frames in one head.
    case continuationFlood
    /// A head decoded to far more than a head may have.
    case headFlood
    /// Too many acknowledgements wait because the other side does not read them.
    case acknowledgementFlood
    /// Too many entries in one SETTINGS frame.
    case settingsFlood
    /// nghttp2 holds more than `Limits.sessionBytesMax`.
    case memory
    /// nghttp2 failed, for want of memory as a rule.
    case internalError

    /// The cause as a code of one word, for logs.
    public var reasonCode: StaticString {
        switch self {
        case .badPreface: "BadPreface"
        case .protocolError: "ProtocolError"
        case .frameSize: "FrameSize"
        case .flowControl: "FlowControl"
        case .compression: "Compression"
        case .streamClosed: "StreamClosed"
        case .resetFlood: "ResetFlood"
        case .controlFlood: "ControlFlood"
        case .continuationFlood: "ContinuationFlood"
        case .headFlood: "HeadFlood"
        case .acknowledgementFlood: "AcknowledgementFlood"
        case .settingsFlood: "SettingsFlood"
        case .memory: "Memory"
        case .internalError: "InternalError"
        }
    }

    /// The code that GOAWAY carries.
    public var code: HTTP2ErrorCode {
        switch self {
        case .badPreface, .protocolError: .protocolError
        case .frameSize: .frameSizeError
        case .flowControl: .flowControlError
        case .compression: .compressionError
        case .streamClosed: .streamClosed
        case .resetFlood, .controlFlood, .continuationFlood, .headFlood, .acknowledgementFlood, .settingsFlood,
            .memory:
            .enhanceYourCalm
        case .internalError: .internalError
        }
    }

    /// The fault for which nghttp2 itself wrote GOAWAY with this code.
    init(verdict code: HTTP2ErrorCode) {
        switch code {
        case .frameSizeError: self = .frameSize
        case .flowControlError: self = .flowControl
        case .compressionError: self = .compression
        case .streamClosed: self = .streamClosed
        // nghttp2's only use of it.
        case .enhanceYourCalm: self = .settingsFlood
        case .internalError: self = .internalError
        default: self = .protocolError
        }
    }
}
