import Core
import RegularExpressions

/// The transform `url-rewrite`: the path and query that a target gets, made of those of the request.
///
/// A capture may bring anything behind what the replacement begins with, so a path with dot segments fails: `/files/$1`
/// must not become `/files/../secret`.
///
/// Shape:  applied once a rule has decided for the request, so that it changes no decision.
/// Limits: `Limits.transformedURLBytesMax`.
/// Source: Application Load Balancer user guide, "Transforms for listener rules"; RFC 3986 §3.3, §3.4, §5.2.4.
public struct URLRewrite: Equatable, Sendable {
    private let rewrite: Rewrite

    /// A transform that rewrites paths with their queries.
    public init(_ rewrite: Rewrite) { self.rewrite = rewrite }

    /// Appends the path and query that a target gets to the arena of `request`, whose own are canonical.
    public func apply(to request: Head, in space: MatchSpace) -> TransformOutcome {
        let start = request.byteCount
        request.appendCopy(of: request.path)
        request.appendCopy(of: request.query)
        let text = request.range(from: start)
        switch rewrite.apply(to: text, of: request, countMax: Limits.transformedURLBytesMax, in: space) {
        case .notFound:
            request.truncate(to: start)
            return .notFound
        case .tooLong: return .failed(.bufferTooSmall)
        case .limit: return .failed(.replaceError)
        case .written(let range):
            return isPathAndQuery(request.bytes(range)) ? .written(range) : .failed(.invalidPath)
        }
    }

    /// Whether `text` is a path without dot segments, with or without a query.
    private func isPathAndQuery(_ text: Span<UInt8>) -> Bool {
        guard !text.isEmpty, text[0] == .slash else { return false }
        var isQuery = false
        var segmentStart = 1
        for index in 0..<text.count {
            guard text[index] > .space, text[index] < 0x7F, text[index] != .numberSign else { return false }
            if isQuery || index == 0 { continue }
            if text[index] == .slash || text[index] == .questionMark {
                if text.extracting(segmentStart..<index).isDotSegment { return false }
                segmentStart = index + 1
                isQuery = text[index] == .questionMark
            }
        }
        return isQuery || !text.extracting(segmentStart..<text.count).isDotSegment
    }
}

extension Span where Element == UInt8 {
    /// Whether it is `.` or `..`, whose dots may be written as escapes.
    fileprivate var isDotSegment: Bool {
        var dotCount = 0
        var index = 0
        while index < count {
            if self[index] == .dot {
                index += 1
            } else if index + 2 < count, self[index] == .percent, self[index + 1] == UInt8(ascii: "2"),
                self[index + 2].lowercased == UInt8(ascii: "e")
            {
                index += 3
            } else {
                return false
            }
            dotCount += 1
        }
        return dotCount == 1 || dotCount == 2
    }
}
