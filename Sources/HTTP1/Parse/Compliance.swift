/// How well a request followed HTTP/1, as the access log of an Application Load Balancer classifies it.
///
/// Each case but the first is one of ALB's reason codes. Where a request deserves several, the first of the worst
/// class counts. Only heads are classified, and only by what ALB has a code for: a request that is refused for another
/// reason is `compliant` here.
/// Source: Application Load Balancers user guide, "Access logs", classification reasons; http-desync-guardian
///         (github.com/aws) for what exactly each of them means.
public enum Compliance: UInt8, Sendable, CaseIterable {
    /// To the letter, or not classified.
    case compliant
    // Acceptable: not to the letter, and harmless.
    case getHeadZeroContentLength, nonCompliantHeader, nonCompliantVersion, nonCrLfLineTermination, spaceInUri
    // Ambiguous: others might read it differently.
    case ambiguousUri, bothTeClPresent, duplicateContentLength, emptyHeader, missingHeaderColon, missingUri
    case multilineHeader, suspiciousHeader
    case undefinedContentLengthSemantics, undefinedTransferEncodingSemantics
    // Severe: made to be read differently.
    case badContentLength, badHeader, badMethod, badTransferEncoding, badUri, badVersion
    case multipleContentLength, multipleTransferEncodingChunked, suspiciousTeClPresent

    /// ALB's classes, the worst last.
    public enum Tier: UInt8, Sendable, Comparable {
        case compliant, acceptable, ambiguous, severe

        public static func < (one: Tier, other: Tier) -> Bool { one.rawValue < other.rawValue }
    }

    /// The class that it belongs to.
    public var tier: Tier {
        switch self {
        case .compliant: .compliant
        case .getHeadZeroContentLength, .nonCompliantHeader, .nonCompliantVersion, .nonCrLfLineTermination,
            .spaceInUri:
            .acceptable
        case .ambiguousUri, .bothTeClPresent, .duplicateContentLength, .emptyHeader, .missingHeaderColon, .missingUri,
            .multilineHeader, .suspiciousHeader, .undefinedContentLengthSemantics,
            .undefinedTransferEncodingSemantics:
            .ambiguous
        case .badContentLength, .badHeader, .badMethod, .badTransferEncoding, .badUri, .badVersion,
            .multipleContentLength, .multipleTransferEncodingChunked, .suspiciousTeClPresent:
            .severe
        }
    }

    /// The class, as ALB's log has it; nil for `compliant`.
    public var classification: StaticString? {
        switch tier {
        case .compliant: nil
        case .acceptable: "Acceptable"
        case .ambiguous: "Ambiguous"
        case .severe: "Severe"
        }
    }

    /// The reason code, as ALB's log has it; nil for `compliant`.
    public var reason: StaticString? {
        switch self {
        case .compliant: nil
        case .getHeadZeroContentLength: "GetHeadZeroContentLength"
        case .nonCompliantHeader: "NonCompliantHeader"
        case .nonCompliantVersion: "NonCompliantVersion"
        case .nonCrLfLineTermination: "NonCrLfLineTermination"
        case .spaceInUri: "SpaceInUri"
        case .ambiguousUri: "AmbiguousUri"
        case .bothTeClPresent: "BothTeClPresent"
        case .duplicateContentLength: "DuplicateContentLength"
        case .emptyHeader: "EmptyHeader"
        case .missingHeaderColon: "MissingHeaderColon"
        case .missingUri: "MissingUri"
        case .multilineHeader: "MultilineHeader"
        case .suspiciousHeader: "SuspiciousHeader"
        case .undefinedContentLengthSemantics: "UndefinedContentLengthSemantics"
        case .undefinedTransferEncodingSemantics: "UndefinedTransferEncodingSemantics"
        case .badContentLength: "BadContentLength"
        case .badHeader: "BadHeader"
        case .badMethod: "BadMethod"
        case .badTransferEncoding: "BadTransferEncoding"
        case .badUri: "BadUri"
        case .badVersion: "BadVersion"
        case .multipleContentLength: "MultipleContentLength"
        case .multipleTransferEncodingChunked: "MultipleTransferEncodingChunked"
        case .suspiciousTeClPresent: "SuspiciousTeClPresent"
        }
    }
}
