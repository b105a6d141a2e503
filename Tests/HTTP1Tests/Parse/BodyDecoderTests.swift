import Core
import HTTP1
import Testing

/// The result of decoding a body.
struct Decoded: Equatable {
    enum End: Equatable {
        /// The message ended after this many bytes of input.
        case ended(byteCount: Int)
        case refused(Violation)
        /// More input was needed.
        case undecided(BodyEnd)
    }

    var data = ""
    var trailers: [String] = []
    var end = End.undecided(.truncated)

    /// Whether this is the same result as `whole`, for the same bytes at once. In a trailer section that arrives
    /// slowly, a fault may be found only once the section is complete.
    func agrees(with whole: Decoded) -> Bool {
        if case .refused = whole.end, end == .undecided(.truncated) { return data == whole.data }
        return self == whole
    }
}

/// Decodes `input`, of which `arrivals` bytes arrive at a time and `appetite` bytes of data are consumed at a time.
func decode(
    _ framing: Framing, _ input: [UInt8], arrivals: Int = .max, appetite: Int = .max, isLenient: Bool = false
) -> Decoded {
    var decoder = BodyDecoder(framing, isLenient: isLenient)
    let trailers = Head()
    var decoded = Decoded()
    var dropped = 0
    var arrived = min(arrivals, input.count)
    while true {
        let waiting = input.span.extracting(dropped..<arrived)
        switch decoder.next(waiting, trailers: trailers) {
        case .data(let skip, let count):
            #expect(count > 0 && skip + count <= waiting.count)
            dropped += skip
            let taken = min(count, appetite)
            decoded.data += text(input.span.extracting(dropped..<dropped + taken))
            dropped += taken
            decoder.consume(taken)
        case .needMore(let skip):
            #expect(skip <= waiting.count)
            dropped += skip
            if arrived == input.count {
                decoded.end = .undecided(decoder.endOfStream())
                return decoded
            }
            arrived = min(arrived + arrivals, input.count)
        case .end(let skip):
            decoded.end = .ended(byteCount: dropped + skip)
            decoded.trailers = fields(trailers)
            #expect(decoder.isComplete && decoder.endOfStream() == .complete)
            #expect(decoder.next(waiting, trailers: trailers) == .end(skip: 0) && trailers.fieldCount == 0)
            return decoded
        case .refused(let violation):
            decoded.end = .refused(violation)
            #expect(decoder.next(waiting) == .refused(violation))
            #expect(decoder.endOfStream() == .truncated && !decoder.isComplete)
            return decoded
        }
    }
}

@Suite struct BodyDecoderTests {
    struct Case: Sendable {
        let framing: Framing
        let input: String
        var data = ""
        var trailers: [String] = []
        let end: Decoded.End
    }

