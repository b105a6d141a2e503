import Core

/// What a request target names, as offsets into the input. Source: RFC 9112 §3.2, RFC 3986 §3.
struct RequestTarget {
    /// Empty unless the target is in absolute form.
    private var authority = ByteRange.empty
    /// Its path is empty if an absolute form has none.
    private var pathAndQuery = PathAndQuery()

    /// Bytes that were put into the arena before the head itself: all offsets into the input grow by them.
    private(set) var arenaShift = 0

    /// Reads the target of `line` and sets method, target, authority, path, query and version of `head`.
    ///
    /// The canonical path goes to the start of the arena if it is not the path as received.
    mutating func resolve(_ line: RequestLine, of input: Span<UInt8>, into head: Head) -> Violation? {
        let start = line.target.start
        let end = line.target.end
        let isOptions = line.method.count == 7 && input.extracting(line.method).equals("OPTIONS")
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
            // RFC 9112 §3.2.4: without path and query, OPTIONS asks the server itself.
            head.append(isOptions && pathAndQuery.query.isEmpty ? .asterisk : .slash)
            head.path = head.range(from: 0)
        } else if !pathAndQuery.isPlain {
            if let violation = CanonicalPath.append(input.extracting(path), to: head) { return violation }
            head.path = head.range(from: 0)
        }
        arenaShift = head.byteCount
        if arenaShift == 0 { head.path = path }
        head.method = line.method.shifted(by: arenaShift)
        head.target = line.target.shifted(by: arenaShift)
        head.authority = authority.shifted(by: arenaShift)
        head.query = pathAndQuery.query.shifted(by: arenaShift)
        head.isPathAmbiguous = pathAndQuery.isPathAmbiguous
        head.minorVersion = line.minorVersion
        return nil
    }

    /// Reads `http://authority/path?query`, whose scheme may be `https` and in any case.
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
        guard input.extracting(authority).isAuthority else { return .badHost }
        pathAndQuery = PathAndQuery(input, from: index, to: end)
        return nil
    }
}

extension ByteRange {
    /// These bytes after `shift` others were put before them; empty stays `.empty`.
    @inline(__always) func shifted(by shift: Int) -> ByteRange {
        isEmpty ? .empty : ByteRange(start: start + shift, count: count)
    }
}
