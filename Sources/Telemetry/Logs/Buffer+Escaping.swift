import Core

/// How bytes that could end a field or a line are escaped.
enum Escaping {
    /// As `\xHH`: quote, backslash, and everything outside printable ASCII.
    case quoted
    /// As `quoted`, and the space as `\x20`: for fields without quotes.
    case bare
    /// As JSON: `\"`, `\\`, and `\u00HH` for everything outside printable ASCII. Bytes beyond ASCII are treated as
    /// Latin-1, since a client's text may not be UTF-8, but the line has to be.
    case json

    /// How many bytes `byte` takes when escaped.
    func width(_ byte: UInt8) -> Int {
        switch byte {
        case .quote, .backslash: self == .json ? 2 : 4
        case .space: self == .bare ? 4 : 1
        case 0x21...0x7E: 1
        default: self == .json ? 6 : 4
        }
    }
}

extension Buffer {
    /// Appends the key of a JSON object's next member.
    func append(key name: StaticString) {
        append(",\"")
        append(name)
        append("\":")
    }

    /// Appends a member of a JSON object whose value is a text; null if it is empty.
    func append(member name: StaticString, _ text: Span<UInt8>) {
        append(key: name)
        if text.isEmpty { return append("null") }
        append(.quote)
        append(escaping: text, as: .json, limit: Limits.logFieldBytesMax)
        append(.quote)
    }

    /// Appends `text` so that it cannot end the field or the line it is in.
    ///
    /// Limits: writes at most `limit` bytes, which must fit. A longer text is truncated between two characters and ends
    ///         in `...`.
    func append(escaping text: Span<UInt8>, as escaping: Escaping, limit: Int) {
        var width = 0
        // Bytes of the longest prefix of the text that leaves room for `...`.
        var cutCount = 0
        var index = 0
        while index < text.count {
            width += escaping.width(text[index])
            if width > limit { break }
            index += 1
            if width <= limit - 3 { cutCount = index }
        }
        if index == text.count && width == text.count {
            append(text)
        } else if index == text.count {
            appendEscaped(text, as: escaping)
        } else {
            appendEscaped(text.extracting(0..<cutCount), as: escaping)
            append("...")
        }
    }

    private func appendEscaped(_ text: Span<UInt8>, as escaping: Escaping) {
        for index in 0..<text.count {
            let byte = text[index]
            switch (escaping.width(byte), escaping) {
            case (1, _):
                append(byte)
            case (2, _):
                append(.backslash)
                append(byte)
            case (_, .json):
                append("\\u00")
                append(hexadecimal: UInt64(byte), digitCount: 2)
            case (_, .quoted), (_, .bare):
                append("\\x")
                appendUpperHexadecimal(byte)
            }
        }
    }

    private func appendUpperHexadecimal(_ byte: UInt8) {
        append(upperDigit(byte >> 4))
        append(upperDigit(byte & 15))
    }
}

private func upperDigit(_ value: UInt8) -> UInt8 { value < 10 ? value + 0x30 : value - 10 + 0x41 }
