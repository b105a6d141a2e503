import HTTP1
import HTTP2

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

/// Why a TLS connection failed: `TLSFailure` without the number of an alert, and two reasons that only the worker sees.
public enum TLSFailureReason: UInt8, CounterLabel {
    case unsupportedVersion, noSharedCipher, noSharedProtocol, clientCertificate, noClientCertificate, clientIdentity
    case alertReceived
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
        case .clientIdentity: "client_identity"
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

/// What is wrong with a request over HTTP/1 is a label itself.
extension Compliance: CounterLabel {
    /// The label's value in metrics.
    public var label: StaticString { reason ?? "none" }
}

/// Why an HTTP/2 connection was closed is a label itself.
extension HTTP2Fault: CounterLabel {
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

/// Why Apus reset a client's stream: `HTTP2StreamFault` without the rule of HTTP/1 that was violated, since those rules
/// would make some forty time series of each counter.
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
