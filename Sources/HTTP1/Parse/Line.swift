import Core

/// One line that is being parsed: its start, its maximum length, and the violation if it is longer.
///
/// However the bytes of a line arrive, the verdict is that of its first offending byte, which is either not allowed
/// there or beyond the limit.
struct Line {
    let start: Int
    let bytesMax: Int
    let tooLong: Violation

    /// The outcome of reading one line, or a part of it.
    enum Outcome {
        /// The line continues beyond the input.
        case needMore
        case refused(Violation)
        /// The line is complete, and the next one begins here.
        case complete(next: Int)
    }

    /// The verdict on an offending byte at `index`: `violation`, or `tooLong` if it is beyond the limit.
    func violation(_ violation: Violation, at index: Int) -> Violation {
        index - start > bytesMax ? tooLong : violation
    }

    /// The outcome if none of the bytes before `count` ends the line or is invalid.
    func undecided(_ count: Int) -> Outcome {
        count - start > bytesMax ? .refused(tooLong) : .needMore
    }

    /// Reads the end of the line, CRLF or LF, at `index`, which must be inside the input. Anything else is `violation`.
    /// Source: RFC 9112 §2.2, which lets a single LF end a line; docs/elbv2.md, "Request classes".
    @inline(__always)
    func end(at index: Int, of input: Span<UInt8>, otherwise violation: Violation) -> Outcome {
        if index - start > bytesMax { return .refused(tooLong) }
        if input[index] == .carriageReturn {
            if index + 1 == input.count { return .needMore }
            return input[index + 1] == .lineFeed ? .complete(next: index + 2) : .refused(.bareCarriageReturn)
        }
        return input[index] == .lineFeed ? .complete(next: index + 1) : .refused(violation)
    }
}
