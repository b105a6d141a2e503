import Core

/// The parts of a request line, as offsets into the input. Source: RFC 9112 §3.
struct RequestLine {
    var method = ByteRange.empty
    var target = ByteRange.empty
    /// As `Head` counts it: 0 or 1.
    var minorVersion: UInt8 = 1
    /// Whether it is HTTP/1.0 or HTTP/1.1, and not one of the versions that nobody has written down.
    var isVersionKnown = true

    /// Parses the request line that begins at `start`: three parts with exactly one space between them.
    mutating func read(_ input: Span<UInt8>, from start: Int) -> Line.Outcome {
        let line = Line(start: start, bytesMax: Limits.requestLineBytesMax, tooLong: .requestLineTooLong)
        let methodEnd = input.endOfToken(from: start)
        guard methodEnd < input.count else { return line.undecided(input.count) }
        guard input[methodEnd] == .space, methodEnd > start else {
            let isEnd = input[methodEnd] == .carriageReturn || input[methodEnd] == .lineFeed
            return .refused(line.violation(isEnd ? .badRequestLine : .badMethod, at: methodEnd))
        }
        method = ByteRange(start: start, count: methodEnd - start)
        let targetEnd = input.endOfTarget(from: methodEnd + 1)
        guard targetEnd < input.count else { return line.undecided(input.count) }
        guard input[targetEnd] == .space, targetEnd > methodEnd + 1 else {
            let isEnd = input[targetEnd] == .carriageReturn || input[targetEnd] == .lineFeed
            return .refused(line.violation(isEnd ? .badRequestLine : .badTarget, at: targetEnd))
        }
        target = ByteRange(start: methodEnd + 1, count: targetEnd - methodEnd - 1)
        return readVersion(input, from: targetEnd + 1, line: line)
    }

    private mutating func readVersion(_ input: Span<UInt8>, from start: Int, line: Line) -> Line.Outcome {
        let end = start + Version.byteCount
        guard end < input.count, let version = Version(input, at: start) else {
            if let index = Version.firstInvalidByte(input, at: start) {
                return .refused(line.violation(.badVersion, at: index))
            }
            return line.undecided(input.count)
        }
        let outcome = line.end(at: end, of: input, otherwise: .badVersion)
        if case .complete = outcome, version.major != 1 { return .refused(.unsupportedVersion) }
        minorVersion = version.headMinorVersion
        isVersionKnown = version.minor <= 1
        return outcome
    }
}
