import Core
import HTTP1
import Testing

/// Heads with random mutations, the same in every run. None may trap, and the verdict must not depend on how a head
/// arrives.
@Suite struct FuzzHeads {
    static let requests = [
        "GET /a/%41/../b?c=d HTTP/1.1\r\nHost: a.example:80\r\nConnection: x, close\r\nX: y\r\nCookie: a=b\r\n\r\n",
        "POST http://a.example/./%2e%2E/%2f HTTP/1.1\r\nHost: b\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n",
        "PUT /\\..%5c HTTP/1.0\nTransfer-Encoding: chunked\nHost: [::1]:80\nTransfer_Encoding: x\n\n",
        "\r\nOPTIONS * HTTP/1.1\r\nhost: a\r\ntransfer-encoding:\tchunked \r\nconnection: te,host\r\nte: x\r\n\r\n",
    ]
    static let responses = [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\nServer: a\r\n\r\n",
        "HTTP/1.0 304 Not Modified\r\nTransfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n",
        "HTTP/1.1 103\nLink: <a>\n\n",
    ]
    static let pieces = [
        "\r", "\n", "\r\n", "\r\n\r\n", " ", "\t", ":", ",", "%", "%2e", "%00", "/..", "\\", "?", "#", "\u{0}",
        "\u{7F}",
        "\u{FF}", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Host: b\r\n", "chunked", "HTTP/1.1", "_",
        "Connection: host\r\n", "Connection: x\r\n", "999999999999999999999", "[", "]", "@", "\r\n ",
    ]

    /// One of `seeds` with up to six mutations: bytes changed, removed, duplicated, or pieces inserted.
    static func mutated(_ seeds: [String], _ numbers: inout SeededNumbers) -> [UInt8] {
        var input = bytes(seeds[Int.random(in: 0..<seeds.count, using: &numbers)])
        for _ in 0..<Int.random(in: 0...6, using: &numbers) {
            let index = Int.random(in: 0..<input.count, using: &numbers)
            switch Int.random(in: 0..<4, using: &numbers) {
            case 0: input[index] = UInt8.random(in: 0...255, using: &numbers)
            case 1: if input.count > 1 { input.remove(at: index) }
            case 2: input.insert(input[index], at: index)
            default:
                let piece = pieces[Int.random(in: 0..<pieces.count, using: &numbers)]
                input.insert(contentsOf: bytes(piece), at: index)
            }
        }
        return input
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>) func aRequestHasOneVerdict(seed: UInt64) {
        var numbers = SeededNumbers(state: seed)
        let head = Head()
        var counts = (complete: 0, refused: 0)
        for round in 0..<250 {
            let input = Self.mutated(Self.requests, &numbers)
            let options = RequestOptions(dropsInvalidNames: round % 2 == 0, keepsDuplicateHosts: round % 3 == 0)
            switch verdict(.request(options), input, into: head) {
            case .complete(let parsed):
                counts.complete += 1
                checkRewritten(head, parsed, options)
            case .refused: counts.refused += 1
            case .needMore: break
            }
        }
        #expect(counts.complete > 10 && counts.refused > 10)
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>) func aResponseHasOneVerdict(seed: UInt64) {
        var numbers = SeededNumbers(state: seed)
        let head = Head()
        var completeCount = 0
        for round in 0..<250 {
            let input = Self.mutated(Self.responses, &numbers)
            guard case .complete(let parsed) = verdict(.response(isHEAD: round % 2 == 0), input, into: head) else {
                continue
            }
            completeCount += 1
            let buffer = Buffer(capacity: responseHeadByteCount(head))
            writeResponseHead(head, framing: parsed.framing, connection: .close, into: buffer)
            var scan = HeadScan()
            let again = parseResponseHead(buffer.bytes, into: Head(), requestIsHEAD: round % 2 == 0, scan: &scan)
            #expect(again.parsed?.byteCount == buffer.count)
            #expect(again.parsed?.framing == parsed.framing)
        }
        #expect(completeCount > 10)
    }

    /// Checks that an accepted head is written in a form that is accepted, means the same, and does not change when it
    /// is written again.
    private func checkRewritten(_ head: Head, _ parsed: ParsedHead, _ options: RequestOptions) {
        let buffer = Buffer(capacity: requestHeadByteCount(head))
        writeRequestHead(head, framing: parsed.framing, into: buffer)
        let again = Head()
        var scan = HeadScan()
        let lenient = RequestOptions(keepsDuplicateHosts: options.keepsDuplicateHosts)
        let result = parseRequestHead(buffer.bytes, into: again, options: lenient, scan: &scan)
        // A request of HTTP/1.0 may have no Host; the proxy adds one.
        if head.firstField(.host) == nil {
            #expect(result == .refused(.missingHost))
            return
        }
        #expect(result.parsed?.byteCount == buffer.count, "\(text(buffer.bytes).debugDescription)")
        #expect(text(again, again.path) == text(head, head.path))
        #expect(text(again, again.query) == text(head, head.query))
        #expect(fields(again) == fields(head))
        if parsed.framing == .chunked || parsed.framing == .length(12) {
            #expect(result.parsed?.framing == parsed.framing)
        }
    }
}
