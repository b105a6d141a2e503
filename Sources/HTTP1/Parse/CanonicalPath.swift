import Core

/// Builds the canonical form of a path, which both routing and the target see.
///
/// Percent-encoded unreserved bytes are decoded and dot segments removed; everything else is kept: `//`, `;`, `%2F`.
/// Shape:  each segment is appended to the arena after its slash, and removed again if it was a dot segment.
/// Errors: `pathAboveRoot` if `..` leads above the root; `badPercentEncoding` for `%` without two hexadecimal digits,
///         or `%00`; `ambiguousPath` if a server that treats `%2F`, `%5C` or `\` as a slash, or cuts a segment at `;`,
///         would see a dot segment that we do not (path confusion).
/// Source: RFC 3986 §5.2.4, §6.2.2.2; docs/threats.md, "Paths".
package struct CanonicalPath {
    private let head: Head
    /// Where in the arena the path begins.
    private let base: Int
    /// Segments in the arena.
    private var depth = 0

    // The segment being read.
    /// Dots since the last character that any server treats as a separator; nil if there was another character too.
    private var dotCount: Int? = 0
    /// Whether it has a character that some servers treat as a slash.
    private var hasHiddenSlash = false
    private var hasHiddenDots = false

    /// Appends the canonical form of `path`, which begins with a slash, to the arena of `head`.
    package static func append(_ path: Span<UInt8>, to head: Head) -> Violation? {
        var canonical = CanonicalPath(head)
        return canonical.append(path)
    }

    private init(_ head: Head) {
        self.head = head
        base = head.byteCount
    }

    private mutating func append(_ path: Span<UInt8>) -> Violation? {
        var index = 0
        while index < path.count {
            let segmentStart = head.byteCount
            head.append(.slash)
            index += 1
            dotCount = 0
            hasHiddenSlash = false
            hasHiddenDots = false
            while index < path.count, path[index] != .slash {
                guard let next = appendByte(path, at: index) else { return .badPercentEncoding }
                index = next
            }
            checkDotSegment()
            if let violation = endSegment(segmentStart, isLast: index == path.count) { return violation }
        }
        return nil
    }

    /// Appends the byte or the percent-encoded byte at `index`. Returns the index after it, or nil if it is malformed.
    private mutating func appendByte(_ path: Span<UInt8>, at index: Int) -> Int? {
        let byte = path[index]
        guard byte == .percent else {
            head.append(byte)
            track(byte)
            return index + 1
        }
        guard index + 2 < path.count, let high = path[index + 1].hexadecimalValue,
            let low = path[index + 2].hexadecimalValue, high | low != 0
        else { return nil }
        let decoded = high << 4 | low
        if decoded.isUnreserved {
            head.append(decoded)
        } else {
            head.append(path.extracting(index..<index + 3))
        }
        track(decoded)
        return index + 3
    }

    private mutating func track(_ byte: UInt8) {
        switch byte {
        case .dot:
            if let count = dotCount { dotCount = count + 1 }
        case .slash, .backslash:
            hasHiddenSlash = true
            checkDotSegment()
            dotCount = 0
        case .semicolon:
            // Servers that know path parameters cut them off first, so that `..;x` is a dot segment for them.
            if dotCount == 1 || dotCount == 2 {
                hasHiddenSlash = true
                hasHiddenDots = true
            }
            dotCount = nil
        default:
            dotCount = nil
        }
    }

    /// Records whether the segment that ends here is a dot segment for some server.
    private mutating func checkDotSegment() {
        if dotCount == 1 || dotCount == 2 { hasHiddenDots = true }
    }

    /// Keeps the segment that begins at `start`, or removes it if it is a dot segment.
    private mutating func endSegment(_ start: Int, isLast: Bool) -> Violation? {
        if hasHiddenSlash {
            depth += 1
            return hasHiddenDots ? .ambiguousPath : nil
        }
        guard hasHiddenDots, let dotCount else {
            depth += 1
            return nil
        }
        head.truncate(to: start)
        if dotCount == 2 {
            guard depth > 0 else { return .pathAboveRoot }
            depth -= 1
            removeLastSegment()
        }
        if isLast { head.append(.slash) }
        return nil
    }

    private func removeLastSegment() {
        let arena = head.bytes
        var end = arena.count - 1
        while end > base, arena[end] != .slash { end -= 1 }
        head.truncate(to: end)
    }
}
