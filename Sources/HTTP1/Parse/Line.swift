import Core

/// One line being read: where it begins, how long it may be, and what it is refused as when it is longer.
///
/// However the bytes of a line arrive, the verdict is the one that its first offending byte calls for, be it that
/// it has no place there or that it is one too many.
struct Line {
    let start: Int
    let bytesMax: Int
    let tooLong: Violation

    /// The outcome of reading one line, or a part of it.
    enum Outcome {
        /// The line goes on beyond the input.
        case needMore
        case refused(Violation)
        /// The line is complete, and the next one begins here.
        case complete(next: Int)
    }

    /// The verdict on an offending byte at `index`: it may lie beyond the limit.
    func violation(_ violation: Violation, at index: Int) -> Violation {
        index - start > bytesMax ? tooLong : violation
    }

    /// The outcome when none of the bytes before `count` ends the line or offends.
    func undecided(_ count: Int) -> Outcome {
        count - start > bytesMax ? .refused(tooLong) : .needMore
    }

    /// Reads the end of the line at `index`, where a byte stands: CRLF or LF. Any other is `violation`.
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
