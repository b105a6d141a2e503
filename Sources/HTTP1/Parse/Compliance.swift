import Core

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
    case getHeadZeroContentLength, nonCompliantHeader, nonCompliantVersion, spaceInUri
    // Ambiguous: others might read it differently.
    case ambiguousUri, bothTeClPresent, duplicateContentLength, emptyHeader, multilineHeader, suspiciousHeader
    case undefinedContentLengthSemantics, undefinedTransferEncodingSemantics
    // Severe: made to be read differently.
    case badContentLength, badHeader, badMethod, badTransferEncoding, badUri, badVersion
    case multipleContentLength, multipleTransferEncodingChunked

    /// The class, as ALB's log has it; nil for `compliant`.
    public var classification: StaticString? {
        switch self {
        case .compliant: nil
        case .getHeadZeroContentLength, .nonCompliantHeader, .nonCompliantVersion, .spaceInUri: "Acceptable"
        case .ambiguousUri, .bothTeClPresent, .duplicateContentLength, .emptyHeader, .multilineHeader,
            .suspiciousHeader, .undefinedContentLengthSemantics, .undefinedTransferEncodingSemantics:
            "Ambiguous"
        case .badContentLength, .badHeader, .badMethod, .badTransferEncoding, .badUri, .badVersion,
            .multipleContentLength, .multipleTransferEncodingChunked:
            "Severe"
        }
    }

    /// The reason code, as ALB's log has it; nil for `compliant`.
    public var reason: StaticString? {
        switch self {
        case .compliant: nil
        case .getHeadZeroContentLength: "GetHeadZeroContentLength"
        case .nonCompliantHeader: "NonCompliantHeader"
        case .nonCompliantVersion: "NonCompliantVersion"
        case .spaceInUri: "SpaceInUri"
        case .ambiguousUri: "AmbiguousUri"
        case .bothTeClPresent: "BothTeClPresent"
        case .duplicateContentLength: "DuplicateContentLength"
        case .emptyHeader: "EmptyHeader"
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
        }
    }

    /// Whether others might read the request differently: it is served, and then both connections are closed.
    /// Source: Application Load Balancers user guide, "Desync mitigation mode", defensive.
    public var isAmbiguous: Bool {
        switch self {
        case .undefinedContentLengthSemantics, .undefinedTransferEncodingSemantics: true
        default: false  // the others are refused
        }
    }

    /// Of a request that was refused for `violation`, and whose head `input` begins with.
    public init(_ violation: Violation, in input: Span<UInt8>) {
        // What follows the head is not the request that was refused.
        let input = input.head
        self =
            switch violation {
            case .badMethod: .badMethod
            case .badRequestLine: .nonCompliantVersion  // a line without a version, as in HTTP/0.9
            case .badTarget: Self.ofTarget(input)
            case .badVersion: input.firstLine.endsWithVersion ? .spaceInUri : .badVersion
            case .unsupportedVersion: .badVersion
            case .badFieldName: Self.ofFieldName(input)
            case .badFieldValue: input.contains(0) ? .badHeader : .nonCompliantHeader
            case .bareCarriageReturn: .badHeader
            case .obsoleteFold: .multilineHeader
            case .suspiciousHeader: .suspiciousHeader
            case .badContentLength: .badContentLength
            case .duplicateContentLength: input.repeatsContentLength ? .duplicateContentLength : .multipleContentLength
            case .contentLengthWithTransferEncoding: .bothTeClPresent
            case .badTransferEncoding: .badTransferEncoding
            case .duplicateTransferEncoding: .multipleTransferEncodingChunked
            case .transferEncodingOnHTTP10: .undefinedTransferEncodingSemantics
            default: .compliant
            }
    }

    private static func ofTarget(_ input: Span<UInt8>) -> Compliance {
        let line = input.firstLine
        if line.contains(0) || line.contains(.carriageReturn) { return .badUri }
        for index in 0..<line.count where line[index] < .space || line[index] == .delete { return .ambiguousUri }
        return .badUri
    }

    private static func ofFieldName(_ input: Span<UInt8>) -> Compliance {
        if input.contains(0) { return .badHeader }
        for index in 1..<max(1, input.count) where input[index] == .colon && input[index - 1] == .lineFeed {
            return .emptyHeader
        }
        return .nonCompliantHeader
    }
}

extension Span where Element == UInt8 {
    fileprivate func contains(_ byte: UInt8) -> Bool {
        for index in 0..<count where self[index] == byte { return true }
        return false
    }

    /// The line that begins at `start`, without its end.
    @_lifetime(copy self)
    private func line(from start: Int) -> Span<UInt8> {
        let end = firstLineFeed(from: start) ?? count
        let hasReturn = end > start && self[end - 1] == .carriageReturn
        return extracting(start..<(hasReturn ? end - 1 : end))
    }

    /// Up to the empty line that ends a head; all of it if there is none.
    fileprivate var head: Span<UInt8> {
        @_lifetime(copy self)
        get {
            var start = 0
            while start < count, self[start] == .carriageReturn || self[start] == .lineFeed { start += 1 }
            while let end = firstLineFeed(from: start) {
                if line(from: start).isEmpty { return extracting(first: start) }
                start = end + 1
            }
            return self
        }
    }

    /// The first line that is not empty, without its end.
    fileprivate var firstLine: Span<UInt8> {
        @_lifetime(copy self)
        get {
            var start = 0
            while start < count, self[start] == .carriageReturn || self[start] == .lineFeed { start += 1 }
            return line(from: start)
        }
    }

    /// Whether the last of the parts between spaces is a version of HTTP.
    fileprivate var endsWithVersion: Bool {
        let start = count - Version.byteCount
        return start > 0 && self[start - 1] == .space && Version(self, at: start) != nil
    }

    /// Whether the first two Content-Length fields say the same.
    fileprivate var repeatsContentLength: Bool {
        var first: ByteRange?
        var start = 0
        while let end = firstLineFeed(from: start) {
            let line = line(from: start)
            if line.count > 15, line[14] == .colon, line.extracting(first: 14).equalsIgnoringCase("content-length") {
                let valueStart = line.skippingWhitespace(from: 15, to: line.count)
                let valueEnd = line.trimmingWhitespace(from: valueStart, to: line.count)
                let value = ByteRange(start: start + valueStart, count: valueEnd - valueStart)
                if let first { return extracting(first).equals(extracting(value)) }
                first = value
            }
            start = end + 1
        }
        return false
    }
}
