/// One HTTP/1.1 message as it came over the wire: request or response.
struct Message: Sendable {
    /// One field line.
    struct Field: Equatable, Sendable {
        let name: String
        let value: String
    }

    /// How the body's end was marked.
    enum Framing: Equatable, Sendable {
        case none
        case length(Int)
        case chunked
        case endOfConnection
    }

    /// The first line, without its CRLF.
    var startLine = ""
    /// The fields of the head, in order.
    var fields: [Field] = []
    /// How the body's end is marked.
    var framing = Framing.none
    /// The body without its framing. Empty when it was counted instead of kept; `bodyCount` always tells.
    var body: [UInt8] = []
    /// Bytes of the body, kept or not.
    var bodyCount = 0
    /// The fields after a chunked body.
    var trailers: [Field] = []
    /// The head's bytes, up to and with the empty line.
    var head: [UInt8] = []

    /// The status of a response; 0 when the first line is not one.
    var status: Int { startLine.hasPrefix("HTTP/1.") ? Int(word(1)) ?? 0 : 0 }
    /// The method of a request.
    var method: String { word(0) }
    /// What the request asks for: the second word of its first line.
    var target: String { word(1) }
    /// The body as UTF-8.
    var text: String { String(decoding: body, as: UTF8.self) }

    /// All values of a field, in order, whatever the case of its name.
    func values(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// The only value of a field; `nil` when it is absent or there are several.
    subscript(_ name: String) -> String? {
        let all = values(name)
        return all.count == 1 ? all[0] : nil
    }

    /// Whether the list in `Connection` holds `option`.
    func connectionHas(_ option: String) -> Bool {
        values("connection").contains { value in
            value.lowercased().split(separator: ",").contains { $0.split(separator: " ").first ?? "" == option }
        }
    }

    private func word(_ index: Int) -> String {
        let words = startLine.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        return index < words.count ? String(words[index]) : ""
    }

    /// Reads a head's bytes. Strict, so that a scenario sees whatever Apus should not have sent.
    init(head bytes: [UInt8]) throws {
        head = bytes
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        guard lines.count >= 3, lines.removeLast() == "", lines.removeLast() == "" else {
            throw WireError.malformed("a head ends with an empty line: \(printable(bytes))")
        }
        startLine = String(lines.removeFirst())
        fields = try lines.map(Self.field)
    }

    /// Reads `Name: value`.
    static func field(_ line: Substring) throws -> Field {
        guard let colon = line.firstIndex(of: ":"), colon > line.startIndex, !line.contains("\n"), !line.contains("\r")
        else {
            throw WireError.malformed("not a field line: \(line)")
        }
        let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        return Field(name: String(line[..<colon]), value: String(value))
    }
}

/// Why reading a message failed.
enum WireError: Error, CustomStringConvertible {
    /// The connection ended inside a message.
    case ended(after: String)
    case reset
    /// The deadline passed without data.
    case silence(after: String)
    case malformed(String)

    var description: String {
        switch self {
        case .ended(let received): "the connection ended after: \(received)"
        case .reset: "the connection was reset"
        case .silence(let received): "nothing more came after: \(received)"
        case .malformed(let what): "malformed: \(what)"
        }
    }
}

/// Bytes as a line that can be read in a failure: CR, LF and what is not ASCII escaped, cut after 2,000.
func printable(_ bytes: some Sequence<UInt8>) -> String {
    var text = ""
    for byte in bytes.prefix(2_000) {
        switch byte {
        case 0x0D: text += "\\r"
        case 0x0A: text += "\\n"
        case 0x20...0x7E: text.unicodeScalars.append(Unicode.Scalar(byte))
        default: text += "\\x\(String(byte, radix: 16))"
        }
    }
    return text
}
