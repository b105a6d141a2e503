import Core

/// Separates the bytes of one message body from its framing: Content-Length, chunked, or until the connection ends.
///
/// Shape:  a trivial value; holds no bytes. Framing is consumed byte by byte, so nothing is examined twice; only a
///         trailer section must be complete before it is read.
/// Limits: a buffer that feeds a chunked body holds at least `Limits.trailerBytesMax` bytes.
/// Source: RFC 9112 §6.3, §7.1; docs/threats.md, "Message framing".
public struct BodyDecoder: Sendable {
    private enum Phase: Equatable {
        /// `remaining` bytes of the body, then its end.
        case length
        /// All bytes until the connection ends are the body.
        case untilClose
        /// The size line of a chunk: its digits, blanks behind them, its extension, or the line feed that ends it.
        case chunkSize, chunkSizeBlank, chunkExtension, chunkSizeLineFeed
        /// `remaining` bytes of a chunk, then the CRLF that ends it.
        case chunkData, chunkDataCarriageReturn, chunkDataLineFeed
        /// What follows the last chunk.
        case trailers
        case complete
        case failed(Violation)
    }

    private var phase: Phase
    /// Bytes of the body, or of this chunk, that are still to come. In a size line: the value of its digits so far.
    private var remaining: UInt64 = 0
    /// Bytes of the size line so far.
    private var lineByteCount = 0
    private var trailerScan = HeadScan()
    /// Whether a chunk's size may be followed by blanks, and trailer names need not be tokens.
    private let isLenient: Bool

    /// With `isLenient`, for responses only, a chunk's size may be followed by blanks, as some old servers and small
    /// devices write it, and trailer names need not be tokens. That is safe since the response is forwarded with our
    /// own framing. In a request it would be ambiguous (request smuggling).
    public init(_ framing: Framing, isLenient: Bool = false) {
        self.isLenient = isLenient
        switch framing {
        case .none: phase = .complete
        case .length(let length):
            phase = length > 0 ? .length : .complete
            remaining = length
        case .chunked: phase = .chunkSize
        case .untilClose: phase = .untilClose
        }
    }

    /// Whether the message has been read to its end.
    public var isComplete: Bool { phase == .complete }

    /// Whether the body is complete if the connection ends now. All earlier bytes must have been consumed.
    public func endOfStream() -> BodyEnd { phase == .complete || phase == .untilClose ? .complete : .truncated }

    /// What `input` begins with. `input` is all bytes that have arrived and that no earlier step dropped.
    ///
    /// When the result is `end`, `trailers` holds the trailer fields, if there are any; those about framing, routing
    /// and this hop are marked removed. Without `trailers` they are validated and dropped.
    public mutating func next(_ input: Span<UInt8>, trailers: Head? = nil) -> BodyStep {
        var index = 0
        while true {
            switch phase {
            case .complete:
                trailers?.reset()
                return .end(skip: index)
            case .failed(let violation):
                return .refused(violation)
            case .untilClose, .length, .chunkData:
                guard index < input.count else { return .needMore(skip: index) }
                let waiting = input.count - index
                let isBounded = phase != .untilClose && remaining < UInt64(waiting)
                return .data(skip: index, count: isBounded ? Int(remaining) : waiting)
            case .trailers:
                return readTrailers(input, from: index, into: trailers)
            case .chunkSize, .chunkSizeBlank, .chunkExtension, .chunkSizeLineFeed, .chunkDataCarriageReturn,
                .chunkDataLineFeed:
                guard index < input.count else { return .needMore(skip: index) }
                readFraming(input[index])
                index += 1
            }
        }
    }

    /// Reports that `count` bytes of the body were taken; at most as many as the last `data` step offered.
    public mutating func consume(_ count: Int) {
        switch phase {
        case .untilClose: return
        case .length, .chunkData:
            precondition(count >= 0 && UInt64(count) <= remaining, "body: consumed more than there is")
            remaining -= UInt64(count)
            if remaining == 0 { phase = phase == .length ? .complete : .chunkDataCarriageReturn }
        case .chunkSize, .chunkSizeBlank, .chunkExtension, .chunkSizeLineFeed, .chunkDataCarriageReturn,
            .chunkDataLineFeed, .trailers, .complete, .failed:
            precondition(count == 0, "body: consumed where no data was offered")
        }
    }

