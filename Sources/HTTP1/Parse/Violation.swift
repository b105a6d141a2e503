/// Why a message was rejected.
///
/// Errors: after any of these, later bytes of the connection cannot be trusted. A client gets `status` and its
/// connection is closed; a target's connection is closed, and the client gets 502.
/// Source: RFC 9110, RFC 9112; docs/elbv2.md, "Status codes" and "Request classes".
public enum Violation: UInt8, Error, Sendable, CaseIterable {
    // The first line.
    case badRequestLine, badMethod, badTarget, badPercentEncoding, pathAboveRoot, ambiguousPath, badVersion
    case badStatusLine
    case methodNotAllowed, requestLineTooLong, unsupportedVersion
    // Fields.
    case badFieldName, badFieldValue, bareCarriageReturn, bareLineFeed, obsoleteFold, suspiciousHeader
    case missingHost, duplicateHost, badHost, badConnection
    // Only in HTTP/2; the last is an extended CONNECT to something other than WebSocket (RFC 8441 §4).
    case authorityMismatch, badScheme, unsupportedProtocol
    case fieldTooLarge, headTooLarge, tooManyFields, badExpectation
    // Anything that `Compliance` has a word for, where all of that is refused.
    case nonCompliant
    // Framing.
    case badContentLength, duplicateContentLength, contentLengthWithTransferEncoding
    case badTransferEncoding, duplicateTransferEncoding, transferEncodingOnHTTP10, unsupportedTransferEncoding
    // The body.
    case badChunkSize, badChunkExtension, chunkLineTooLong, badChunkEnd, trailersTooLarge

    /// The status code for the client if this is a request: 400, 405, 413, 414, 417, 501 or 505.
    public var status: UInt16 {
        switch self {
        case .methodNotAllowed: 405
        case .fieldTooLarge, .headTooLarge, .tooManyFields, .trailersTooLarge: 413
        case .requestLineTooLong: 414
        case .badExpectation: 417
        case .unsupportedTransferEncoding, .unsupportedProtocol: 501
        case .unsupportedVersion: 505
        default: 400
        }
    }

    /// The cause as a code of one word, for the `Apus-Reason` field and the log.
    public var reasonCode: StaticString {
        switch self {
        case .badRequestLine: "BadRequestLine"
        case .badMethod: "BadMethod"
        case .badTarget: "BadTarget"
        case .badPercentEncoding: "BadPercentEncoding"
        case .pathAboveRoot: "PathAboveRoot"
        case .ambiguousPath: "AmbiguousPath"
        case .badVersion: "BadVersion"
        case .badStatusLine: "BadStatusLine"
        case .methodNotAllowed: "MethodNotAllowed"
        case .requestLineTooLong: "RequestLineTooLong"
        case .unsupportedVersion: "UnsupportedVersion"
        case .badFieldName: "BadFieldName"
        case .badFieldValue: "BadFieldValue"
        case .bareCarriageReturn: "BareCarriageReturn"
        case .bareLineFeed: "BareLineFeed"
        case .obsoleteFold: "ObsoleteFold"
        case .suspiciousHeader: "SuspiciousHeader"
        case .missingHost: "MissingHost"
        case .duplicateHost: "DuplicateHost"
        case .badHost: "BadHost"
        case .badConnection: "BadConnection"
        case .authorityMismatch: "AuthorityMismatch"
        case .badScheme: "BadScheme"
        case .unsupportedProtocol: "UnsupportedProtocol"
        case .fieldTooLarge: "FieldTooLarge"
        case .headTooLarge: "HeadTooLarge"
        case .tooManyFields: "TooManyFields"
        case .badExpectation: "BadExpectation"
        case .nonCompliant: "NonCompliant"
        case .badContentLength: "BadContentLength"
        case .duplicateContentLength: "DuplicateContentLength"
        case .contentLengthWithTransferEncoding: "ContentLengthWithTransferEncoding"
        case .badTransferEncoding: "BadTransferEncoding"
        case .duplicateTransferEncoding: "DuplicateTransferEncoding"
        case .transferEncodingOnHTTP10: "TransferEncodingOnHTTP10"
        case .unsupportedTransferEncoding: "UnsupportedTransferEncoding"
        case .badChunkSize: "BadChunkSize"
        case .badChunkExtension: "BadChunkExtension"
        case .chunkLineTooLong: "ChunkLineTooLong"
        case .badChunkEnd: "BadChunkEnd"
        case .trailersTooLarge: "TrailersTooLarge"
        }
    }
}
