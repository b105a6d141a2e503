import Core

/// A request target without its scheme and authority, as offsets into the input. Source: RFC 9110 §4.2.1.
package struct PathAndQuery {
    /// Without the query; empty if the target has none.
    package var path = ByteRange.empty
    /// With its `?`, or empty.
    package var query = ByteRange.empty
    /// Whether the path is canonical as received; if not, `CanonicalPath` builds the canonical form.
    package var isPlain = true
    /// Whether some servers would resolve the path to another one: it has an escape, a backslash, a path parameter, or
    /// consecutive slashes. Source: `Routing.PathReading`.
    package var isPathAmbiguous = false

    init() {}

    /// Splits the bytes from `start` to `end`.
    package init(_ input: Span<UInt8>, from start: Int, to end: Int) {
        var index = start
        while true {
            index = input.endOfPlainPath(from: index, to: end)
            guard index < end, input[index] != .questionMark else { break }
            switch input[index] {
            // A dot matters only at the start of a segment.
            case .dot: if input[index - 1] == .slash { isPlain = false }
            case .percent, .backslash:
                isPlain = false
                isPathAmbiguous = true
            default: isPathAmbiguous = true
            }
            index += 1
        }
        path = ByteRange(start: start, count: index - start)
        query = ByteRange(start: index, count: end - index)
    }
}
