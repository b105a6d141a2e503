import Testing

@testable import Model

@Suite struct StringCutTests {
    @Test func shortTextIsUnchanged() {
        for text in ["", "a", String(repeating: "é", count: 32)] { #expect(text.cut(to: 64) == text) }
    }

    @Test func longTextEndsWithItsLength() {
        let cut = String(repeating: "x", count: 4 << 20).cut(to: 64)
        #expect(cut == String(repeating: "x", count: 45) + "… (4194304 bytes)")
        #expect(cut.utf8.count == 64)
        #expect(cut.cut(to: 64) == cut, "what was cut is not cut again")
        #expect(String(repeating: "x", count: 65).cut(to: 4) == "… (65 bytes)")
    }

    @Test func theCutIsBetweenTwoCharacters() {
        for shift in 0..<4 {
            let text = String(repeating: "-", count: shift) + String(repeating: "\u{1F426}", count: 200)
            let cut = text.cut(to: 100)
            #expect(cut.hasSuffix("\u{1F426}… (\(800 + shift) bytes)") && cut.utf8.count <= 100)
        }
    }
}
