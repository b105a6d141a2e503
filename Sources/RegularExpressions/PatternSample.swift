/// A text that a pattern matches, roughly, cut into the parts that its items match; so that each can be repeated.
///
/// It reads patterns with less care than PCRE2 does: of alternatives it takes the first, of repetitions one, of classes
/// a first member, and what it does not know it passes over. That is enough to find texts on which backtracking costs
/// much: whether they do is measured.
struct PatternSample {
    /// What an item or a group matches, and what stands before and behind it.
    struct Part: Hashable {
        var before: [UInt8]
        var text: [UInt8]
        var after: [UInt8]
    }

    /// Every item and every group, in the order in which they end.
    private(set) var parts: [Part] = []
    private let pattern: [UInt8]
    private var index = 0
    private var depth = 0
    /// What the pattern matches, as far as it was read.
    private var text: [UInt8] = []
    /// What each part matches, what stands before it, and where in `text` what stands behind it begins.
    private var drafts: [(before: [UInt8], text: [UInt8], end: Int)] = []

    /// Reads `pattern`.
    init(_ pattern: String) {
        self.pattern = Array(pattern.utf8)
        while index < self.pattern.count {
            readAlternatives()
            // A parenthesis too many.
            index += 1
        }
        parts = drafts.map { Part(before: $0.before, text: $0.text, after: Array(text.dropFirst($0.end))) }
    }

    /// Reads up to the end of a group, or of the pattern. The first alternative is kept; all of them one after the
    /// other are a part as well, since a repetition may take each.
    private mutating func readAlternatives() {
        depth += 1
        defer { depth -= 1 }
        let start = text.count
        var first: [UInt8]?
        var all: [UInt8] = []
        while index < pattern.count, pattern[index] != UInt8(ascii: ")") {
            guard pattern[index] == UInt8(ascii: "|") else {
                readItem()
                continue
            }
            index += 1
            all += text[start...]
            if first == nil { first = Array(text[start...]) }
            text.removeSubrange(start...)
        }
        guard let first else { return }
        all += text[start...]
        text.replaceSubrange(start..., with: first)
        note(all, from: start)
    }

    /// Notes that what matches `part` begins at `start`.
    private mutating func note(_ part: [UInt8], from start: Int) {
        if !part.isEmpty { drafts.append((Array(text[..<start]), part, text.count)) }
    }

    private mutating func readItem() {
        let start = text.count
        let byte = pattern[index]
        index += 1
        switch byte {
        case UInt8(ascii: "("):
            skipGroupPrefix()
            if depth < 100 { readAlternatives() }
            if index < pattern.count { index += 1 }
        case UInt8(ascii: "["): readClass()
        case UInt8(ascii: "\\"): readEscape()
        case UInt8(ascii: "."): text.append(UInt8(ascii: "a"))
        case UInt8(ascii: "^"), UInt8(ascii: "$"): return
        case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"): return
        case UInt8(ascii: "{"):
            if let end = pattern[index...].firstIndex(of: UInt8(ascii: "}")),
                pattern[index..<end].allSatisfy({ $0 == UInt8(ascii: ",") || (48...57).contains($0) }), end > index
            {
                index = end + 1
                return
            }
            text.append(byte)
        default: text.append(byte)
        }
        note(Array(text[start...]), from: start)
    }

    /// Passes over what says of which kind a group is: `?:`, `?<name>`, `?=` and the like.
    private mutating func skipGroupPrefix() {
        guard index < pattern.count, pattern[index] == UInt8(ascii: "?") else { return }
        index += 1
        while index < pattern.count {
            let byte = pattern[index]
            if byte == UInt8(ascii: ")") { return }
            index += 1
            if byte == UInt8(ascii: ":") || byte == UInt8(ascii: "=") || byte == UInt8(ascii: "!")
                || byte == UInt8(ascii: ">")
            {
                return
            }
        }
    }

    /// Reads a class up to its bracket; a member of it is appended.
    private mutating func readClass() {
        var isNegated = false
        if index < pattern.count, pattern[index] == UInt8(ascii: "^") {
            isNegated = true
            index += 1
        }
        var members: [UInt8] = []
        var isFirst = true
        while index < pattern.count, pattern[index] != UInt8(ascii: "]") || isFirst {
            isFirst = false
            if pattern[index] == UInt8(ascii: "\\"), index + 1 < pattern.count {
                index += 1
                members += Self.member(ofEscape: pattern[index])
            } else {
                members.append(pattern[index])
            }
            index += 1
        }
        index += 1
        if isNegated {
            let candidates = Array("a0-_/ !".utf8)
            text.append(candidates.first { !members.contains($0) } ?? UInt8(ascii: "~"))
        } else {
            text.append(members.first ?? UInt8(ascii: "a"))
        }
    }

    private mutating func readEscape() {
        guard index < pattern.count else { return }
        text += Self.member(ofEscape: pattern[index])
        index += 1
    }

    /// A byte that an escape stands for; none for those that match no byte.
    private static func member(ofEscape byte: UInt8) -> [UInt8] {
        switch byte {
        case UInt8(ascii: "d"): [UInt8(ascii: "1")]
        case UInt8(ascii: "w"), UInt8(ascii: "D"), UInt8(ascii: "S"), UInt8(ascii: "N"): [UInt8(ascii: "a")]
        case UInt8(ascii: "s"), UInt8(ascii: "h"), UInt8(ascii: "W"): [UInt8(ascii: " ")]
        case UInt8(ascii: "b"), UInt8(ascii: "B"), UInt8(ascii: "A"), UInt8(ascii: "z"), UInt8(ascii: "Z"),
            UInt8(ascii: "G"), UInt8(ascii: "K"):
            []
        default: [byte]
        }
    }
}
