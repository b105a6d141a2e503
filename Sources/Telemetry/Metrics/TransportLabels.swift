/// How a TLS handshake came to its end.
public enum TLSHandshakeKind: UInt8, CounterLabel {
    /// With certificates and a key exchange.
    case full
    /// By a session that was there before.
    case resumed

    /// As written in metrics.
    public var label: StaticString {
        switch self {
        case .full: "full"
        case .resumed: "resumed"
        }
    }
}

/// Why a TLS connection failed.
public enum TLSFailureReason: UInt8, CounterLabel {
    case unsupportedVersion, noSharedCipher, noSharedProtocol, clientCertificate, noClientCertificate, alertReceived
    case malformed, plainHTTP, keyUpdateFlood, renegotiation, untrustedTarget, nameMismatch, other
    /// The handshake took too long.
    case timeout
    /// The other side has closed in the middle of the handshake.
    case connectionClosed

    /// As written in metrics.
    public var label: StaticString {
        switch self {
        case .unsupportedVersion: "unsupported_version"
        case .noSharedCipher: "no_shared_cipher"
        case .noSharedProtocol: "no_shared_protocol"
        case .clientCertificate: "client_certificate"
        case .noClientCertificate: "no_client_certificate"
        case .alertReceived: "alert_received"
        case .malformed: "malformed"
        case .plainHTTP: "plain_http"
        case .keyUpdateFlood: "key_update_flood"
        case .renegotiation: "renegotiation"
        case .untrustedTarget: "untrusted_target"
        case .nameMismatch: "name_mismatch"
        case .other: "other"
        case .timeout: "timeout"
        case .connectionClosed: "connection_closed"
        }
    }
}

/// At which end of an exchange something happened on HTTP/2.
public enum HTTP2Side: UInt8, CounterLabel {
    case client, target

    /// As written in metrics.
    public var label: StaticString {
        switch self {
        case .client: "client"
        case .target: "target"
        }
    }
}

/// Why an HTTP/2 connection was ended. Source: RFC 9113 §7; docs/threats.md, "HTTP/2".
public enum HTTP2FaultReason: UInt8, CounterLabel {
    /// What came first is not HTTP/2.
    case badPreface
    case protocolError, frameSize, flowControl, compression, streamClosed
    /// Streams reset again and again, by either side.
    case resetFlood
    /// Frames that bring nothing.
    case controlFlood
    /// A field section in too many frames.
    case continuationFlood
    /// A field section that decodes to far more than a head may have.
    case headFlood
    /// Acknowledgements that nobody reads.
    case acknowledgementFlood
    /// Too many settings at once.
    case settingsFlood
    /// The session would hold too much.
    case memory
    /// The library failed.
    case internalError

    /// As written in metrics.
    public var label: StaticString {
        switch self {
        case .badPreface: "bad_preface"
        case .protocolError: "protocol_error"
        case .frameSize: "frame_size"
        case .flowControl: "flow_control"
        case .compression: "compression"
        case .streamClosed: "stream_closed"
        case .resetFlood: "reset_flood"
        case .controlFlood: "control_flood"
        case .continuationFlood: "continuation_flood"
        case .headFlood: "head_flood"
        case .acknowledgementFlood: "acknowledgement_flood"
        case .settingsFlood: "settings_flood"
        case .memory: "memory"
        case .internalError: "internal_error"
        }
    }
}

/// What a client did wrong on a stream that we have reset.
public enum StreamFaultReason: UInt8, CounterLabel {
    /// A field that no message may have.
    case badField
    /// A message without what it needs, or of another length than it says.
    case badMessage
    case flowControl
    /// A frame after the stream's end.
    case streamClosed
    /// More than we take.
    case tooMuch
    /// A rule of HTTP/1 that was broken.
    case violation
    case other

    /// As written in metrics.
    public var label: StaticString {
        switch self {
        case .badField: "bad_field"
        case .badMessage: "bad_message"
        case .flowControl: "flow_control"
        case .streamClosed: "stream_closed"
        case .tooMuch: "too_much"
        case .violation: "violation"
        case .other: "other"
        }
    }
}
