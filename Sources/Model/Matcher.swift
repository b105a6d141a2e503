/// Which answers to a health check pass. Source: ELBv2 Matcher.
public struct Matcher: Hashable, Sendable {
    /// Status codes, of HTTP/1 and HTTP/2 groups.
    public var httpCode: HTTPCodes
    /// Status codes of gRPC, of gRPC groups.
    public var grpcCode: GRPCCodes?

    /// Without arguments, 200 passes; in a gRPC group, 12.
    public init(httpCode: HTTPCodes = HTTPCodes(), grpcCode: GRPCCodes? = nil) {
        self.httpCode = httpCode
        self.grpcCode = grpcCode
    }

    /// The codes that pass in a gRPC group: 12 (UNIMPLEMENTED) unless others are written, as ELB has it.
    public var grpcCodes: GRPCCodes { grpcCode ?? GRPCCodes() }
}

/// A set of gRPC status codes, written as `12`, `0,12` or `0-5`. Limits: 0–99. Source: ELBv2 Matcher.GrpcCode.
public struct GRPCCodes: Hashable, Sendable {
    /// Ranges in the order they were written; single codes are ranges of one.
    public let ranges: [ClosedRange<Int>]

    /// The set of these ranges; without arguments, 12 alone.
    public init(ranges: [ClosedRange<Int>] = [12...12]) { self.ranges = ranges }

    /// Reads a set; nil when the text is not one.
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
        guard (1...2).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
            return nil
        }
        return Int(digits)
    }

    /// Whether `code` is in the set.
    public func contains(_ code: Int) -> Bool { ranges.contains { $0.contains(code) } }

    /// The set as text that `init(_:)` reads back to an equal set.
    public var text: String {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }
}
