import Core
import Testing

@Suite struct ASCIITests {
    /// Compares the classes of every byte with those of the character.
    @Test func classesOfEveryByte() {
        for byte in UInt8.min...UInt8.max {
            let character = Character(Unicode.Scalar(byte))
            #expect(byte.isDigit == ("0"..."9").contains(character))
            #expect(byte.isLetter == (("a"..."z").contains(character) || ("A"..."Z").contains(character)))
            let folded = ("A"..."Z").contains(character) ? byte + 32 : byte
            #expect(byte.lowercased == folded, "byte \(byte)")
            let value = byte < 128 ? character.hexDigitValue.map { UInt8($0) } : nil
            #expect(byte.hexadecimalValue == value, "byte \(byte)")
        }
    }

    @Test(
        arguments: [
            (.tab, "\t"), (.lineFeed, "\n"), (.carriageReturn, "\r"), (.space, " "), (.quote, "\""), (.numberSign, "#"),
            (.percent, "%"), (.asterisk, "*"), (.comma, ","), (.dot, "."), (.slash, "/"), (.colon, ":"),
            (.semicolon, ";"), (.questionMark, "?"), (.backslash, "\\"),
        ] as [(UInt8, Unicode.Scalar)]) func namesMeanTheirCharacters(byte: UInt8, character: Unicode.Scalar)
    {
        #expect(byte == UInt8(ascii: character))
    }

    /// A text, a literal in lower case, and whether they are equal with and without regard to case.
    @Test(
        arguments: [
            ("content-length", "content-length", true, true), ("Content-Length", "content-length", false, true),
            ("CONTENT-LENGTH", "content-length", false, true), ("content-lengt", "content-length", false, false),
            ("content-length ", "content-length", false, false), ("content_length", "content-length", false, false),
            ("", "", true, true), ("", "a", false, false), ("a", "", false, false),
        ] as [(String, StaticString, Bool, Bool)])
    func comparesWithLiterals(text: String, literal: StaticString, isEqual: Bool, isEqualIgnoringCase: Bool) {
        let bytes = Array(text.utf8)
        let equals = bytes.span.equals(literal)
        let equalsIgnoringCase = bytes.span.equalsIgnoringCase(literal)
        #expect(equals == isEqual)
        #expect(equalsIgnoringCase == isEqualIgnoringCase)
    }

    @Test(
        arguments: [
            ("Host", "Host", true, true), ("Host", "hOST", false, true), ("Host", "Hosts", false, false),
            ("Host", "ost", false, false), ("", "", true, true),
        ] as [(String, String, Bool, Bool)])
    func comparesSpans(left: String, right: String, isEqual: Bool, isEqualIgnoringCase: Bool) {
        let leftBytes = Array(left.utf8), rightBytes = Array(right.utf8)
        let equals = leftBytes.span.equals(rightBytes.span)
        let equalsIgnoringCase = leftBytes.span.equalsIgnoringCase(rightBytes.span)
        #expect(equals == isEqual)
        #expect(equalsIgnoringCase == isEqualIgnoringCase)
    }

    /// Bytes that differ by 0x20 but are not letters, such as `[` and `{`, or a carriage return and `-`, must not
    /// compare equal.
    @Test func foldsLettersOnly() {
        let pairs: [(UInt8, UInt8)] = [(0x40, 0x60), (0x5B, 0x7B), (0x5D, 0x7D), (0x0D, 0x2D), (0xC0, 0xE0)]
        for (byte, other) in pairs {
            let left = [byte], right = [other]
            let equalsIgnoringCase = left.span.equalsIgnoringCase(right.span)
            #expect(!equalsIgnoringCase, "\(byte) and \(other)")
        }
        let carriageReturn: [UInt8] = [0x0D]
        let equalsDash = carriageReturn.span.equalsIgnoringCase("-")
        #expect(!equalsDash)
    }

    @Test func loadsEightBytes() {
        let bytes = Array(UInt8(1)...20)
        for index in 0...12 {
            let expected = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[index + $1]) << UInt64(8 * $1) }
            let loaded = bytes.span.eightBytes(at: index)
            #expect(loaded == expected)
        }
    }

    @Test func extractsARange() {
        let bytes = Array("GET /index".utf8)
        #expect(bytes.span.extracting(ByteRange(start: 4, count: 6)).text == "/index")
        #expect(bytes.span.extracting(ByteRange.empty).count == 0)
    }

    @Test func textReplacesWhatIsNotUTF8() {
        let bytes: [UInt8] = [0x61, 0xFF, 0x62]
        #expect(bytes.span.text == "a\u{FFFD}b")
        #expect(Array("grün".utf8).span.text == "grün")
    }

    @Test func readsBytesOfALiteral() {
        let literal: StaticString = "abc"
        #expect((0..<3).map { literal[byte: $0] } == Array("abc".utf8))
    }

    @Test func readingOutsideTraps() async {
        await #expect(processExitsWith: .failure) {
            let literal: StaticString = "abc"
            _ = literal[byte: 3]
        }
        await #expect(processExitsWith: .failure) {
            let bytes = Array(UInt8(1)...20)
            _ = bytes.span.eightBytes(at: 13)
        }
    }
}
