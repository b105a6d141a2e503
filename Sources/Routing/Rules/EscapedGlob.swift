import Core

/// A pattern in which `*` stands for zero or more bytes, `?` for exactly one, and `\*`, `\?` and `\\` for the
/// characters themselves. The case of ASCII letters does not matter.
///
/// Source: Application Load Balancer user guide, "Query string conditions".
struct EscapedGlob: Equatable, Sendable {
    /// What the pattern consists of: a byte in lower case, or one of the two wildcards.
    private let tokens: [UInt16]

    private static let star: UInt16 = 256
    private static let any: UInt16 = 257

    /// Compiles a pattern. A backslash before another character is a backslash.
    init(_ pattern: String) {
        var tokens: [UInt16] = []
        var isEscaped = false
        for byte in pattern.utf8 {
            switch byte {
            case .asterisk where !isEscaped: if tokens.last != Self.star { tokens.append(Self.star) }
            case .questionMark where !isEscaped: tokens.append(Self.any)
            case .backslash where !isEscaped:
                isEscaped = true
                continue
            case .asterisk, .questionMark, .backslash: tokens.append(UInt16(byte))
            default:
                if isEscaped { tokens.append(UInt16(UInt8.backslash)) }
                tokens.append(UInt16(byte.lowercased))
            }
            isEscaped = false
        }
        if isEscaped { tokens.append(UInt16(UInt8.backslash)) }
        self.tokens = tokens
    }

    /// The one text that it matches, in lower case; nil if it has wildcards.
    var literal: [UInt8]? { tokens.contains { $0 > 255 } ? nil : tokens.map { UInt8($0) } }

    /// Whether it matches all of `text`, as it is written or as a server reads it.
    func matchesWrittenOrRead(_ text: Span<UInt8>) -> Bool {
        let readings = text.queryReadings
        return matches(text, reading: .written) || readings.contains(.form) && matches(text, reading: .form)
            || readings.contains(.uri) && matches(text, reading: .uri)
    }

    /// Whether it matches all of `text`, read in this way. Its cost is that of `Glob.matches`.
    private func matches(_ text: Span<UInt8>, reading: QueryReading) -> Bool {
        var tokenIndex = 0
        var textIndex = 0
        var starIndex = -1
        var retryIndex = 0
        while textIndex < text.count {
            let (byte, next) = text.byte(at: textIndex, reading: reading)
            if tokenIndex < tokens.count, tokens[tokenIndex] == Self.star {
                starIndex = tokenIndex
                retryIndex = textIndex
                tokenIndex += 1
            } else if tokenIndex < tokens.count,
                tokens[tokenIndex] == UInt16(byte.lowercased) || tokens[tokenIndex] == Self.any
            {
                tokenIndex += 1
                textIndex = next
            } else if starIndex >= 0 {
                retryIndex = text.byte(at: retryIndex, reading: reading).next
                textIndex = retryIndex
                tokenIndex = starIndex + 1
            } else {
                return false
            }
        }
        while tokenIndex < tokens.count, tokens[tokenIndex] == Self.star { tokenIndex += 1 }
        return tokenIndex == tokens.count
    }
}

/// How a part of a query is read.
enum QueryReading: Sendable {
    /// As it is written.
    case written
    /// With escapes decoded, and `+` a space, as forms are sent. Source: URL standard, urlencoded parsing.
    case form
    /// With escapes decoded, and `+` itself. Source: RFC 3986 §2.1.
    case uri
}

/// The readings of a part of a query that differ from each other.
struct QueryReadings: Sendable {
    private let hasForm: Bool
    private let hasURI: Bool

    init(hasEscapes: Bool, hasPlus: Bool) {
        hasForm = hasEscapes || hasPlus
        hasURI = hasEscapes && hasPlus
    }

    /// Whether this one differs from those before it.
    func contains(_ reading: QueryReading) -> Bool {
        switch reading {
        case .written: true
        case .form: hasForm
        case .uri: hasURI
        }
    }
}

extension Span where Element == UInt8 {
    /// The readings of this part of a query.
    var queryReadings: QueryReadings {
        var hasEscapes = false
        var hasPlus = false
        for index in 0..<count {
            if self[index] == .percent { hasEscapes = true }
            if self[index] == .plusSign { hasPlus = true }
        }
        return QueryReadings(hasEscapes: hasEscapes, hasPlus: hasPlus)
    }

    /// The byte for which what stands at `index` of a query is read, and where the next one begins.
    func byte(at index: Int, reading: QueryReading) -> (byte: UInt8, next: Int) {
        if reading == .written { return (self[index], index + 1) }
        switch self[index] {
        case .plusSign where reading == .form: return (.space, index + 1)
        case .percent where index + 2 < count:
            guard let high = self[index + 1].hexadecimalValue, let low = self[index + 2].hexadecimalValue else {
                return (.percent, index + 1)
            }
            return (high << 4 | low, index + 3)
        default: return (self[index], index + 1)
        }
    }
}
