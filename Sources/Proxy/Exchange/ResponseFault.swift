import HTTP1
import HTTP2
import Telemetry

/// Why a target's response is malformed: the detail of `MalformedResponse` in Apus-Reason, logs and metrics.
///
/// Shape:  a trivial value; its words are constants.
/// Errors: the client gets 502 if nothing of the response was sent, else its connection is cut.
enum ResponseFault: Equatable {
    /// The rule of HTTP that it breaks.
    case violation(Violation)
    /// What was wrong on its stream.
    case stream(HTTP2StreamFault)
    /// 101 without our having asked for it. Source: RFC 9110 §15.2.2.
    case unexpectedUpgrade
    /// 2xx without an upgrade, for an extended CONNECT: on HTTP/2 any 2xx tells that the tunnel is open.
    /// Source: RFC 8441 §5, RFC 9110 §9.3.6.
    case upgradeIgnored
    /// More than `Limits.interimResponsesMax` of 1xx.
    case tooManyInterimResponses

    /// The cause as a code of one word, for Apus-Reason and logs.
    var reasonCode: StaticString {
        switch self {
        case .violation(let violation): violation.reasonCode
        case .stream(let fault): fault.reasonCode
        case .unexpectedUpgrade: "UnexpectedUpgrade"
        case .upgradeIgnored: "UpgradeIgnored"
        case .tooManyInterimResponses: "TooManyInterimResponses"
        }
    }

    /// The same for metrics.
    var reason: MalformedReason {
        switch self {
        case .violation(let violation), .stream(.violation(let violation)): MalformedReason(violation)
        case .stream(.badField): .badField
        case .stream(.badMessage): .badMessage
        case .stream: .stream
        case .unexpectedUpgrade: .unexpectedUpgrade
        case .upgradeIgnored: .upgradeIgnored
        case .tooManyInterimResponses: .tooManyInterimResponses
        }
    }
}

extension MalformedReason {
    fileprivate init(_ violation: Violation) {
        self =
            switch violation {
            case .badStatusLine: .badStatusLine
            case .unsupportedVersion: .unsupportedVersion
            case .badFieldName: .badFieldName
            case .badFieldValue: .badFieldValue
            case .bareCarriageReturn: .bareCarriageReturn
            case .bareLineFeed: .bareLineFeed
            case .obsoleteFold: .obsoleteFold
            case .suspiciousHeader: .suspiciousHeader
            case .badConnection: .badConnection
            case .fieldTooLarge: .fieldTooLarge
            case .headTooLarge: .headTooLarge
            case .tooManyFields: .tooManyFields
            case .badContentLength: .badContentLength
            case .duplicateContentLength: .duplicateContentLength
            case .contentLengthWithTransferEncoding: .contentLengthWithTransferEncoding
            case .badTransferEncoding: .badTransferEncoding
            case .duplicateTransferEncoding: .duplicateTransferEncoding
            case .transferEncodingOnHTTP10: .transferEncodingOnHTTP10
            case .unsupportedTransferEncoding: .unsupportedTransferEncoding
            case .badChunkSize: .badChunkSize
            case .badChunkExtension: .badChunkExtension
            case .chunkLineTooLong: .chunkLineTooLong
            case .badChunkEnd: .badChunkEnd
            case .trailersTooLarge: .trailersTooLarge
            default: .other
            }
    }
}
