import Core
import Testing

@testable import Routing

@Suite struct EscapedGlobTests {
    private func matches(_ pattern: String, _ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return EscapedGlob(pattern).matchesWrittenOrRead(bytes.span)
    }

    @Test(arguments: [
        ("", "", true), ("", "a", false), ("*", "", true), ("?", "", false), ("?", "a", true), ("a?c", "ABC", true),
        ("*b*", "abc", true), ("*b*", "ac", false), ("a*a", "a", false), ("a**a", "aa", true),
        ("*a*b*c", "xaxbxc", true), ("*a*b*c", "xbxaxc", false),
    ]) func wildcardsStandForBytes(_ pattern: String, _ text: String, isMatch: Bool) {
        #expect(matches(pattern, text) == isMatch)
    }

    @Test(arguments: [
        (#"\*"#, "*", true), (#"\*"#, "a", false), (#"\?"#, "?", true), (#"\?"#, "a", false), (#"\\"#, #"\"#, true),
        (#"\\*"#, #"\abc"#, true), (#"\a"#, #"\a"#, true), (#"\a"#, "a", false), (#"a\"#, #"a\"#, true),
    ]) func aBackslashTakesAWildcardAsItIs(_ pattern: String, _ text: String, isMatch: Bool) {
        #expect(matches(pattern, text) == isMatch)
    }

    /// A server decodes what it reads: a rule that denies must not be walked around by escapes.
    @Test(arguments: [
        ("secret", "s%65cret", true), ("a b", "a+b", true), ("a b", "a%20b", true), ("a+b", "a+b", true),
        ("100%", "100%", true), ("100%", "100%25", true), ("a%2", "a%2", true), ("a%zz", "a%zz", true),
        ("?", "%41", true), ("???", "%41", true), ("??", "%41", false), ("*c", "%61%62%63", true),
    ]) func textMatchesAsItIsWrittenOrRead(_ pattern: String, _ text: String, isMatch: Bool) {
        #expect(matches(pattern, text) == isMatch)
    }

    @Test func onlyWithoutWildcardsIsItALiteral() {
        #expect(EscapedGlob("AbC").literal == Array("abc".utf8))
        #expect(EscapedGlob(#"a\*b"#).literal == Array("a*b".utf8))
        #expect(EscapedGlob("a*b").literal == nil && EscapedGlob("a?").literal == nil)
    }

    /// A star that is tried again and again costs no more than length times length.
    @Test func hostilePatternsCostLittle() {
        let pattern = String(repeating: "*a", count: 60) + "b"
        #expect(!matches(pattern, String(repeating: "a", count: 5000)))
        #expect(!matches(pattern, String(repeating: "%61", count: 2000)))
    }
}
