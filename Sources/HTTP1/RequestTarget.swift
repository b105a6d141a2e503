import Core

/// What a request target names, as offsets into the input. Source: RFC 9112 §3.2, RFC 3986 §3.
struct RequestTarget {
    /// Empty unless the target is in absolute form.
    private var authority = ByteRange.empty
    /// Empty if an absolute form has none.
    private var path = ByteRange.empty
    private var query = ByteRange.empty
    /// Whether the path is canonical as it stands.
    private var isPlain = true

    /// Octets that were put into the arena before the head itself: all offsets into the input grow by them.
    private(set) var arenaShift = 0

    /// Reads the target of `line` and sets method, target, authority, path, query and version of `head`.
    ///
    /// The canonical path goes to the start of the arena if it is not the path as received.
    mutating func resolve(_ line: RequestLine, of input: Span<UInt8>, into head: Head) -> Violation? {
        let start = line.target.start
        let end = line.target.end
        let isOptions = line.method.count == 7 && input.extracting(line.method).equals("OPTIONS")
        if input[start] == .slash {
            readPath(input, from: start, to: end)
        } else if input[start] == .asterisk {
            guard isOptions, line.target.count == 1 else { return .badTarget }
            path = line.target
        } else if let violation = readAbsoluteForm(input, from: start, to: end) {
            return violation
        }
        if path.isEmpty {
            // RFC 9112 §3.2.4: without path and query, OPTIONS asks the server itself.
            head.append(isOptions && query.isEmpty ? .asterisk : .slash)
            head.path = head.range(from: 0)
        } else if !isPlain {
            if let violation = CanonicalPath.append(input.extracting(path), to: head) { return violation }
            head.path = head.range(from: 0)
        }
        arenaShift = head.byteCount
        if arenaShift == 0 { head.path = path }
        head.method = line.method.shifted(by: arenaShift)
        head.target = line.target.shifted(by: arenaShift)
        head.authority = authority.shifted(by: arenaShift)
        head.query = query.shifted(by: arenaShift)
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
        readPath(input, from: index, to: end)
        return nil
    }

    /// Sets path and query of `head`, whose target is `target` and lies in the arena.
    fileprivate func setPath(of target: Span<UInt8>, in head: Head) -> Violation? {
        let base = head.target.start
        head.query = query.shifted(by: base)
        guard !isPlain else {
            head.path = path.shifted(by: base)
            return nil
        }
        let start = head.byteCount
        if let violation = CanonicalPath.append(target.extracting(path), to: head) { return violation }
        head.path = head.range(from: start)
        return nil
    }

    /// Splits path and query, and finds out whether the path needs to be made canonical.
    fileprivate mutating func readPath(_ input: Span<UInt8>, from start: Int, to end: Int) {
        var index = start
        while true {
            index = input.endOfPlainPath(from: index, to: end)
            guard index < end, input[index] != .questionMark else { break }
            // A dot matters only at the start of a segment.
            if input[index] != .dot || input[index - 1] == .slash { isPlain = false }
            index += 1
        }
        path = ByteRange(start: start, count: index - start)
        query = ByteRange(start: index, count: end - index)
    }
}

/// Appends a target that came by itself, as HTTP/2 brings it in `:path`, to the arena of `head`, and sets target,
/// path and
/// query by the rules of a request line. `*` is for the caller to allow: it is for OPTIONS alone.
/// Source: RFC 9113 §8.3.1.
package func appendTarget(_ target: Span<UInt8>, to head: Head) -> Violation? {
    guard target.count <= Limits.requestLineBytesMax else { return .requestLineTooLong }
    head.target = head.append(target)
    if target.equals("*") {
        head.path = head.target
        return nil
    }
    guard target.count > 0, target[0] == .slash, target.endOfTarget(from: 0) == target.count else { return .badTarget }
    var parts = RequestTarget()
    parts.readPath(target, from: 0, to: target.count)
    if let violation = parts.setPath(of: target, in: head) { return violation }
    return nil
}

extension ByteRange {
    /// These octets after `shift` others were put before them; empty stays `.empty`.
    @inline(__always) func shifted(by shift: Int) -> ByteRange {
        isEmpty ? .empty : ByteRange(start: start + shift, count: count)
    }
}
