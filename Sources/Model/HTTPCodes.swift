/// A set of HTTP status codes, written as `200`, `200,202` or `200-299`.
///
/// Limits: 200–499. Source: ELBv2 Matcher.HttpCode for application load balancers.
public struct HTTPCodes: Hashable, Sendable {
    /// The codes a set may hold.
    public static let allowed = 200...499

    /// Ranges in the order they were written; single codes are ranges of one.
    public let ranges: [ClosedRange<Int>]

    /// The set of these ranges; without arguments, 200 alone.
    public init(ranges: [ClosedRange<Int>] = [200...200]) {
        self.ranges = ranges
    }

    /// Reads a set; nil when the text is not one, or has a code outside 200–499.
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
        guard digits.utf8.count == 3, digits.utf8.allSatisfy({ (48...57).contains($0) }), let code = Int(digits),
            allowed.contains(code)
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
