import Core

/// The parts of a status line. Source: RFC 9112 §4.
struct StatusLine {
    /// As `Head` counts it: 0 or 1.
    var minorVersion: UInt8 = 1
    /// 100–599.
    var status: UInt16 = 0
    /// In the input; empty if there is none.
    var reason = ByteRange.empty

    /// Reads the status line at the start of `input`. The space before a reason that is absent may be absent too.
    mutating func read(_ input: Span<UInt8>) -> Line.Outcome {
        let line = Line(start: 0, bytesMax: Limits.fieldLineBytesMax, tooLong: .fieldTooLarge)
        if Version.firstFault(input, at: 0) != nil { return .refused(.badStatusLine) }
        let codeStart = Version.byteCount + 1
        let codeEnd = codeStart + 3
        for index in Version.byteCount..<codeEnd where index < input.count {
            let isExpected = index == Version.byteCount ? input[index] == .space : input[index].isDigit
            guard isExpected else { return .refused(.badStatusLine) }
        }
        guard codeEnd < input.count, let version = Version(input, at: 0) else { return .needMore }
        guard version.major == 1 else { return .refused(.unsupportedVersion) }
        minorVersion = version.headMinorVersion
        status = 0
        for index in codeStart..<codeEnd { status = status * 10 + UInt16(input[index] &- 0x30) }
        guard (100...599).contains(status) else { return .refused(.badStatusLine) }
        guard input[codeEnd] == .space else { return line.end(at: codeEnd, of: input, otherwise: .badStatusLine) }

        let reasonEnd = input.endOfFieldValue(from: codeEnd + 1)
        guard reasonEnd < input.count else { return line.undecided(input.count) }
        reason = ByteRange(start: codeEnd + 1, count: reasonEnd - codeEnd - 1)
        return line.end(at: reasonEnd, of: input, otherwise: .badStatusLine)
    }
}
