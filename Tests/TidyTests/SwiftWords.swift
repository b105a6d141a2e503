/// The tokens of a Swift source in order, without comments and literals.
struct SwiftWords {
    /// A word such as `static`, or a single sign.
    struct Token {
        let text: String
        let isWord: Bool
        /// Counted from 1.
        let line: Int
    }

    let tokens: [Token]

    init(_ text: SwiftText) {
        var tokens: [Token] = []
        for (index, line) in text.code.enumerated() {
            var word = ""
            func endWord() {
                if !word.isEmpty { tokens.append(Token(text: word, isWord: true, line: index + 1)) }
                word = ""
            }
            for byte in line.utf8 {
                let character = Character(Unicode.Scalar(byte))
                if byte == 0x5F || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) || byte >= 0x80 {
                    word.append(character)
                } else {
                    endWord()
                    if byte == 0x20 || byte == 0x60 { continue }
                    tokens.append(Token(text: String(character), isWord: false, line: index + 1))
                }
            }
            endWord()
        }
        self.tokens = tokens
    }

    /// The text of the token at `index`; empty if there is none.
    subscript(_ index: Int) -> String { tokens.indices.contains(index) ? tokens[index].text : "" }

    /// The index of the bracket that closes the one at `index`.
    func end(ofBracketAt index: Int) -> Int {
        var depth = 0
        for position in index..<tokens.count {
            if ["(", "[", "{"].contains(self[position]) { depth += 1 }
            if [")", "]", "}"].contains(self[position]) { depth -= 1 }
            if depth == 0 { return position }
        }
        return tokens.count
    }

    /// The cases that the `case` at `index` declares; none if it is part of a switch or a condition.
    func casesDeclared(at index: Int) -> [Int] {
        var cases: [Int] = []
        var position = index + 1
        while tokens.indices.contains(position), tokens[position].isWord {
            cases.append(position)
            position += 1
            if self[position] == "(" { position = end(ofBracketAt: position) + 1 }
            if self[position] == "=" { position = end(ofValueAt: position) }
            guard self[position] == "," else { break }
            position += 1
        }
        // A pattern continues after its names, at least with a colon.
        let isLast = position >= tokens.count || self[position] == "}" || !isOnLine(of: position - 1, position)
        return isLast ? cases : []
    }

    private func isAssignment(at index: Int) -> Bool {
        self[index] == "=" && self[index + 1] != "=" && !["=", "!", "<", ">", "~"].contains(self[index - 1])
    }

    /// The index after the raw value that follows `=` at `index`.
    private func end(ofValueAt index: Int) -> Int {
        var position = index + 1
        while isOnLine(of: index, position), self[position] != "," { position += 1 }
        return position
    }

    func isOnLine(of one: Int, _ other: Int) -> Bool {
        tokens.indices.contains(other) && tokens[one].line == tokens[other].line
    }

    /// The tokens of the patterns after `case` in switches and conditions.
    var patterns: [Range<Int>] {
        tokens.indices.compactMap { index in
            guard self[index] == "case", casesDeclared(at: index).isEmpty else { return nil }
            var end = index
            while end < tokens.count, self[end] != ":", self[end] != "in", !isAssignment(at: end) {
                end = ["(", "[", "{"].contains(self[end]) ? self.end(ofBracketAt: end) + 1 : end + 1
            }
            return index..<min(end, tokens.count)
        }
    }
}
