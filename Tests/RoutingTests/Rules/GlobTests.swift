import Core
import Testing

@testable import Routing

/// A reference implementation by the definition, against which the fast matchers are tested.
func referenceMatches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
    // row[i]: whether the pattern so far matches the first i bytes.
    var row = [true] + [Bool](repeating: false, count: text.count)
    for byte in pattern {
        var next = [Bool](repeating: false, count: text.count + 1)
        if byte == UInt8(ascii: "*") { next[0] = row[0] }
        for index in text.indices {
            next[index + 1] =
                switch byte {
                case UInt8(ascii: "*"): next[index] || row[index + 1]
                case UInt8(ascii: "?"): row[index]
                default: row[index] && byte == text[index]
                }
        }
        row = next
    }
    return row[text.count]
}

/// `Glob.matches` for arrays, since `#expect` cannot capture a span.
private func globMatches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool { Glob.matches(pattern.span, text.span) }

/// Bytes as text, for messages.
func asText(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite struct GlobTests {
    static let cases: [(pattern: String, text: String, isMatch: Bool)] = [
        ("", "", true), ("", "a", false), ("*", "", true), ("*", "anything", true), ("?", "", false), ("?", "a", true),
        ("?", "ab", false), ("**", "", true), ("*?", "", false), ("*?", "a", true), ("?*", "abc", true),
        ("/img/*", "/img", false), ("/img/*", "/img/", true), ("/img/*", "/img/a/b", true),
        ("*.png", ".png", true), ("*.png", "/a.png", true), ("*.png", "/a.png.gz", false),
        ("*.png", "/a.png/b.png", true), ("a*b*c", "abc", true), ("a*b*c", "aXbYc", true), ("a*b*c", "acb", false),
        ("a*b", "ab*b", true), ("a*", "*", false), ("/a?c", "/a/c", true), ("/a?c", "/ac", false),
        ("*aab", "aaaab", true), ("*aab*", "aaaba", true), ("*ab?", "abab", false), ("*ab?", "ababc", true),
        ("a", "?", false), ("a", "*", false), ("Img", "img", false),
    ]

    @Test(arguments: cases) func table(_ pattern: String, _ text: String, _ isMatch: Bool) {
        #expect(globMatches(Array(pattern.utf8), Array(text.utf8)) == isMatch)
        #expect(globMatches(Glob.simplified(Array(pattern.utf8)), Array(text.utf8)) == isMatch)
        #expect(referenceMatches(Array(pattern.utf8), Array(text.utf8)) == isMatch)
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>) func agreesWithTheReference(_ seed: UInt64) {
        var random = FastRandom(seed: seed)
        var matchCount = 0
        for _ in 0..<5000 {
            let pattern = randomText(from: "ab*?", upTo: 8, &random)
            let text = randomText(from: "ab", upTo: 10, &random)
            let expected = referenceMatches(pattern, text)
            matchCount += expected ? 1 : 0
            #expect(globMatches(pattern, text) == expected, "\(asText(pattern)) \(asText(text))")
            let simplified = Glob.simplified(pattern)
            #expect(globMatches(simplified, text) == expected, "\(asText(pattern)) \(asText(text))")
        }
        #expect(matchCount > 500 && matchCount < 4500)
    }

    /// Exponential for a matcher that backtracks into every star.
    @Test(.timeLimit(.minutes(1))) func manyStarsStayCheap() {
        let pattern = [UInt8]((String(repeating: "*a", count: 60) + "*b").utf8)
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 16_384)
        #expect(!globMatches(pattern, text))
        #expect(globMatches(pattern, (text + [UInt8(ascii: "b")])))
    }

    static let kinds: [(pattern: String, kind: Glob.Kind)] = [
        ("", .literal), ("/a", .literal), ("*", .any), ("***", .any), ("/a/*", .prefix), ("/a/**", .prefix),
        ("*.a", .suffix), ("**.a", .suffix), ("*a*", .wild), ("a*a", .wild), ("/a?", .wild),
        ("?", .wild), ("*?", .wild),
    ]

    @Test(arguments: kinds) func kind(_ pattern: String, _ kind: Glob.Kind) {
        #expect(Glob.kind(of: Glob.simplified(Array(pattern.utf8))) == kind)
    }
}

/// Zero to `countMax` bytes drawn from `alphabet`.
func randomText(from alphabet: String, upTo countMax: Int, _ random: inout FastRandom) -> [UInt8] {
    let bytes = Array(alphabet.utf8)
    return (0..<random.next(below: countMax + 1)).map { _ in bytes[random.next(below: bytes.count)] }
}
