import Core

/// The parts of a request target, as offsets into the input. Source: RFC 9112 §3.2, RFC 3986 §3.
struct RequestTarget {
    /// Empty unless the target is in absolute form.
    private var authority = ByteRange.empty
    /// How much of it is before the port.
    private(set) var hostCount = 0
    /// Its path is empty if an absolute form has none.
    private var pathAndQuery = PathAndQuery()

    /// Bytes in the arena before the copy of the input: the difference between an offset in the arena and one in the
    /// input.
    private(set) var arenaShift = 0

    /// Parses the target of `line` and sets method, target, authority, path, query and version of `head`.
    ///
    /// If the canonical path differs from the path as received, it is put at the start of the arena.
    mutating func resolve(_ line: RequestLine, of input: Span<UInt8>, into head: Head) -> Violation? {
        let start = line.target.start
        let end = line.target.end
        head.setMethod(input.extracting(line.method), at: line.method)
        let isOptions = head.methodID == .options
        if input[start] == .slash {
            pathAndQuery = PathAndQuery(input, from: start, to: end)
        } else if input[start] == .asterisk {
            guard isOptions, line.target.count == 1 else { return .badTarget }
            pathAndQuery.path = line.target
        } else if let violation = readAbsoluteForm(input, from: start, to: end) {
            return violation
        }
        let path = pathAndQuery.path
        if path.isEmpty {
            // RFC 9112 §3.2.4: without path and query, OPTIONS is about the server itself.
            head.append(isOptions && pathAndQuery.query.isEmpty ? .asterisk : .slash)
            head.path = head.range(from: 0)
        } else if !pathAndQuery.isPlain {
            if let violation = CanonicalPath.append(input.extracting(path), to: head) { return violation }
            head.path = head.range(from: 0)
        }
        arenaShift = head.byteCount
        if arenaShift == 0 {
            head.path = path
        } else {
            head.setMethod(input.extracting(line.method), at: line.method.shifted(by: arenaShift))
        }
        head.target = line.target.shifted(by: arenaShift)
        head.authority = authority.shifted(by: arenaShift)
        head.query = pathAndQuery.query.shifted(by: arenaShift)
        head.isPathAmbiguous = pathAndQuery.isPathAmbiguous
        head.minorVersion = line.minorVersion
        return nil
    }

    /// Parses `http://authority/path?query`. The scheme may also be `https`, in upper or lower case.
    private mutating func readAbsoluteForm(_ input: Span<UInt8>, from start: Int, to end: Int) -> Violation? {
        let target = input.extracting(start..<end)
        let schemeCount =
            target.extracting(first: 7).equalsIgnoringCase("http://")
            ? 7
            : target.extracting(first: 8).equalsIgnoringCase("https://") ? 8 : 0
        guard schemeCount > 0 else { return .badTarget }
        var index = start + schemeCount
        while index < end, input[index] != .slash, input[index] != .questionMark { index += 1 }
        authority = ByteRange(start: start + schemeCount, count: index - start - schemeCount)
        guard let hostCount = input.extracting(authority).hostCountOfAuthority else { return .badHost }
        self.hostCount = hostCount
        pathAndQuery = PathAndQuery(input, from: index, to: end)
        return nil
    }
}

extension ByteRange {
    /// This range moved by `shift` bytes; an empty one stays `.empty`.
    @inline(__always) func shifted(by shift: Int) -> ByteRange {
        if isEmpty { return .empty }
        return shift == 0 ? self : ByteRange(start: start + shift, count: count)
    }
}
