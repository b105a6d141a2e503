extension Value {
    /// This value as JSON text. Errors: none; a number that is not finite traps, because only our own code makes one.
    ///
    /// Shape: on one line, or `pretty` with two spaces per level, one member per line and a final newline.
    public func json(pretty: Bool = false) -> String {
        var text = ""
        write(to: &text, indent: pretty ? 0 : nil)
        if pretty { text += "\n" }
        return text
    }

    private func write(to text: inout String, indent: Int?) {
        switch content {
        case .null: text += "null"
        case .bool(let truth): text += truth ? "true" : "false"
        case .int(let number): text += String(number)
        case .double(let number):
            precondition(number.isFinite, "JSON has no number \(number)")
            text += number.description
        case .string(let string): text += Value.quoted(string)
        case .array(let elements):
            Value.writeList(elements, "[", "]", to: &text, indent: indent) { element, text, indent in
                element.write(to: &text, indent: indent)
            }
        case .object(let members):
            Value.writeList(members, "{", "}", to: &text, indent: indent) { member, text, indent in
                text += Value.quoted(member.key)
                text += indent == nil ? ":" : ": "
                member.value.write(to: &text, indent: indent)
            }
        }
    }

    private static func writeList<Element>(
        _ elements: [Element], _ open: String, _ close: String, to text: inout String, indent: Int?,
        _ write: (Element, inout String, Int?) -> Void
    ) {
        let inner = indent.map { $0 + 2 }
        text += open
        for (index, element) in elements.enumerated() {
            if index > 0 { text += "," }
            if let inner { text += "\n" + String(repeating: " ", count: inner) }
            write(element, &text, inner)
        }
        if let indent, !elements.isEmpty { text += "\n" + String(repeating: " ", count: indent) }
        text += close
    }

    /// `text` as a JSON string, quotes included. Characters that `isControl` names are escaped: it must name all that
    /// JSON forbids, and none above U+FFFF.
    public static func quoted(
        _ text: some StringProtocol, isControl: (Unicode.Scalar) -> Bool = { $0.value < 0x20 || $0 == "\u{7F}" }
    ) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case _ where isControl(scalar):
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// Reads strict JSON, in which each key of an object stands once. Limits: `Limits.documentBytesMax`,
    /// `Limits.documentDepthMax`. Source: RFC 8259.
    ///
    /// We read it ourselves because Foundation's decoders lose the order and the repetition of keys and every place.
    public static func parse(json bytes: [UInt8], file: String = "") throws(ConfigErrors) -> Value {
        guard bytes.count <= Limits.documentBytesMax else {
            throw ConfigErrors(.tooLarge(file: file, bytes: bytes.count))
        }
        var parser = JSONParser(bytes: Array(try text(bytes, file: file).utf8), file: file)
        do {
            return try parser.document()
        } catch {
            throw ConfigErrors(error)
        }
    }

    /// Reads strict JSON text; see `parse(json:file:)` for bytes.
    public static func parse(json text: String, file: String = "") throws(ConfigErrors) -> Value {
        try parse(json: Array(text.utf8), file: file)
    }
}
