import Core

/// A compiled value of a header field: literal text and placeholders of the request.
///
/// Shape:  literals and placeholders in the order of output, cut apart once. Writing copies bytes and asks nothing of
///         the memory allocator but the room in the head's arena.
/// Source: docs/headers.md.
public struct FieldTemplate: Sendable {
    private enum Part: Sendable {
        /// These bytes of `literals`.
        case literal(ByteRange)
        case scheme, host, port, path, query, method, clientIP, clientPort, serverName
        /// The first field of the request whose name is these bytes of `literals`.
        case header(ByteRange)
    }

    private static let plain: [(text: StaticString, part: Part)] = [
        ("protocol", .scheme), ("host", .host), ("port", .port), ("path", .path), ("query", .query),
        ("method", .method), ("client-ip", .clientIP), ("client-port", .clientPort), ("sni", .serverName),
    ]

    private var literals: [UInt8] = []
    private var parts: [Part] = []

    /// Compiles `text`. What is no placeholder stays as it is.
    public init(_ text: String) {
        var rest = Array(text.utf8)[...]
        var literal: [UInt8] = []
        while let byte = rest.popFirst() {
            guard byte == .numberSign, rest.first == 0x7B, let end = rest.firstIndex(of: 0x7D),
                let part = placeholder(rest[rest.index(after: rest.startIndex)..<end])
            else {
                literal.append(byte)
                continue
            }
            addLiteral(&literal)
            parts.append(part)
            rest = rest[(end + 1)...]
        }
        addLiteral(&literal)
    }

    private mutating func placeholder(_ word: ArraySlice<UInt8>) -> Part? {
        let text = Array(word)
        for (name, part) in Self.plain where text.span.equals(name) { return part }
        guard text.count > 7, text.span.extracting(0..<7).equals("header ") else { return nil }
        return .header(append(Array(text[7...])))
    }

    private mutating func addLiteral(_ literal: inout [UInt8]) {
        if !literal.isEmpty { parts.append(.literal(append(literal))) }
        literal.removeAll()
    }

    private mutating func append(_ bytes: [UInt8]) -> ByteRange {
        literals += bytes
        return ByteRange(start: literals.count - bytes.count, count: bytes.count)
    }

    /// How many bytes `write` appends at most.
    public func byteCountMax(_ facts: borrowing PlaceholderFacts) -> Int {
        var count = 0
        for part in parts {
            switch part {
            case .literal(let range): count += range.count
            case .scheme, .port, .clientPort: count += 5
            case .clientIP: count += 46
            case .serverName: count += facts.serverName.count
            case .host, .path, .query, .method, .header: count += range(of: part, facts).count
            }
        }
        return count
    }

    /// Appends the value to the arena of `head`, which may be the request itself.
    public func write(_ facts: borrowing PlaceholderFacts, to head: Head) {
        for part in parts {
            switch part {
            case .literal(let range): head.append(literals.span.extracting(range))
            case .scheme: if facts.isTLS { head.append("https") } else { head.append("http") }
            case .port: head.append(decimal: UInt64(facts.port))
            case .clientPort: head.append(decimal: UInt64(facts.client.port))
            case .clientIP: head.append(hostOf: facts.client)
            case .serverName: if facts.serverName.isFieldContent { head.append(facts.serverName) }
            case .host, .path, .query, .method, .header:
                let range = range(of: part, facts)
                let request = facts.request
                // A client must not be able to end the field that its bytes are put into.
                guard request.bytes(range).isFieldContent else { continue }
                if request === head { head.appendCopy(of: range) } else { head.append(request.bytes(range)) }
            }
        }
    }

    /// Where what a placeholder stands for lies in the request.
    private func range(of part: Part, _ facts: borrowing PlaceholderFacts) -> ByteRange {
        let request = facts.request
        switch part {
        case .host: return request.host
        case .path: return request.bytes.withoutFirst(.slash, request.path)
        case .query: return request.bytes.withoutFirst(.questionMark, request.query)
        case .method: return request.method
        case .header(let name): return value(of: literals.span.extracting(name), request)
        case .literal, .scheme, .port, .clientIP, .clientPort, .serverName: return .empty
        }
    }

    private func value(of name: Span<UInt8>, _ request: Head) -> ByteRange {
        for index in 0..<request.fieldCount {
            let field = request.field(index)
            if !field.isRemoved, request.bytes(field.name).equalsIgnoringCase(name) { return field.value }
        }
        return .empty
    }
}

/// What the placeholders of a template stand for in one request.
public struct PlaceholderFacts: ~Escapable {
    /// Its host, method, path, query and fields.
    let request: Head
    /// Whether it came over TLS.
    let isTLS: Bool
    /// The listener's port.
    let port: UInt16
    /// The client's address.
    let client: SocketAddress
    /// The client's SNI; empty without one.
    let serverName: Span<UInt8>

    /// The facts of a request that came without TLS.
    @_lifetime(immortal)
    public init(_ request: Head, port: UInt16, client: SocketAddress) {
        self.request = request
        isTLS = false
        self.port = port
        self.client = client
        serverName = Span()
    }

    /// The facts of a request that came over TLS.
    @_lifetime(copy serverName)
    public init(_ request: Head, port: UInt16, client: SocketAddress, serverName: Span<UInt8>) {
        self.request = request
        isTLS = true
        self.port = port
        self.client = client
        self.serverName = serverName
    }
}

extension Span where Element == UInt8 {
    /// Whether it may stand in the value of a field: no control characters but tabs.
    fileprivate var isFieldContent: Bool {
        for index in 0..<count where self[index] < .space && self[index] != .tab || self[index] == 0x7F { return false }
        return true
    }

    /// `range` of it without a first byte that the template has of its own.
    fileprivate func withoutFirst(_ byte: UInt8, _ range: ByteRange) -> ByteRange {
        guard !range.isEmpty, self[range.start] == byte else { return range }
        return ByteRange(start: range.start + 1, count: range.count - 1)
    }
}
