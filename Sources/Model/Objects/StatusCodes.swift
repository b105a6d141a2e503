/// A set of status codes, written as `200`, `200,202` or `200-299`.
public struct StatusCodes<Kind: StatusCodeKind>: Hashable, Sendable {
    /// Ranges in the order they were written; single codes are ranges of one.
    public let ranges: [ClosedRange<Int>]

    /// The set of these ranges; without arguments, the kind's default code.
    public init(ranges: [ClosedRange<Int>] = [Kind.standard...Kind.standard]) {
        self.ranges = ranges
    }

    /// Reads a set; nil when the text is malformed, or has a code that the kind does not allow.
    public init?(_ text: String) {
        var ranges: [ClosedRange<Int>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            guard let first = ends.first.flatMap(Self.code), let last = ends.last.flatMap(Self.code),
                ends.count <= 2, first <= last
            else { return nil }
            ranges.append(first...last)
        }
        self.ranges = ranges
    }

    private static func code(_ digits: Substring) -> Int? {
        guard Kind.digitCount.contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }),
            let code = Int(digits), Kind.allowed.contains(code)
        else { return nil }
        return code
    }

    /// Whether `code` is in the set.
    public func contains(_ code: Int) -> Bool {
        ranges.contains { $0.contains(code) }
    }

    /// The set as text that `init(_:)` reads back to an equal set.
    public var text: String {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }
}

/// Sets of HTTP's codes: 200–599; the default is 200. Source: ELBv2 Matcher.HttpCode.
public typealias HTTPCodes = StatusCodes<HTTPStatusCode>

/// Sets of gRPC's codes: 0–99; the default is 12 (UNIMPLEMENTED). Source: ELBv2 Matcher.GrpcCode.
public typealias GRPCCodes = StatusCodes<GRPCStatusCode>

/// The protocol that a set of status codes is for.
public protocol StatusCodeKind: Hashable, Sendable {
    /// The codes a set may hold.
    static var allowed: ClosedRange<Int> { get }
    /// How many digits a code is written with.
    static var digitCount: ClosedRange<Int> { get }
    /// The code that a set holds by default.
    static var standard: Int { get }
}

/// The status codes of HTTP.
public enum HTTPStatusCode: StatusCodeKind {
    /// The codes that a health check may accept.
    public static let allowed = 200...599
    /// Always three.
    public static let digitCount = 3...3
    /// OK.
    public static let standard = 200
}

/// The status codes of gRPC.
public enum GRPCStatusCode: StatusCodeKind {
    /// The range that ELBv2 accepts; gRPC defines fewer.
    public static let allowed = 0...99
    /// One or two.
    public static let digitCount = 1...2
    /// UNIMPLEMENTED.
    public static let standard = 12
}
