import Core
import Testing

@testable import Telemetry

@Suite struct BufferEscapingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let input: [UInt8]
        let quoted: String
        let bare: String
        let json: String
        var testDescription: String { quoted }

        init(_ input: String, _ quoted: String, bare: String? = nil, json: String) {
            self.init(Array(input.utf8), quoted, bare: bare, json: json)
        }

        init(_ input: [UInt8], _ quoted: String, bare: String? = nil, json: String) {
            self.input = input
            self.quoted = quoted
            self.bare = bare ?? quoted
            self.json = json
        }
    }

    static let cases = [
        Case("", "", json: ""),
        Case("curl/8.1", "curl/8.1", json: "curl/8.1"),
        Case("a b", "a b", bare: #"a\x20b"#, json: "a b"),
        Case(
            "\" - - forged \"", #"\x22 - - forged \x22"#, bare: #"\x22\x20-\x20-\x20forged\x20\x22"#,
            json: #"\" - - forged \""#),
        Case(
            "a\r\nhttp 2026", #"a\x0D\x0Ahttp 2026"#, bare: #"a\x0D\x0Ahttp\x202026"#,
            json: #"a\u000d\u000ahttp 2026"#),
        Case(#"\x22"#, #"\x5Cx22"#, json: #"\\x22"#),
        Case("\u{1B}[31m", #"\x1B[31m"#, json: #"\u001b[31m"#),
        Case("é", #"\xC3\xA9"#, json: #"\u00c3\u00a9"#),
        Case([0xFF, 0x00, 0x7F, 0x7E], #"\xFF\x00\x7F~"#, json: #"\u00ff\u0000\u007f~"#),
    ]

    @Test(arguments: cases) func escapes(_ test: Case) {
        #expect(escaped(test.input, .quoted) == test.quoted)
        #expect(escaped(test.input, .bare) == test.bare)
        #expect(escaped(test.input, .json) == test.json)
    }

    /// What the table cannot state: whatever bytes come, the result is printable ASCII, has no quote that could end
    /// the field, and in bare fields no space.
    @Test func noByteEndsAFieldOrALine() {
        for byte in UInt8.min...UInt8.max {
            for escaping in [Escaping.quoted, .bare, .json] {
                let text = Array(escaped([byte], escaping).utf8)
                #expect(text.allSatisfy { (0x20...0x7E).contains($0) })
                #expect(text.count == escaping.width(byte))
                #expect(!text.contains(.quote) || (escaping == .json && text == [.backslash, .quote]))
                if escaping == .bare { #expect(!text.contains(.space)) }
            }
        }
    }

    /// Every limit, over a text whose characters have every width: never longer, and never cut inside a character.
    @Test(arguments: [Escaping.quoted, .bare, .json]) func cutsBetweenCharacters(_ escaping: Escaping) {
        let input: [UInt8] = Array("ab\"c\u{1}d\\".utf8)
        let whole = escaped(input, escaping)
        for limit in 3...(whole.utf8.count + 1) {
            let text = escaped(input, escaping, limit: limit)
            if limit >= whole.utf8.count {
                #expect(text == whole)
                continue
            }
            #expect(text.utf8.count <= limit)
            #expect(text.hasSuffix("..."))
            let kept = text.dropLast(3)
            let beginnings = (0...input.count).map { escaped(Array(input[..<$0]), escaping) }
            #expect(beginnings.contains(String(kept)), "\(kept)")
        }
    }

    private func escaped(_ input: [UInt8], _ escaping: Escaping, limit: Int = 1000) -> String {
        let buffer = Buffer(capacity: limit)
        buffer.append(escaping: input.span, as: escaping, limit: limit)
        return buffer.bytes.text
    }
}
