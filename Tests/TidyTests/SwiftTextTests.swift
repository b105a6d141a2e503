import Testing

@Suite struct SwiftTextTests {
    static let cases: [(String, code: String, comments: String)] = [
        ("a // b", "a     ", "  // b"),
        ("a /* b /* c */ d */ e", "a                   e", "  /* b /* c */ d */  "),
        (#"a "b // c" d"#, #"a "      " d"#, "            "),
        (#""a \" b" c"#, #""      " c"#, "          "),
        (#""a \(b + "c") d" e"#, #""   (b + " ")  " e"#, "                  "),
        ("#\"a \" b\"# c", "#\"     \"# c", "           "),
        ("#if a", "#if a", "     "),
    ]

    @Test(arguments: cases) func separates(text: String, code: String, comments: String) {
        let split = SwiftText(text)
        #expect(split.lines == [text])
        #expect(split.code == [code])
        #expect(split.comments == [comments])
    }

    @Test func keepsLines() {
        let split = SwiftText("a\n\"\"\"\n  b \" {\n  \"\"\"\n/* c\n d */\ne")
        #expect(split.lines.count == 7)
        #expect(split.code == ["a", "\"\"\"", "       ", "  \"\"\"", "    ", "     ", "e"])
        #expect(split.comments[4...5] == ["/* c", " d */"])
    }
}