    /// Reads one byte of chunked framing.
    @inline(__always)
    private mutating func readFraming(_ byte: UInt8) {
        switch phase {
        case .chunkSize: readSize(byte)
        case .chunkSizeBlank: endSize(byte)
        case .chunkExtension:
            if byte == .carriageReturn {
                phase = .chunkSizeLineFeed
            } else if byte < .space && byte != .tab || byte == .delete {
                phase = .failed(.badChunkExtension)
            } else {
                lineByteCount += 1
                if lineByteCount > Limits.chunkLineBytesMax { phase = .failed(.chunkLineTooLong) }
            }
        case .chunkSizeLineFeed:
            guard byte == .lineFeed else { return phase = .failed(.bareCarriageReturn) }
            phase = remaining > 0 ? .chunkData : .trailers
        case .chunkDataCarriageReturn:
            phase = byte == .carriageReturn ? .chunkDataLineFeed : .failed(.badChunkEnd)
        case .chunkDataLineFeed:
            phase = byte == .lineFeed ? .chunkSize : .failed(.badChunkEnd)
            remaining = 0
            lineByteCount = 0
        case .length, .untilClose, .chunkData, .trailers, .complete, .failed:
            preconditionFailure("body: byte of framing in \(phase)")
        }
    }

    /// Reads one byte of a chunk's size line before the extension: a digit, `;` or the line's end.
    private mutating func readSize(_ byte: UInt8) {
        if let digit = byte.hexadecimalValue {
            // Sixteen digits could overflow: sizes are rejected far below that.
            guard lineByteCount < Limits.chunkSizeDigitsMax, remaining < 1 << 56 else {
                return phase = .failed(.badChunkSize)
            }
            remaining = remaining << 4 | UInt64(digit)
            lineByteCount += 1
            return
        }
        guard lineByteCount > 0 else { return phase = .failed(.badChunkSize) }
        endSize(byte)
    }

    /// Reads the byte after the digits.
    private mutating func endSize(_ byte: UInt8) {
        lineByteCount += 1
        switch byte {
        case .carriageReturn: phase = .chunkSizeLineFeed
        case .semicolon: phase = .chunkExtension
        case .lineFeed: phase = .failed(.bareLineFeed)
        case .space where isLenient, .tab where isLenient:
            phase = lineByteCount > Limits.chunkLineBytesMax ? .failed(.chunkLineTooLong) : .chunkSizeBlank
        default: phase = .failed(.badChunkSize)
        }
    }

    /// Reads the trailer section once it is complete. Source: RFC 9112 §7.1.2.
    private mutating func readTrailers(_ input: Span<UInt8>, from start: Int, into trailers: Head?) -> BodyStep {
        let section = input.extracting(start..<input.count)
        if section.count >= 2, section[0] == .carriageReturn, section[1] == .lineFeed {
            trailers?.reset()
            phase = .complete
            return .end(skip: start + 2)
        }
        guard trailerScan.isWorthParsing(section, bytesMax: Limits.trailerBytesMax) else {
            return .needMore(skip: start)
        }
        let head = trailers ?? Head()
        head.reset()
        let window = section.extracting(first: Limits.trailerBytesMax)
        var facts = FieldFacts(.trailers(acceptsAnyName: isLenient), minorVersion: 1, arenaShift: 0)
        switch FieldLines.read(window, from: 0, into: head, facts: &facts) {
        case .needMore(let lineStart):
            trailerScan.suspend(section, lineStart: lineStart, lineCount: head.fieldCount + 1)
            head.reset()
            guard section.count > window.count else { return .needMore(skip: start) }
            phase = .failed(.trailersTooLarge)
            return .refused(.trailersTooLarge)
        case .refused(let violation):
            head.reset()
            phase = .failed(violation)
            return .refused(violation)
        case .complete(let end):
            head.append(window.extracting(first: end))
            phase = .complete
            return .end(skip: start + end)
        }
    }
}
