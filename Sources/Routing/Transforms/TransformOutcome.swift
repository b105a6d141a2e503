import Core

/// What a transform has made of a request.
public enum TransformOutcome: Equatable, Sendable {
    /// Its regular expression has no match: the request stays as it is.
    case notFound
    /// What is new lies there in the arena of the request's head.
    case written(ByteRange)
    /// It matched and failed: the request must be answered with 500.
    case failed(TransformFailure)
}

/// Why a transform failed. The raw values are the words of ELB's access log, field 33.
///
/// Source: Application Load Balancer user guide, "Access logs", "Transform status codes".
public enum TransformFailure: Sendable {
    /// What it made would be too long.
    case bufferTooSmall
    /// Its regular expression was given up at its limit.
    case replaceError
    /// What it made is no host.
    case invalidHost
    /// What it made is no path with or without a query, or has dot segments.
    case invalidPath

    /// Its word.
    public var word: StaticString {
        switch self {
        case .bufferTooSmall: "TransformBufferTooSmall"
        case .replaceError: "TransformReplaceError"
        case .invalidHost: "TransformInvalidHost"
        case .invalidPath: "TransformInvalidPath"
        }
    }
}
