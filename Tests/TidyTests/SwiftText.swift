/// A Swift source, split into code and comments.
///
/// Shape: `code` has the file's lines with comments and the inside of string literals blanked, so that braces and words
///        in it are code; `comments` has the lines with all but comments blanked. Columns stay where they were.
struct SwiftText: Sendable {
    /// The unchanged lines.
    let lines: [String]
    /// The lines with comments and literals blanked.
    let code: [String]
    /// The lines with everything but comments blanked.
    let comments: [String]

    init(_ text: String) {
        var scanner = Scanner(text)
        scanner.run()
        lines = Self.split(Array(text.unicodeScalars))
        code = Self.split(scanner.code)
        comments = Self.split(scanner.comments)
    }

    private static func split(_ scalars: [Unicode.Scalar]) -> [String] {
        scalars.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var text = String.UnicodeScalarView()
            text.append(contentsOf: line)
            return String(text)
        }
    }
}

/// Reads a source once and assigns each character to code or comments.
private struct Scanner {
    private let input: [Unicode.Scalar]
    private var index = 0
    private(set) var code: [Unicode.Scalar] = []
    private(set) var comments: [Unicode.Scalar] = []

    init(_ text: String) { input = Array(text.unicodeScalars) }

    mutating func run() {
        while index < input.count { step() }
    }

    private mutating func step() {
        if starts(with: "//") {
            while index < input.count && input[index] != "\n" { comment() }
        } else if starts(with: "/*") {
            blockComment()
        } else if input[index] == "\"" || (input[index] == "#" && literalFollowsHashes) {
            literal()
        } else {
            keep()
        }
    }

    private func starts(with text: String) -> Bool {
        var position = index
        for scalar in text.unicodeScalars {
            guard position < input.count, input[position] == scalar else { return false }
            position += 1
        }
        return true
    }

    private var literalFollowsHashes: Bool {
        input[index...].first { $0 != "#" } == "\""
    }

    private mutating func keep() {
        code.append(input[index])
        comments.append(input[index] == "\n" ? "\n" : " ")
        index += 1
    }

    private mutating func comment() {
        comments.append(input[index])
        code.append(input[index] == "\n" ? "\n" : " ")
        index += 1
    }

    private mutating func blank() {
        let scalar: Unicode.Scalar = input[index] == "\n" ? "\n" : " "
        code.append(scalar)
        comments.append(scalar)
        index += 1
    }

    private mutating func blockComment() {
        var depth = 0
        repeat {
            if starts(with: "/*") {
                depth += 1
                comment()
            } else if starts(with: "*/") {
                depth -= 1
                comment()
            }
            comment()
        } while depth > 0 && index < input.count
    }

    private mutating func literal() {
        let hashes = input[index...].prefix { $0 == "#" }.count
        let fence = String(repeating: "#", count: hashes)
        for _ in 0..<hashes { keep() }
        let quotes = starts(with: "\"\"\"") ? "\"\"\"" : "\""
        for _ in 0..<quotes.unicodeScalars.count { keep() }
        while index < input.count {
            if starts(with: quotes + fence) {
                for _ in 0..<(quotes.unicodeScalars.count + hashes) { keep() }
                return
            }
            if starts(with: "\\" + fence + "(") {
                for _ in 0..<(1 + hashes) { blank() }
                interpolation()
            } else if starts(with: "\\" + fence) {
                for _ in 0..<(2 + hashes) where index < input.count { blank() }
            } else {
                blank()
            }
        }
    }

    /// An interpolation: what stands between its parentheses is code.
    private mutating func interpolation() {
        var depth = 0
        repeat {
            if input[index] == "(" { depth += 1 }
            if input[index] == ")" { depth -= 1 }
            step()
        } while depth > 0 && index < input.count
    }
}
