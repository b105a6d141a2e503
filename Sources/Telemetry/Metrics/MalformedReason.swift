/// The rule that a target's response violated, as a label in metrics: one list of what several faults say apart
/// (`Violation`, `HTTP2StreamFault`, and what only the worker sees), without the rules that only requests can violate.
public enum MalformedReason: UInt8, CounterLabel {
    case badStatusLine, unsupportedVersion
    case badFieldName, badFieldValue, bareCarriageReturn, bareLineFeed, obsoleteFold, suspiciousHeader, badConnection
    case fieldTooLarge, headTooLarge, tooManyFields
    case badContentLength, duplicateContentLength, contentLengthWithTransferEncoding
    case badTransferEncoding, duplicateTransferEncoding, transferEncodingOnHTTP10, unsupportedTransferEncoding
    case badChunkSize, badChunkExtension, chunkLineTooLong, badChunkEnd, trailersTooLarge
    /// A field that HTTP/2 forbids.
    case badField
    /// An HTTP/2 message without a mandatory field, or whose DATA does not match its content-length.
    case badMessage
    /// Another fault on a stream.
    case stream
    /// 101 for a request that did not ask for this upgrade.
    case unexpectedUpgrade
    /// 2xx instead of 101 for a WebSocket, which to a client on HTTP/2 would mean that the WebSocket is open.
    case upgradeIgnored
    case tooManyInterimResponses
    /// A rule that only requests can violate.
    case other

    /// The label's value in metrics.
    public var label: StaticString {
        switch self {
        case .badStatusLine: "bad_status_line"
        case .unsupportedVersion: "unsupported_version"
        case .badFieldName: "bad_field_name"
        case .badFieldValue: "bad_field_value"
        case .bareCarriageReturn: "bare_carriage_return"
        case .bareLineFeed: "bare_line_feed"
        case .obsoleteFold: "obsolete_fold"
        case .suspiciousHeader: "suspicious_header"
        case .badConnection: "bad_connection"
        case .fieldTooLarge: "field_too_large"
        case .headTooLarge: "head_too_large"
        case .tooManyFields: "too_many_fields"
        case .badContentLength: "bad_content_length"
        case .duplicateContentLength: "duplicate_content_length"
        case .contentLengthWithTransferEncoding: "content_length_with_transfer_encoding"
        case .badTransferEncoding: "bad_transfer_encoding"
        case .duplicateTransferEncoding: "duplicate_transfer_encoding"
        case .transferEncodingOnHTTP10: "transfer_encoding_on_http10"
        case .unsupportedTransferEncoding: "unsupported_transfer_encoding"
        case .badChunkSize: "bad_chunk_size"
        case .badChunkExtension: "bad_chunk_extension"
        case .chunkLineTooLong: "chunk_line_too_long"
        case .badChunkEnd: "bad_chunk_end"
        case .trailersTooLarge: "trailers_too_large"
        case .badField: "bad_field"
        case .badMessage: "bad_message"
        case .stream: "stream"
        case .unexpectedUpgrade: "unexpected_upgrade"
        case .upgradeIgnored: "upgrade_ignored"
        case .tooManyInterimResponses: "too_many_interim_responses"
        case .other: "other"
        }
    }
}
