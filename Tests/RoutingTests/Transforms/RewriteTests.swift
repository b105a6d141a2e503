import Core
import RegularExpressions
import Testing

@testable import Routing

@Suite struct RewriteTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let regex: String, replace: String, text: String, result: String?
        init(_ regex: String, _ replace: String, _ text: String, _ result: String?) {
            self.regex = regex
            self.replace = replace
            self.text = text
            self.result = result
        }
        var testDescription: String { "\(regex) → \(replace) in \(text)" }
    }

    static let cases = [
        Case("^/dp/([A-Za-z0-9]+)/?$", "/product.php?id=$1", "/dp/B09/", "/product.php?id=B09"),
        Case("^mywebsite-(.+).com$", "internal.dev.$1.myweb.com", "mywebsite-a.com", "internal.dev.a.myweb.com"),
        Case("b", "x", "abcb", "axcb"), Case("b", "", "abc", "ac"), Case("x", "y", "abc", nil),
        Case("^", "/p", "/a", "/p/a"), Case("$", "!", "/a", "/a!"), Case("(a)(b)?", "<$2$1$0>", "ac", "<aa>c"),
        Case("a", "$$1", "a", "$1"), Case("(a)", "${1}1", "a", "a1"), Case("a", "$", "a", "$"),
        Case("a", "$x${", "a", "$x${"), Case("a", "${x}", "a", "${x}"), Case("(.*)", "$1$1", "ab", "abab"),
    ]

    @Test(arguments: cases) func replacesTheFirstMatch(_ test: Case) throws {
        let rewrite = Rewrite(try RegularExpression(test.regex, ignoresCase: false), replacement: test.replace)
        let head = Head()
        head.append("before")
        let text = head.append(Array(test.text.utf8).span)
        let outcome = rewrite.apply(to: text, of: head, countMax: 100, in: MatchSpace())
        guard case .written(let range) = outcome else { return #expect(test.result == nil && outcome == .notFound) }
        #expect(head.bytes(range).text == test.result)
        #expect(head.bytes(text).text == test.text)
    }

    @Test func hasALimit() throws {
        let rewrite = Rewrite(try RegularExpression("(.*)", ignoresCase: false), replacement: "$1$1")
        let head = Head()
        let text = head.append("abcd")
        #expect(rewrite.apply(to: text, of: head, countMax: 7, in: MatchSpace()) == .tooLong)
        #expect(head.byteCount == 4)
        guard case .written = rewrite.apply(to: text, of: head, countMax: 8, in: MatchSpace()) else {
            Issue.record("eight bytes fit")
            return
        }
    }

    @Test func aSearchThatIsGivenUpWritesNothing() throws {
        let rewrite = Rewrite(try RegularExpression("^(a+)+$", ignoresCase: false), replacement: "b")
        let head = Head()
        let text = head.append(Array((String(repeating: "a", count: 99) + "!").utf8).span)
        #expect(rewrite.apply(to: text, of: head, countMax: 1000, in: MatchSpace()) == .limit)
        #expect(head.byteCount == 100)
    }
}
