/// The head of a message as a minimal parser reads it: a line of three words, and fields.
///
/// It shares no code with the parser that is fuzzed. Lines end with LF; a CR before it is dropped; nothing else is
/// tolerated. Source: RFC 9112 §2, §3, §5.
struct PlainHead {
    enum Outcome { case complete, needMore, malformed }

    private(set) var words: [[UInt8]] = []
    private var fields: [(name: String, value: [UInt8])] = []

    /// Takes a head off the front of `input`, which is unchanged if there is no complete head.
    mutating func take(_ input: inout ArraySlice<UInt8>) -> Outcome {
        var rest = input
        guard let first = Self.line(&rest) else { return .needMore }
        words = first.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false).map(Array.init)
        guard words.count == 3, words.allSatisfy({ !$0.isEmpty }) || words[0].starts(with: Array("HTTP/".utf8)) else {
            return .malformed
        }
        while true {
            guard let line = Self.line(&rest) else { return .needMore }
            if line.isEmpty { break }
            guard let colon = line.firstIndex(of: 0x3A), colon > line.startIndex, line.first != 0x20, line.first != 0x09
            else { return .malformed }
            let name = Self.text(Array(line[..<colon])).lowercased()
            let value = line[line.index(after: colon)...].drop { $0 == 0x20 || $0 == 0x09 }
            let blanks = value.reversed().prefix { $0 == 0x20 || $0 == 0x09 }.count
            fields.append((name, Array(value.dropLast(blanks))))
        }
        input = rest
        return .complete
    }

    /// The first value of a field.
    func value(_ name: String) -> [UInt8]? { fields.first { $0.name == name }?.value }

    /// All values of a field.
    func values(_ name: String) -> [[UInt8]] { fields.filter { $0.name == name }.map(\.value) }

    /// Takes a line off the front, without its end; nil if there is none.
    static func line(_ input: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let end = input.firstIndex(of: 0x0A) else { return nil }
        let line = input[..<end]
        input = input[(end + 1)...]
        return line.last == 0x0D ? line.dropLast() : line
    }

    /// The text with one character for each byte.
    static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.map(UInt16.init), as: UTF16.self) }
}

/// Counts the requests in the bytes of a connection. Source: RFC 9112 §6, §7.1.
struct PlainRequests {
    struct Request: Equatable {
        var method: [UInt8]
        var body: [UInt8]
    }

    /// The complete requests.
    private(set) var requests: [Request] = []
    /// Whether the next bytes are not a request, or a request whose end cannot be known.
    private(set) var isMalformed = false
    /// The bytes of the next request that have arrived.
    private(set) var rest: ArraySlice<UInt8> = []

    mutating func take(_ bytes: [UInt8]) {
        rest = rest + bytes
        while !isMalformed, takeRequest() {}
    }

    /// Removes and returns the complete requests.
    mutating func takeRequests() -> [Request] {
        defer { requests = [] }
        return requests
    }

    private mutating func takeRequest() -> Bool {
        var input = rest
        while input.first == 0x0D || input.first == 0x0A {
            guard let line = PlainHead.line(&input) else { return false }
            guard line.isEmpty else { return fail() }
        }
        var head = PlainHead()
        switch head.take(&input) {
        case .needMore: return false
        case .malformed: return fail()
        case .complete: break
        }
        let lengths = head.values("content-length")
        let codings = head.values("transfer-encoding")
        guard lengths.count + codings.count < 2 else { return fail() }
        var body: [UInt8] = []
        if let coding = codings.first {
            guard PlainHead.text(coding).lowercased() == "chunked" else { return fail() }
            guard let chunks = takeChunks(&input) else { return false }
            body = chunks
        } else if let value = lengths.first {
            guard !value.isEmpty, value.allSatisfy({ (0x30...0x39).contains($0) }) else { return fail() }
            guard let length = Int(PlainHead.text(value)), input.count >= length else { return false }
            body = Array(input.prefix(length))
            input = input.dropFirst(length)
        }
        requests.append(Request(method: head.words[0], body: body))
        rest = input
        return true
    }

    /// Takes a body of chunks and its trailers; nil if it is incomplete or malformed.
    private mutating func takeChunks(_ input: inout ArraySlice<UInt8>) -> [UInt8]? {
        var body: [UInt8] = []
        while true {
            guard let line = PlainHead.line(&input) else { return nil }
            let digits = PlainHead.text(Array(line.prefix { $0 != 0x3B && $0 != 0x20 && $0 != 0x09 }))
            guard digits.allSatisfy({ $0.isASCII && $0.isHexDigit }), let size = Int(digits, radix: 16) else {
                isMalformed = true
                return nil
            }
            if size == 0 { break }
            guard input.count >= size + 2 else { return nil }
            body += input.prefix(size)
            input = input.dropFirst(size)
            guard input.starts(with: [0x0D, 0x0A]) else {
                isMalformed = true
                return nil
            }
            input = input.dropFirst(2)
        }
        while let line = PlainHead.line(&input) { if line.isEmpty { return body } }
        return nil
    }

    private mutating func fail() -> Bool {
        isMalformed = true
        return false
    }
}
