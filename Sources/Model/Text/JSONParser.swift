/// Reads one JSON text, by recursive descent with a bounded depth. The first mistake ends it.
///
/// Source: RFC 8259; stricter in that a key may stand only once in an object.
struct JSONParser {
    /// The text.
    let bytes: [UInt8]
    /// Named in errors.
    let file: String
    /// The next byte to read.
    private var at = 0
    /// The line of `at`, from 1.
    private var line = 1
    /// The column of the byte `columnAt` of that line. Counting continues from there, so that one long line costs no
    /// more than many short ones.
    private var column = 1, columnAt = 0

    /// A parser at the beginning of `bytes`.
    init(bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    /// Reads the whole text as one value.
    mutating func document() throws(ConfigError) -> Value {
        let value = try value(depth: 0)
        skipSpace()
        guard at == bytes.count else { throw mistake("expected the end after the value", "Remove what follows it.") }
        return value
    }

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func location() -> Location {
        column += bytes[columnAt..<at].count { $0 & 0xC0 != 0x80 }
        columnAt = at
        return Location(line: line, column: column)
    }

    private mutating func mistake(_ expected: String, _ remedy: String, at place: Location? = nil) -> ConfigError {
        let found =
            switch next {
            case nil: "the end of the text"
            case (0x21...0x7E)?: "\"" + String(decoding: [bytes[at]], as: UTF8.self) + "\""
            case let byte?: "byte 0x" + String(byte, radix: 16)
            }
        return ConfigError(
            file: file, location: place ?? location(), expected: expected, found: place == nil ? found : nil,
            remedy: remedy)
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
            at += 1
            if byte == 0x0A {
                line += 1
                (column, columnAt) = (1, at)
            }
        }
    }

    private mutating func value(depth: Int) throws(ConfigError) -> Value {
        skipSpace()
        let place = location()
        guard depth < Limits.documentDepthMax else {
            throw mistake(
                "JSON must nest at most \(Limits.documentDepthMax) levels deep", "Remove the innermost levels.",
                at: place)
        }
        switch next {
        case UInt8(ascii: "{"): return Value(.object(try members(depth: depth)), at: place)
        case UInt8(ascii: "["): return Value(.array(try elements(depth: depth)), at: place)
        case UInt8(ascii: "\""): return Value(.string(try string()), at: place)
        case UInt8(ascii: "t"): return try word("true", Value(true), place)
        case UInt8(ascii: "f"): return try word("false", Value(false), place)
        case UInt8(ascii: "n"): return try word("null", Value(nil), place)
        case UInt8(ascii: "-"), (0x30...0x39)?: return Value(try number(), at: place)
        default:
            throw mistake(
                "expected a JSON value", "Write text in double quotes, a number, true, false, a list or an object.")
        }
    }

    private mutating func word(_ word: String, _ value: Value, _ place: Location) throws(ConfigError) -> Value {
        guard bytes[at...].starts(with: word.utf8) else { throw mistake("expected \(word)", "Write \(word).") }
        at += word.utf8.count
        return Value(value.content, at: place)
    }

    private mutating func members(depth: Int) throws(ConfigError) -> [Value.Member] {
        var members: [Value.Member] = []
        var seen: Set<String> = []
        at += 1
        skipSpace()
        if take("}") { return members }
        repeat {
            skipSpace()
            let place = location()
            guard next == UInt8(ascii: "\"") else {
                throw mistake(
                    "expected a key in double quotes", "Write the key in double quotes; no comma stands before }.")
            }
            let key = try string()
            guard seen.insert(key).inserted else {
                throw mistake("the key \(Value.quoted(key)) stands here twice", "Remove one of the two.", at: place)
            }
            skipSpace()
            guard take(":") else { throw mistake("expected a colon after the key", "Write a colon.") }
            members.append(Value.Member(key, try value(depth: depth + 1), keyLocation: place))
            skipSpace()
        } while take(",")
        guard take("}") else {
            throw mistake("expected a comma or }", "Close the object, or put a comma before the next key.")
        }
        return members
    }

    private mutating func elements(depth: Int) throws(ConfigError) -> [Value] {
        var elements: [Value] = []
        at += 1
        skipSpace()
        if take("]") { return elements }
        repeat {
            elements.append(try value(depth: depth + 1))
            skipSpace()
        } while take(",")
        guard take("]") else {
            throw mistake("expected a comma or ]", "Close the list, or put a comma before the next value.")
        }
        return elements
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func digits() -> Int {
        let start = at
        while let byte = next, (0x30...0x39).contains(byte) { at += 1 }
        return at - start
    }

    private mutating func number() throws(ConfigError) -> Value.Content {
        let start = at
        _ = take("-")
        let leadingZero = next == 0x30
        let whole = digits()
        guard whole > 0, !(leadingZero && whole > 1) else {
            throw mistake("expected a number without leading zeros", "Write it as in 0, -1 or 2.5.")
        }
        var isInteger = true
        if take(".") {
            isInteger = false
            guard digits() > 0 else { throw mistake("expected a digit after the point", "Write it as in 2.5.") }
        }
        if take("e") || take("E") {
            isInteger = false
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { throw mistake("expected a digit in the exponent", "Write it as in 1e3.") }
        }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if isInteger, let number = Int(text) { return .int(number) }
        guard let number = Double(text), number.isFinite else {
            throw mistake("expected a number of a usual size", "Write a smaller number.")
        }
        return .double(number)
    }

    private mutating func string() throws(ConfigError) -> String {
        at += 1
        var text: [UInt8] = []
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else {
                throw mistake("expected no control byte inside text", "Write it as \\n, \\t or \\u00XX.")
            }
            at += 1
            if byte == UInt8(ascii: "\\") {
                text.append(contentsOf: String(try escape()).utf8)
            } else {
                text.append(byte)
            }
        }
        guard take("\"") else { throw mistake("expected a closing quote", "Close the text with a double quote.") }
        guard let string = String(validating: text, as: UTF8.self) else {
            throw mistake("expected text in UTF-8", "Write the text in UTF-8.")
        }
        return string
    }

    private mutating func escape() throws(ConfigError) -> Unicode.Scalar {
        guard let byte = next else { throw mistake("expected a character after the backslash", "Close the text.") }
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default:
            at -= 1
            throw mistake("expected one of \"\\/bfnrtu after the backslash", "Write \\\\ for a backslash.")
        }
    }

    private mutating func unicodeEscape() throws(ConfigError) -> Unicode.Scalar {
        let first = try codeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        // Not a scalar, so one half of a surrogate pair: the other must follow. Source: RFC 8259 §7.
        if (0xD800...0xDBFF).contains(first), take("\\"), take("u") {
            let second = try codeUnit()
            if (0xDC00...0xDFFF).contains(second),
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            {
                return scalar
            }
        }
        throw mistake("expected a whole surrogate pair", "Write both halves, or the character itself.")
    }

    private mutating func codeUnit() throws(ConfigError) -> UInt32 {
        guard at + 4 <= bytes.count, !bytes[at..<at + 4].contains(where: { $0 == 0x2B || $0 == 0x2D }),
            let unit = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
        else { throw mistake("expected four hexadecimal digits after \\u", "Write four digits, as in \\u00e9.") }
        at += 4
        return unit
    }
}
