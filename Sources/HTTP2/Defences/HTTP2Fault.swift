/// Why a connection has to be closed.
///
/// Errors: after any of these, write what `produce` still returns, then close. All but the last are faults of the other
/// side.
/// Source: RFC 9113 §5.4.1, §10.5; docs/threats.md, "HTTP/2".
public enum HTTP2Fault: UInt8, Error, Sendable, CaseIterable {
    /// The connection did not begin with the HTTP/2 preface.
    case badPreface
    /// A connection error of type PROTOCOL_ERROR.
    case protocolError
    case frameSize
    case flowControl
    case compression
    /// A frame on a stream that the other side had ended.
    case streamClosed
    /// Too many streams were reset, by the other side (Rapid Reset) or because of its faults (MadeYouReset).
    case resetFlood
    /// Too many useless frames: PING, SETTINGS, PRIORITY, empty DATA.
    case controlFlood
    /// Too many CONTINUATION frames in one head.
    case continuationFlood
    /// A head decoded to far more bytes than a head may have (HPACK bomb).
    case headFlood
    /// Too many acknowledgements of PING and SETTINGS are queued because the other side does not read them.
    case acknowledgementFlood
    /// Too many entries in one SETTINGS frame.
    case settingsFlood
    /// nghttp2 holds more than `Limits.sessionBytesMax`.
    case memory
    /// nghttp2 failed, usually because it is out of memory.
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

    /// The fault for which nghttp2 itself sent GOAWAY with this code.
    init(verdict code: HTTP2ErrorCode) {
        switch code {
        case .frameSizeError: self = .frameSize
        case .flowControlError: self = .flowControl
        case .compressionError: self = .compression
        case .streamClosed: self = .streamClosed
        // nghttp2 uses this code for no other fault.
        case .enhanceYourCalm: self = .settingsFlood
        case .internalError: self = .internalError
        default: self = .protocolError
        }
    }
}
