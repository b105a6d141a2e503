import Core

/// Patterns in which `*` stands for zero or more bytes and `?` for exactly one.
///
/// There is no escape, and neither `/` nor `.` stops a star. Source: docs/elbv2.md, "Conditions".
enum Glob {
    /// What a pattern is to the rule table: the simpler, the faster.
    enum Kind: Equatable {
        /// Matches everything.
        case any
        /// Matches itself only.
        case literal
        /// Matches what begins with the bytes before its one star, which is the last byte.
        case prefix
        /// Matches what ends with the bytes after its one star, which is the first byte.
        case suffix
        /// Must be matched byte by byte.
        case wild
    }

    /// `pattern` with runs of stars made one star, which means the same and is matched faster.
    static func simplified(_ pattern: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        for byte in pattern where byte != .asterisk || result.last != .asterisk { result.append(byte) }
        return result
    }

    /// What a simplified pattern is.
    static func kind(of pattern: [UInt8]) -> Kind {
        guard !pattern.contains(.questionMark) else { return .wild }
        let starCount = pattern.count { $0 == .asterisk }
        switch (starCount, pattern.first == .asterisk, pattern.last == .asterisk) {
        case (0, _, _): return .literal
        case (1, true, true): return .any
        case (1, false, true): return .prefix
        case (1, true, false): return .suffix
        default: return .wild
        }
    }

    /// Whether any of `patterns` matches all of `text`. With `ignoresCase` the patterns are in lower case.
    static func matchesAny(of patterns: [[UInt8]], _ text: Span<UInt8>, ignoresCase: Bool = false) -> Bool {
        // Iterating over the array would count a reference for each pattern.
        let patterns = patterns.span
        for index in patterns.indices where matches(patterns[index].span, text, ignoresCase: ignoresCase) {
            return true
        }
        return false
    }

    /// Whether `pattern` matches all of `text`. With `ignoresCase` the pattern is in lower case.
    ///
    /// Only the last star is ever retried: an earlier one that took its shortest match leaves the later ones
    /// every choice they could have. So the cost is at most the product of the two lengths, never exponential.
    @inline(__always) static func matches(
        _ pattern: Span<UInt8>, _ text: Span<UInt8>, ignoresCase: Bool = false
    ) -> Bool {
        var patternIndex = 0
        var textIndex = 0
        var starIndex = -1
        var retryIndex = 0
        while textIndex < text.count {
            // A star is looked for first: in the text, an asterisk is a byte like any other.
            if patternIndex < pattern.count, pattern[patternIndex] == .asterisk {
                starIndex = patternIndex
                retryIndex = textIndex
                patternIndex += 1
            } else if patternIndex < pattern.count,
                pattern[patternIndex] == (ignoresCase ? text[textIndex].lowercased : text[textIndex])
                    || pattern[patternIndex] == .questionMark
            {
                patternIndex += 1
                textIndex += 1
            } else if starIndex >= 0 {
                retryIndex += 1
                textIndex = retryIndex
                patternIndex = starIndex + 1
            } else {
                return false
            }
        }
        while patternIndex < pattern.count, pattern[patternIndex] == .asterisk { patternIndex += 1 }
        return patternIndex == pattern.count
    }
}
