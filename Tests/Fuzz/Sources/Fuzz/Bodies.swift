import Core
import HTTP1

/// Checks that a body is decoded the same however it arrives and however much of it is taken at a time, and that it is
/// still the same after it was encoded and decoded again.
enum Bodies {
    /// The result of decoding a body.
    private struct Outcome: Equatable {
        enum End: Equatable {
            /// The message took so many bytes of the input.
            case ended(Int)
            case refused(Violation)
            case undecided(BodyEnd)
        }

        var data: [UInt8] = []
        /// Trailer fields that are sent on.
        var trailers: [[UInt8]] = []
        var end = End.undecided(.truncated)
    }

    /// The first line of the input says how the body arrives, the rest is the body.
    ///
    /// The line's first byte is `c` for chunked, `u` for until close, else a length by its value. Each other byte is
    /// one arrival: its low four bits plus one are the bytes that arrive, its next three bits plus one are the most
    /// that are taken at a time. After its last byte the line is used again from the beginning.
    static func check(_ input: Span<UInt8>) {
        var lineEnd = 0
        while lineEnd < input.count, input[lineEnd] != .lineFeed { lineEnd += 1 }
        guard lineEnd > 1, lineEnd < input.count else { return }
        let line = copyBytes(input.extracting(0..<lineEnd))
        let body = copyBytes(input.extracting(lineEnd + 1..<input.count))
        let framing: Framing =
            switch line[0] {
            case UInt8(ascii: "c"): .chunked
            case UInt8(ascii: "u"): .untilClose
            default: .length(UInt64(line[0]))
            }
        let whole = decode(framing, body, arrivals: nil)
        for arrivals in [line[1...], [0]] {
            let split = decode(framing, body, arrivals: Array(arrivals))
            var expected = whole
            // A fault in trailers that arrive slowly may be found only once they are complete.
            if case .refused = whole.end, split.end == .undecided(.truncated) { expected.end = split.end }
            demand(split == expected, "in pieces \(split), at once \(whole)")
        }
        if case .length = framing {
            demand(whole.data == Array(body.prefix(Int(line[0]))), "not the bytes that Content-Length counts")
        }
        if framing == .untilClose { demand(whole.data == body, "not all the bytes until the end") }
        if case .ended = whole.end, framing == .chunked { checkRewritten(body, whole) }
    }

    /// Decodes `body` in the arrivals that `check` describes, or at once.
    private static func decode(_ framing: Framing, _ body: [UInt8], arrivals: [UInt8]?) -> Outcome {
        var outcome = Outcome()
        var decoder = BodyDecoder(framing)
        let trailers = Head()
        var start = 0
        var end = 0
        var arrivalIndex = 0
        repeat {
            let arrival = arrivals.map { $0[arrivalIndex % $0.count] }
            arrivalIndex += 1
            end = arrival.map { min(body.count, end + Int($0 & 15) + 1) } ?? body.count
            let appetite = arrival.map { Int($0 >> 4 & 7) + 1 } ?? .max
            var wantsMore = false
            while !wantsMore {
                switch decoder.next(body.span.extracting(start..<end), trailers: trailers) {
                case .data(let skip, let count):
                    demand(skip >= 0 && count > 0 && start + skip + count <= end, "data beyond what has arrived")
                    let taken = min(count, appetite)
                    start += skip
                    outcome.data += body[start..<start + taken]
                    start += taken
                    decoder.consume(taken)
                case .needMore(let skip):
                    start += skip
                    demand(start <= end, "skipped more bytes than have arrived")
                    wantsMore = true
                case .end(let skip):
                    start += skip
                    demand(start <= end && decoder.isComplete, "an end beyond the bytes that have arrived")
                    outcome.trailers = sentFields(trailers)
                    outcome.end = .ended(start)
                    return outcome
                case .refused(let violation):
                    outcome.end = .refused(violation)
                    return outcome
                }
            }
        } while end < body.count
        outcome.end = .undecided(decoder.endOfStream())
        return outcome
    }

    /// Encodes an accepted chunked body as we send it on, and decodes it again.
    private static func checkRewritten(_ body: [UInt8], _ outcome: Outcome) {
        let trailers = Head()
        var decoder = BodyDecoder(.chunked)
        var start = 0
        let room = body.count * (1 + chunkOverheadMax) + lastChunkByteCount()
        let buffer = Buffer(capacity: room + body.count * 2)
        while true {
            let step = decoder.next(body.span.extracting(start..<body.count), trailers: trailers)
            guard case .data(let skip, let count) = step else { break }
            start += skip
            writeChunk(body.span.extracting(start..<start + count), into: buffer)
            start += count
            decoder.consume(count)
        }
        let countBefore = buffer.count
        writeLastChunk(trailers: trailers, into: buffer)
        demand(buffer.count - countBefore <= lastChunkByteCount(trailers: trailers), "more bytes than announced")
        let written = copyBytes(buffer.bytes)
        var expected = outcome
        expected.end = .ended(written.count)
        let again = decode(.chunked, written, arrivals: nil)
        demand(again == expected, "\(outcome) became \(again)")
    }
}
