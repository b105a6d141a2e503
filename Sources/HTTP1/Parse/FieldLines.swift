import Core

/// Parses field lines up to the empty line that ends them, and enters each field into a head.
///
/// Source: RFC 9112 §5 (no space before the colon, no folding), RFC 9110 §5.5 (what a value may hold).
enum FieldLines {
    /// The outcome of reading field lines.
    enum Outcome {
        /// The lines continue beyond the input; `lineStart` is the start of the first incomplete one.
        case needMore(lineStart: Int)
        case refused(Violation)
        /// The byte after the empty line.
        case complete(end: Int)
    }

    /// Reads the lines of `input` from `start` on; `facts` interprets each field.
    static func read(
        _ input: Span<UInt8>, from start: Int, into head: Head, facts: inout FieldFacts
    ) -> Outcome {
        var lineStart = start
        while lineStart < input.count {
            let line = Line(start: lineStart, bytesMax: Limits.fieldLineBytesMax, tooLong: .fieldTooLarge)
            let first = input[lineStart]
            if first == .carriageReturn || first == .lineFeed {
                switch facts.end(of: line, at: lineStart, in: input) {
                case .needMore: return .needMore(lineStart: lineStart)
                case .refused(let violation): return .refused(violation)
                case .complete(let next): return .complete(end: next)
                }
            }
            if first == .space || first == .tab { return .refused(.obsoleteFold) }

            // A name that is known needs no other look. `[-A-Za-z0-9]+` is what ELB calls a valid name; others are read
            // on, as they may be forwarded.
            var nameEnd = input.firstColon(from: lineStart)
            let id = FieldID(input.extracting(lineStart..<nameEnd))
            var isPlainName = true
            if id == .other {
                let plainEnd = input.endOfPlainName(from: lineStart)
                isPlainName = plainEnd == nameEnd
                if !isPlainName { nameEnd = input.endOfFieldName(from: plainEnd) }
                guard nameEnd < input.count else { return undecided(line, input.count) }
                guard input[nameEnd] == .colon, nameEnd > lineStart else {
                    return .refused(line.violation(.badFieldName, at: nameEnd))
                }
            }
            let lineEnd = input.endOfFieldValue(from: nameEnd + 1)
            guard lineEnd < input.count else { return undecided(line, input.count) }
            let next: Int
            switch facts.end(of: line, at: lineEnd, in: input) {
            case .needMore: return .needMore(lineStart: lineStart)
            case .refused(let violation): return .refused(violation)
            case .complete(let end): next = end
            }
            let valueStart = input.skippingWhitespace(from: nameEnd + 1, to: lineEnd)
            let valueEnd = input.trimmingWhitespace(from: valueStart, to: lineEnd)
            guard head.fieldCount < Limits.fieldCountMax else { return .refused(.tooManyFields) }
            let name = ByteRange(start: lineStart, count: nameEnd - lineStart)
            let value = ByteRange(start: valueStart, count: valueEnd - valueStart)
            let index = head.fieldCount
            if let violation = facts.enter(id, name: name, value: value, of: input, into: head) {
                return .refused(violation)
            }
            if !isPlainName, let violation = facts.checkInvalidName(input.extracting(name), at: index, head) {
                return .refused(violation)
            }
            lineStart = next
        }
        return .needMore(lineStart: lineStart)
    }

    private static func undecided(_ line: Line, _ count: Int) -> Outcome {
        switch line.undecided(count) {
        case .refused(let violation): .refused(violation)
        case .needMore, .complete: .needMore(lineStart: line.start)
        }
    }
}
