import Testing

@testable import RegularExpressions

@Suite struct RegularExpressionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let pattern: String, text: String, ignoresCase: Bool, outcome: RegularExpression.Outcome
        init(_ pattern: String, _ text: String, ignoresCase: Bool = false, _ outcome: RegularExpression.Outcome) {
            self.pattern = pattern
            self.text = text
            self.ignoresCase = ignoresCase
            self.outcome = outcome
        }
        var testDescription: String { "\(pattern) in \(text.prefix(40))" }
    }

    static let long = String(repeating: "a", count: 16_000)

    static let cases = [
        Case("b", "abc", .found), Case("^b", "abc", .notFound), Case("c$", "abc", .found), Case("b$", "abc", .notFound),
        Case("B", "abc", .notFound), Case("B", "abc", ignoresCase: true, .found), Case("(?-i)B", "abc", .notFound),
        Case("^$", "", .found), Case("a", "", .notFound), Case("x*", "", .found),
        Case("^(?!/admin)", "/a", .found), Case("^(?!/admin)", "/admin", .notFound),
        // Without a line feed at the end of which `$` could think otherwise.
        Case("a$", "a\n", .notFound), Case("^\\xC3", "\u{E9}", .found),
        // Long texts are searched window by window.
        Case("b", long, .notFound), Case("b", long + "b", .found), Case("^a+$", long, .found),
        Case("(?<=a)b", long + "b", .found), Case("aab$", long + "b", .found), Case("a$", long, .found),
        Case("$", long, .found), Case("b*$", long, .found), Case("a{31}b", long + "b", .found),
        Case("\\bc", long + " c", .found), Case("ab.*c", long + "b" + long + "c", .found),
        // What would take for ever.
        Case("^(a+)+$", long + "!", .limit), Case("(a+)+$", String(repeating: "a", count: 40) + "!", .limit),
        Case("(a+)+$", long + "!", .limit), Case("^((a|b)*)*$", long + "!", .limit),
    ]

    @Test(arguments: cases) func searches(_ test: Case) throws {
        let expression = try RegularExpression(test.pattern, ignoresCase: test.ignoresCase)
        let space = MatchSpace()
        for expression in [expression, RegularExpression(copying: expression)] {
            space.beginDecision()
            let outcome = expression.search(Array(test.text.utf8).span, in: space)
            #expect(outcome == test.outcome)
        }
    }

    @Test func groupsLieInTheText() throws {
        let space = MatchSpace()
        let expression = try RegularExpression("^/(a)(x)?(.*)$", ignoresCase: false)
        #expect(expression.captureCount == 3)
        #expect(expression.search(Array("/abc".utf8).span, in: space) == .found)
        #expect(space.capture(0) == 0..<4)
        #expect(space.capture(1) == 1..<2)
        #expect(space.capture(2) == nil)
        #expect(space.capture(3) == 2..<4)
        #expect(space.capture(9) == nil)
    }

    @Test func moreThanNineGroupsAreFound() throws {
        let expression = try RegularExpression("(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)(b)", ignoresCase: false)
        let space = MatchSpace()
        #expect(expression.captureCount == 11)
        #expect(expression.search(Array("aaaaaaaaaab".utf8).span, in: space) == .found)
        #expect(space.capture(9) == 8..<9)
    }

    @Test(arguments: [
        ("a(b", "missing closing parenthesis", 3), ("[a", "missing terminating ] for character class", 2),
        ("*a", "quantifier does not follow a repeatable item", 0), ("a\\", "\\ at end of pattern", 2),
        ("(*UTF)a", "verbs in (*…) are not supported", 0),
        ("a[^]](*F)", "verbs in (*…) are not supported", 5),
        ("[(*]\\Q(*\\E\\((*:a)", "verbs in (*…) are not supported", 12),
    ])
    func saysWhereAMistakeIs(_ pattern: String, _ message: String, _ offset: Int) {
        #expect(RegularExpression.mistake(in: pattern) == RegularExpressionError(message: message, offset: offset))
        #expect(throws: RegularExpressionError(message: message, offset: offset)) {
            try RegularExpression(pattern, ignoresCase: false)
        }
    }

    @Test(arguments: ["\\(*", "[(*]", "[](*]", "[^](*]", "\\Q(*\\E", "\\\\\\(*", "[\\](*]", "(a)*"])
    func whatIsNoVerbIsTaken(_ pattern: String) {
        #expect(RegularExpression.mistake(in: pattern) == nil)
    }

    /// However many rules there are, what their expressions need for one request is bounded.
    @Test func searchesOfADecisionHaveOneAccount() throws {
        let expression = try RegularExpression("^(a+)+$", ignoresCase: false)
        let space = MatchSpace()
        // Of some length on there is no match that a few steps could rule out, and more can.
        var text: [UInt8] = []
        for length in 4..<40 where text.isEmpty {
            let tried = Array((String(repeating: "a", count: length) + "!").utf8)
            space.beginDecision()
            guard expression.search(tried.span, in: space) == .notFound else { break }
            if (0..<2_000).contains(where: { _ in expression.search(tried.span, in: space) == .limit }) { text = tried }
        }
        #expect(!text.isEmpty, "the account is never empty")
        let plain = try RegularExpression("^aa", ignoresCase: false)
        #expect(plain.search(text.span, in: space) == .found, "what needs few steps takes nothing of it")
        space.beginDecision()
        #expect(expression.search(text.span, in: space) == .notFound)
    }

    @Test func verdictsHoldForOneDecision() {
        let space = MatchSpace()
        #expect(space.verdict(0) == nil)
        space.note(1, 0)
        #expect(space.verdict(0) == nil, "no condition has this number")
        space.beginDecision(conditionCount: 3)
        space.note(2, 2)
        #expect(space.verdict(2) == 2 && space.verdict(1) == nil && space.verdict(3) == nil)
        space.beginDecision(conditionCount: 3)
        #expect(space.verdict(2) == nil)
    }

    @Test func equalPatternsAreEqual() throws {
        let one = try RegularExpression("a", ignoresCase: false)
        #expect(try one == RegularExpression("a", ignoresCase: false))
        #expect(try one != RegularExpression("a", ignoresCase: true))
        #expect(try one != RegularExpression("b", ignoresCase: false))
        #expect(RegularExpression.mistake(in: "a") == nil)
    }

    /// Each search is bounded, but a decision may need thousands: on texts as long as these, minutes.
    @Test func aDecisionIsOutOfTimeAtSomePoint() throws {
        let expression = try RegularExpression("(a|b|c|ab|bc)+[0-9]x", ignoresCase: false)
        let text =
            [UInt8](repeating: UInt8(ascii: "a"), count: 3) + [UInt8](repeating: UInt8(ascii: "z"), count: 16_000)
        let space = MatchSpace()
        space.beginDecision()
        let outcomes = (0..<100_000).lazy.map { _ in expression.search(text.span, in: space) }
        #expect(outcomes.first { $0 != .notFound } == .limit)
        #expect(expression.search([UInt8(ascii: "a")].span, in: space) == .limit, "nothing more is searched")
        space.beginDecision()
        #expect(expression.search(text.span, in: space) == .notFound, "the next decision begins anew")
    }
}
