/// A set of status codes, written as `200`, `200,202` or `200-299`.
public struct StatusCodes<Kind: StatusCodeKind>: Hashable, Sendable {
    /// Ranges in the order they were written; single codes are ranges of one.
    public let ranges: [ClosedRange<Int>]

    /// The set of these ranges; without arguments, the one code that the kind is known for.
    public init(ranges: [ClosedRange<Int>] = [Kind.standard...Kind.standard]) {
        self.ranges = ranges
    }

    /// Reads a set; nil when the text is not one, or has a code that is none of the kind.
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

/// Sets of HTTP's codes: 200–599, and 200 where nothing is said. Source: ELBv2 Matcher.HttpCode.
public typealias HTTPCodes = StatusCodes<HTTPStatusCode>

/// Sets of gRPC's codes: 0–99, and 12 (UNIMPLEMENTED) where nothing is said. Source: ELBv2 Matcher.GrpcCode.
public typealias GRPCCodes = StatusCodes<GRPCStatusCode>

/// Whose status codes they are.
public protocol StatusCodeKind: Hashable, Sendable {
    /// The codes a set may hold.
    static var allowed: ClosedRange<Int> { get }
    /// How many digits a code is written with.
    static var digitCount: ClosedRange<Int> { get }
    /// What passes where nothing is said.
    static var standard: Int { get }
}

/// The status codes of HTTP.
public enum HTTPStatusCode: StatusCodeKind {
    /// Those that a target may answer a check with.
    public static let allowed = 200...599
    /// Three, always.
    public static let digitCount = 3...3
    /// OK.
    public static let standard = 200
}

/// The status codes of gRPC.
public enum GRPCStatusCode: StatusCodeKind {
    /// Far more than there are.
    public static let allowed = 0...99
    /// As numbers are written.
    public static let digitCount = 1...2
    /// UNIMPLEMENTED.
    public static let standard = 12
}
