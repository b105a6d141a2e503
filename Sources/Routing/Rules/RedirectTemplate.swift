import Core

/// A compiled redirect action: what the Location of its answer is made of.
///
/// Shape:  literals and placeholders in the order of output, cut apart once. Writing copies bytes and asks
///         nothing of the memory allocator but the room in the head's arena.
/// Source: docs/elbv2.md, "Actions" and "Status codes"; RFC 9110 §10.2.2 (Location).
public struct RedirectTemplate: Sendable {
    /// The protocol that a request came in by.
    public enum Scheme: Sendable { case http, https }

    /// What became of a Location.
    public enum Outcome: Equatable, Sendable {
        /// It lies there in the head's arena.
        case written(ByteRange)
        /// It would have been longer than `Limits.locationBytesMax`: nothing was written; answer 507.
        case tooLong
        /// It needs the request's host, and the request names none, as HTTP/1.0 may: nothing was written; answer 400.
        case hostMissing
    }

    private enum Part: Sendable {
        /// These bytes of `literals`.
        case literal(ByteRange)
        case scheme, host, port, path, query
    }

    private var literals: [UInt8] = []
    private var parts: [Part] = []
    /// The parts from here on are the query, which takes its `?` along only when it is not empty.
    private var queryStart = 0

    /// Compiles the parts of a redirect; what is not given keeps the request's. `scheme` is `HTTP`, `HTTPS` or a
    /// placeholder; `path` begins with `/`; `query` has no `?`. Text that is no placeholder stays as it is.
    public init(
        scheme: String = "#{protocol}", host: String = "#{host}", port: String = "#{port}",
        path: String = "/#{path}", query: String = "#{query}"
    ) {
        compile(scheme.lowercased())
        compile("://")
        compile(host)
        compile(":")
        compile(port)
        compile(path)
        queryStart = parts.count
        compile(query)
    }

    /// Appends the Location for the request `head` to its own arena. `scheme` and `port` are the listener's.
    public func write(into head: Head, scheme: Scheme, port: UInt16) -> Outcome {
        let inputs = Inputs(of: head, scheme: scheme, port: port)
        var count = 0
        var queryCount = 0
        for index in parts.indices {
            let added = length(of: parts[index], inputs)
            if case .host = parts[index], added == 0 { return .hostMissing }
            if index < queryStart { count += added } else { queryCount += added }
        }
        if queryCount > 0 { count += 1 + queryCount }
        guard count <= Limits.locationBytesMax else { return .tooLong }
        let start = head.byteCount
        for index in parts.indices {
            if index == queryStart && queryCount > 0 { head.append(.questionMark) }
            append(parts[index], inputs, to: head)
        }
        return .written(head.range(from: start))
    }
}

extension RedirectTemplate {
    /// What the placeholders stand for in one request.
    private struct Inputs {
        let host: ByteRange
        let path: ByteRange
        let query: ByteRange
        let scheme: Scheme
        let port: UInt16

        init(of head: Head, scheme: Scheme, port: UInt16) {
            self.scheme = scheme
            self.port = port
            let bytes = head.bytes
            host = head.host
            path = RedirectTemplate.withoutFirst(.slash, head.path, bytes)
            query = RedirectTemplate.withoutFirst(.questionMark, head.query, bytes)
        }
    }

    /// `range` without a first byte that the template has of its own. `OPTIONS *` has no path, so nothing is left.
    private static func withoutFirst(_ byte: UInt8, _ range: ByteRange, _ bytes: Span<UInt8>) -> ByteRange {
        guard !range.isEmpty, bytes[range.start] == byte else { return .empty }
        return ByteRange(start: range.start + 1, count: range.count - 1)
    }

    private func length(of part: Part, _ inputs: Inputs) -> Int {
        switch part {
        case .literal(let range): range.count
        case .scheme: inputs.scheme == .http ? 4 : 5
        case .host: inputs.host.count
        case .port: inputs.port < 10 ? 1 : inputs.port < 100 ? 2 : inputs.port < 1000 ? 3 : inputs.port < 10_000 ? 4 : 5
        case .path: inputs.path.count
        case .query: inputs.query.count
        }
    }

    private func append(_ part: Part, _ inputs: Inputs, to head: Head) {
        switch part {
        case .literal(let range): head.append(literals.span.extracting(range))
        case .scheme: if inputs.scheme == .http { head.append("http") } else { head.append("https") }
        case .host: head.appendCopy(of: inputs.host)
        case .port: head.append(decimal: UInt64(inputs.port))
        case .path: head.appendCopy(of: inputs.path)
        case .query: head.appendCopy(of: inputs.query)
        }
    }

    /// Cuts `text` into literals and placeholders.
    private mutating func compile(_ text: String) {
        let names: [(Part, [UInt8])] = [
            (.scheme, Array("#{protocol}".utf8)), (.host, Array("#{host}".utf8)), (.port, Array("#{port}".utf8)),
            (.path, Array("#{path}".utf8)), (.query, Array("#{query}".utf8)),
        ]
        var rest = Array(text.utf8)[...]
        var literalStart = literals.count
        while let byte = rest.first {
            if let (part, name) = names.first(where: { rest.starts(with: $0.1) }) {
                close(literalFrom: literalStart)
                parts.append(part)
                literalStart = literals.count
                rest = rest.dropFirst(name.count)
            } else {
                literals.append(byte)
                rest = rest.dropFirst()
            }
        }
        close(literalFrom: literalStart)
    }

    private mutating func close(literalFrom start: Int) {
        guard literals.count > start else { return }
        parts.append(.literal(ByteRange(start: start, count: literals.count - start)))
    }
}
