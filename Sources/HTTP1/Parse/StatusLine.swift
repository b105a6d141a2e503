import Core

/// The parts of a status line. Source: RFC 9112 §4.
struct StatusLine {
    private static let codeStart = Version.byteCount + 1
    private static let codeEnd = codeStart + 3

    /// As `Head` counts it: 0 or 1.
    var minorVersion: UInt8 = 1
    /// 100–599.
    var status: UInt16 = 0
    /// In the input; empty if there is none.
    var reason = ByteRange.empty

    /// Parses the status line at the start of `input`. Without a reason phrase, the space before it may be missing too.
    mutating func read(_ input: Span<UInt8>) -> Line.Outcome {
        let line = Line(start: 0, bytesMax: Limits.fieldLineBytesMax, tooLong: .fieldTooLarge)
        let codeEnd = Self.codeEnd
        guard codeEnd < input.count, let version = Version(input, at: 0) else {
            let isFaulty = Version.firstInvalidByte(input, at: 0) != nil || !readCode(input)
            return isFaulty ? .refused(.badStatusLine) : .needMore
        }
        guard readCode(input) else { return .refused(.badStatusLine) }
        guard version.major == 1 else { return .refused(.unsupportedVersion) }
        minorVersion = version.headMinorVersion
        guard (100...599).contains(status) else { return .refused(.badStatusLine) }
        guard input[codeEnd] == .space else { return line.end(at: codeEnd, of: input, otherwise: .badStatusLine) }

        let reasonEnd = input.endOfFieldValue(from: codeEnd + 1)
        guard reasonEnd < input.count else { return line.undecided(input.count) }
        reason = ByteRange(start: codeEnd + 1, count: reasonEnd - codeEnd - 1)
        return line.end(at: reasonEnd, of: input, otherwise: .badStatusLine)
    }

    /// Reads as much of the space and the three digits after the version as has arrived. Returns whether it is valid so
    /// far.
    private mutating func readCode(_ input: Span<UInt8>) -> Bool {
        guard input.count > Version.byteCount else { return true }
        guard input[Version.byteCount] == .space else { return false }
        status = 0
        for index in Self.codeStart..<min(Self.codeEnd, max(Self.codeStart, input.count)) {
            guard input[index].isDigit else { return false }
            status = status * 10 + UInt16(input[index] &- 0x30)
        }
        return true
    }
}