    static let cases = [
        Case(framing: .none, input: "abc", end: .ended(byteCount: 0)),
        Case(framing: .length(0), input: "abc", end: .ended(byteCount: 0)),
        Case(framing: .length(3), input: "abcdef", data: "abc", end: .ended(byteCount: 3)),
        Case(framing: .length(3), input: "ab", data: "ab", end: .undecided(.truncated)),
        Case(framing: .length(3), input: "", end: .undecided(.truncated)),
        Case(framing: .length(.max), input: "abc", data: "abc", end: .undecided(.truncated)),
        Case(framing: .untilClose, input: "abc", data: "abc", end: .undecided(.complete)),
        Case(framing: .untilClose, input: "", end: .undecided(.complete)),
        chunked("0\r\n\r\nGET", "", ended: 5),
        chunked("3\r\nabc\r\n0\r\n\r\n", "abc"),
        chunked("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n3\r\n", "abcde", ended: 20),
        chunked("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        chunked("0a\r\n0123456789\r\n000\r\n\r\n", "0123456789"),
        chunked("0000000000000003\r\nabc\r\n0000000000000000\r\n\r\n", "abc"),
        chunked("3;a\r\nabc\r\n0;b=c\r\n\r\n", "abc"),
        chunked("3;a=\"b;c\" ;\td\u{E9}\r\nabc\r\n0\r\n\r\n", "abc"),
        chunked("3;\r\nabc\r\n0\r\n\r\n", "abc"),
        chunked("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
        chunked("7\r\n0\r\n\r\nGE\r\n0\r\n\r\n", "0\r\n\r\nGE"),
        Case(framing: .chunked, input: "3\r\nab", data: "ab", end: .undecided(.truncated)),
        Case(framing: .chunked, input: "3\r\nabc", data: "abc", end: .undecided(.truncated)),
        Case(framing: .chunked, input: "3\r\nabc\r\n0\r\n", data: "abc", end: .undecided(.truncated)),
        Case(framing: .chunked, input: "0\r\n\r", end: .undecided(.truncated)),
        Case(framing: .chunked, input: "FFFFFFFFFFFFFFF\r\nabc", data: "abc", end: .undecided(.truncated)),
        chunked("0\r\nA: b\r\nC:d \r\n\r\nGET", "", ["A: b", "C: d"], ended: 17),
        chunked("1\r\na\r\n0\r\nA: b\r\n\r\n", "a", ["A: b"]),
    ]

    private static func chunked(
        _ input: String, _ data: String, _ trailers: [String] = [], ended: Int? = nil
    ) -> Case {
        let end = Decoded.End.ended(byteCount: ended ?? input.unicodeScalars.count)
        return Case(framing: .chunked, input: input, data: data, trailers: trailers, end: end)
    }

    @Test(arguments: cases) func resultDoesNotDependOnSplits(_ test: Case) {
        let input = bytes(test.input)
        let expected = Decoded(data: test.data, trailers: test.trailers, end: test.end)
        #expect(decode(test.framing, input) == expected)
        for arrivals in 1...max(1, input.count) {
            #expect(decode(test.framing, input, arrivals: arrivals) == expected, "\(arrivals) bytes at a time")
            #expect(decode(test.framing, input, arrivals: arrivals, appetite: 1) == expected)
        }
        #expect(decode(test.framing, input, appetite: 2) == expected)
    }

    static let refused: [(String, Violation)] = [
        // Size: digits, within bounds, and nothing else.
        ("\r\n", .badChunkSize), ("\n", .badChunkSize), (";a\r\n", .badChunkSize), (" 3\r\nabc", .badChunkSize),
        ("3 \r\nabc", .badChunkSize), ("3 ;a\r\nabc", .badChunkSize), ("3\t\r\nabc", .badChunkSize),
        ("+3\r\nabc", .badChunkSize),
        ("-3\r\nabc", .badChunkSize), ("0x3\r\nabc", .badChunkSize), ("3h\r\nabc", .badChunkSize),
        ("g\r\n", .badChunkSize),
        ("3,\r\nabc", .badChunkSize), ("3\u{0}\r\nabc", .badChunkSize), ("_3\r\n", .badChunkSize),
        ("3_0\r\n", .badChunkSize),
        ("00000000000000003\r\nabc", .badChunkSize), ("1000000000000000\r\n", .badChunkSize),
        ("FFFFFFFFFFFFFFFF\r\n", .badChunkSize), ("10000000000000003\r\nabc", .badChunkSize),
        // Its line ends with CRLF.
        ("3\nabc\r\n", .bareLineFeed), ("3\rabc\r\n", .bareCarriageReturn), ("3\r\r\nabc", .bareCarriageReturn),
        ("0\n\r\n", .bareLineFeed), ("0\r\r\n", .bareCarriageReturn),
        // So does an extension, which must not hide anything.
        ("3;a\nabc\r\n", .badChunkExtension), ("3;a\rabc\r\n", .bareCarriageReturn),
        ("3;\nabc\r\n", .badChunkExtension),
        ("3;a\u{0}\r\nabc", .badChunkExtension), ("3;a\u{7F}\r\nabc", .badChunkExtension),
        ("3;a\u{1}\r\nabc", .badChunkExtension),
        ("3;a=\"\n\"\r\nabc", .badChunkExtension), ("0;a\n\r\n", .badChunkExtension),
        // So does data.
        ("3\r\nabc\n0\r\n\r\n", .badChunkEnd), ("3\r\nabc\r0\r\n\r\n", .badChunkEnd), ("3\r\nabcd\r\n", .badChunkEnd),
        ("3\r\nabc0\r\n\r\n", .badChunkEnd), ("3\r\nabc\r\r\n0\r\n\r\n", .badChunkEnd),
        ("3\r\nabc\n\r\n", .badChunkEnd),
        // So do trailers.
        ("0\r\n\n", .bareLineFeed), ("0\r\nA: b\n\r\n", .bareLineFeed), ("0\r\nA: b\r\n\n", .bareLineFeed),
        ("0\r\nA: b\r\r\n", .bareCarriageReturn), ("0\r\nA: b\rC: d\r\n\r\n", .bareCarriageReturn),
        ("0\r\n\rX", .bareCarriageReturn),
        ("0\r\nA\r\n\r\n", .badFieldName), ("0\r\nA : b\r\n\r\n", .badFieldName), ("0\r\n A: b\r\n\r\n", .obsoleteFold),
        ("0\r\nA: b\r\n c\r\n\r\n", .obsoleteFold), ("0\r\nA: \u{0}\r\n\r\n", .badFieldValue),
        ("0\r\nGET / HTTP/1.1\r\n", .badFieldName),
        ("0\r\nContent_Length: 5\r\n\r\n", .suspiciousHeader),
    ]

    @Test(arguments: refused) func anythingElseIsRefused(input: String, violation: Violation) {
        for prefix in ["", "1;x=y\r\nz\r\n"] {
            let input = bytes(prefix + input)
            let whole = decode(.chunked, input)
            #expect(whole.end == .refused(violation))
            for arrivals in 1...input.count {
                let slow = decode(.chunked, input, arrivals: arrivals, appetite: 1)
                #expect(slow.agrees(with: whole), "\(arrivals) at a time")
            }
        }
    }

    /// Blanks after a chunk size, as an old Tomcat writes them, are accepted in responses only, and nothing else is.
    @Test(
        arguments: [
            ("3  \r\nabc\r\n0\r\n\r\n", nil), ("3\t\r\nabc\r\n000      \r\n\r\n", nil),
            ("3 ;a=b\r\nabc\r\n0 ; c\r\n\r\n", nil), (" 3\r\nabc\r\n0\r\n\r\n", .badChunkSize),
            ("3 3\r\nabc\r\n", .badChunkSize), ("3 x\r\nabc\r\n", .badChunkSize), ("3 \nabc\r\n", .bareLineFeed),
            ("3 \rabc\r\n", .bareCarriageReturn), ("3\r\nabc\r\n \r\n", .badChunkSize),
            ("3\r\nabc \r\n0\r\n\r\n", .badChunkEnd), (" \r\n", .badChunkSize),
            ("3\(String(repeating: " ", count: 256))\r\nabc\r\n", .chunkLineTooLong),
        ] as [(String, Violation?)])
    func responsesMayHaveBlanksAfterAChunkSize(input: String, violation: Violation?) {
        let input = bytes(input)
        let expected = violation.map { .refused($0) } ?? Decoded.End.ended(byteCount: input.count)
        for arrivals in 1...input.count {
            #expect(decode(.chunked, input, arrivals: arrivals, isLenient: true).end == expected)
        }
        #expect(violation != nil || decode(.chunked, input, isLenient: true).data == "abc")
        #expect(decode(.chunked, input).end != .ended(byteCount: input.count), "not in a request")
    }

    /// Each line of a chunked body with each kind of line end: only CRLF is accepted.
    @Test(arguments: ["\n", "\r", "\r\n"], ["", ";ext"])
    func onlyCRLFEndsALine(wrong: String, ending: String) {
        for place in 0..<5 {
            var ends = Array(repeating: "\r\n", count: 5)
            ends[place] = wrong
            let input = "3\(ending)\(ends[0])abc\(ends[1])0\(ending)\(ends[2])T: v\(ends[3])\(ends[4])"
            let decoded = decode(.chunked, bytes(input))
            if wrong == "\r\n" {
                #expect(decoded.end == .ended(byteCount: input.utf8.count))
                continue
            }
            switch decoded.end {
            case .ended: Issue.record("accepted: \(input.debugDescription)")
            // Without its last line end the body is incomplete, not malformed.
            case .undecided: #expect(place == 4 && wrong == "\r", "\(input.debugDescription)")
            case .refused: break
            }
        }
    }

    @Test func aSizeLineIsLimited() {
        let extensionText = String(repeating: "e", count: Limits.chunkLineBytesMax - 2)
        #expect(decode(.chunked, bytes("0;\(extensionText)\r\n\r\n")).end == .ended(byteCount: 260))
        #expect(decode(.chunked, bytes("0;\(extensionText)e")).end == .refused(.chunkLineTooLong))
        #expect(decode(.chunked, bytes("1;\(extensionText)\r\na\r\n1;\(extensionText)\r\nb\r\n")).data == "ab")
    }

    @Test func aTrailerSectionIsLimited() {
        let line = "A: " + String(repeating: "b", count: Limits.trailerBytesMax - 7)
        let fitting = bytes("0\r\n\(line)\r\n\r\n")
        #expect(decode(.chunked, fitting).end == .ended(byteCount: 3 + Limits.trailerBytesMax))
        #expect(decode(.chunked, fitting, arrivals: 1).end == .ended(byteCount: 3 + Limits.trailerBytesMax))
        for arrivals in [1, Int.max] {
            let larger = bytes("0\r\n\(line)b\r\n\r\n")
            #expect(decode(.chunked, larger, arrivals: arrivals).end == .refused(.trailersTooLarge))
            let endless = bytes("0\r\n" + String(repeating: "a:\r\n", count: 3000))
            #expect(decode(.chunked, endless, arrivals: arrivals).end == .refused(.tooManyFields))
        }
    }

    @Test func forbiddenTrailersAreRemoved() {
        let forbidden = [
            "Content-Length: 5", "Transfer-Encoding: chunked", "Host: b", "Connection: a", "Keep-Alive: 1", "TE: x",
            "Upgrade: x", "Expect: y", "Trailer: a", "X-Forwarded-For: 1", "X-Forwarded-Host: a", "X-Amzn-Trace-Id: 2",
            "X-Amzn-Oidc-Data: 3", "Authorization: x", "Cookie: a", "Set-Cookie: a=b", "Content-Encoding: gzip",
            "Content-Type: a/b", "Content-Range: x", "Cache-Control: x", "Location: /", "Max-Forwards: 1", "Range: 1",
            "WWW-Authenticate: x", "Proxy-Authorization: x", "Proxy-Authenticate: x", "Age: 1", "Pragma: x",
        ]
        let section = (["X-Checksum: 1"] + forbidden + ["Digest: 2"]).joined(separator: "\r\n")
        let decoded = decode(.chunked, bytes("0\r\n\(section)\r\n\r\n"))
        #expect(decoded.trailers == ["X-Checksum: 1", "Digest: 2"])
    }

    /// A name that is not a token is rejected in requests and accepted in responses, as in heads.
    @Test func namesInTrailersAreTokensInRequestsOnly() {
        for byte in Array("\"(),/;<=>?@[\\]{}".utf8) + [0x80, 0xC3, 0xFF] {
            for name in [[byte], bytes("A") + [byte], bytes("A") + [byte] + bytes("B")] {
                let input = bytes("1\r\nx\r\n0\r\nX: y\r\n") + name + bytes(": 6.6.6.6\r\n\r\n")
                for arrivals in [1, Int.max] {
                    #expect(decode(.chunked, input, arrivals: arrivals).end == .refused(.badFieldName), "\(name)")
                    let borne = decode(.chunked, input, arrivals: arrivals, isLenient: true)
                    #expect(borne.end == .ended(byteCount: input.count) && borne.trailers.count == 2, "\(name)")
                }
            }
        }
        #expect(decode(.chunked, bytes("0\r\na!#$%&'*+.^_`|~b: c\r\n\r\n")).trailers == ["a!#$%&'*+.^_`|~b: c"])
    }

    @Test func trailersOfAnotherMessageDoNotStay() {
        let trailers = Head()
        trailers.addField(name: trailers.append("A"), value: trailers.append("b"), id: .other)
        let nothing = [UInt8]()
        var decoder = BodyDecoder(.none)
        #expect(decoder.next(nothing.span, trailers: trailers) == .end(skip: 0))
        #expect(trailers.fieldCount == 0)
    }

    @Test func trailersAreDroppedWithoutAHead() {
        var decoder = BodyDecoder(.chunked)
        #expect(decoder.next(bytes("0\r\nA: b\r\n\r\nx").span) == .end(skip: 11))
    }

    @Test func unconsumedDataIsOfferedAgain() {
        var decoder = BodyDecoder(.chunked)
        let input = bytes("5\r\nabcde\r\n")
        #expect(decoder.next(input.span) == .data(skip: 3, count: 5))
        #expect(decoder.next(input.span.extracting(3..<10)) == .data(skip: 0, count: 5))
        decoder.consume(0)
        decoder.consume(2)
        #expect(decoder.next(input.span.extracting(5..<7)) == .data(skip: 0, count: 2))
        #expect(decoder.next(input.span.extracting(5..<10)) == .data(skip: 0, count: 3))
        decoder.consume(3)
        #expect(decoder.next(input.span.extracting(8..<10)) == .needMore(skip: 2))
        #expect(!decoder.isComplete)
    }
}
