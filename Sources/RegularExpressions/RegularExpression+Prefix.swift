extension RegularExpression {
    /// The bytes with which every text begins that an anchored pattern can match, as far as they can be read off it; in
    /// lower case if case does not matter. Most texts differ from the patterns of most rules there, and to compare a
    /// few bytes costs a twentieth of what PCRE2 takes to begin.
    static func literalPrefix(of pattern: String, isAnchored: Bool, ignoresCase: Bool) -> [UInt8] {
        let bytes = Array(pattern.utf8)
        // With alternatives the first may not be the one that matches.
        guard isAnchored, bytes.first == UInt8(ascii: "^"), !bytes.contains(UInt8(ascii: "|")) else { return [] }
        var prefix: [UInt8] = []
        var next = 1
        while next < bytes.count {
            // Behind a backslash, what is no letter, digit or control character stands for itself: pcre2pattern(3).
            let isEscaped =
                bytes[next] == UInt8(ascii: "\\") && next + 1 < bytes.count && isPunctuation(bytes[next + 1])
            if isEscaped { next += 1 }
            guard isEscaped || isLiteral(bytes[next]) else { break }
            prefix.append(ignoresCase ? lowercased(bytes[next]) : bytes[next])
            next += 1
        }
        // What a quantifier follows may be missing. PCRE2 passes over quotes and comments between the two.
        let rest = bytes[next...]
        let isBeforeQuantifier =
            rest.first.map { "*+?{".utf8.contains($0) } ?? false
            || ["\\E", "\\Q", "(?"].contains { rest.starts(with: $0.utf8) }
        if isBeforeQuantifier { _ = prefix.popLast() }
        return prefix
    }

    /// Whether `text` begins as every text does that it can match.
    func mayMatch(_ text: Span<UInt8>) -> Bool {
        guard text.count >= prefix.count else { return false }
        for index in prefix.indices {
            let byte = ignoresCase ? Self.lowercased(text[index]) : text[index]
            if byte != prefix[index] { return false }
        }
        return true
    }

    /// Whether a byte of a pattern stands for itself wherever it is.
    private static func isLiteral(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: "/-_~%,;=@&!:".utf8.contains(byte)
        }
    }

    private static func isPunctuation(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "!")...UInt8(ascii: "/"), UInt8(ascii: ":")...UInt8(ascii: "@"),
            UInt8(ascii: "[")...UInt8(ascii: "`"), UInt8(ascii: "{")...UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}
