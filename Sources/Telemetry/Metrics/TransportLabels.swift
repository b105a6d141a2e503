/// The kind of a completed TLS handshake.
public enum TLSHandshakeKind: UInt8, CounterLabel {
    /// A full handshake, with certificates and a key exchange.
    case full
    /// A resumption of an earlier session.
    case resumed

    /// The label's value in metrics.
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
    /// The other side closed the connection during the handshake.
    case connectionClosed

    /// The label's value in metrics.
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

/// The side of an exchange on which an HTTP/2 event happened.
public enum HTTP2Side: UInt8, CounterLabel {
    case client, target

    /// The label's value in metrics.
    public var label: StaticString {
        switch self {
        case .client: "client"
        case .target: "target"
        }
    }
}

/// Why an HTTP/2 connection was closed. Source: RFC 9113 §7; docs/threats.md, "HTTP/2".
public enum HTTP2FaultReason: UInt8, CounterLabel {
    /// The connection did not begin with the HTTP/2 preface.
    case badPreface
    case protocolError, frameSize, flowControl, compression, streamClosed
    /// Too many streams were reset (Rapid Reset, MadeYouReset).
    case resetFlood
    /// Too many useless frames.
    case controlFlood
    /// A head in too many CONTINUATION frames.
    case continuationFlood
    /// A head that decodes to far more bytes than allowed (HPACK bomb).
    case headFlood
    /// Too many acknowledgements that the other side does not read.
    case acknowledgementFlood
    /// Too many entries in one SETTINGS frame.
    case settingsFlood
    /// The session would hold too much memory.
    case memory
    /// nghttp2 failed.
    case internalError

    /// The label's value in metrics.
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

/// Why Apus reset a client's stream.
public enum StreamFaultReason: UInt8, CounterLabel {
    /// An invalid field.
    case badField
    /// A message without a mandatory field, or whose DATA does not match its content-length.
    case badMessage
    case flowControl
    /// A frame after the stream's end.
    case streamClosed
    /// More streams, or more bytes of heads, than allowed.
    case tooMuch
    /// A violation of a rule of HTTP/1.
    case violation
    case other

    /// The label's value in metrics.
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
