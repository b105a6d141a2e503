import Core
import HTTP1
import Testing

@Suite struct MonitoredHeadTests {
    private func parse(
        _ input: [UInt8], into head: Head = Head(), scan: inout HeadScan, scratch: Head = Head()
    ) -> HeadResult {
        parseMonitoredRequestHead(input.span, into: head, scratch: scratch, options: RequestOptions(), scan: &scan)
    }

    /// The verdict on a head, which must not depend on how it arrives.
    private func verdict(_ input: String, into head: Head = Head()) -> HeadResult {
        let whole = bytes(input)
        var scan = HeadScan()
        let final = parse(whole, into: head, scan: &scan)
        var slowScan = HeadScan()
        let slowHead = Head()
        var slow = HeadResult.needMore
        for count in 1...whole.count where slow == .needMore {
            slow = parse(Array(whole[..<count]), into: slowHead, scan: &slowScan)
            if slow == .needMore { #expect(slowHead.fieldCount == 0 && slowHead.path.isEmpty, "after \(count)") }
        }
        if let parsed = final.parsed { #expect(slow.parsed == parsed, "byte by byte") }
        return final
    }

    static let line = "POST /a HTTP/1.1\r\nHost: h\r\n"

    @Test(arguments: [
        ("A : b\r\nB: c\r\n", ["Host: h", "B: c"], Framing.none, Compliance.nonCompliantHeader),
        ("A: \u{1}b\u{7F}c\r\n", ["Host: h", "A: b c"], .none, .nonCompliantHeader),
        ("A: b\0c\r\n", ["Host: h", "A: b c"], .none, .badHeader),
        ("A: b\rc\r\n", ["Host: h", "A: b c"], .none, .badHeader),
        ("A: b\r\n c\r\n\td\r\n", ["Host: h", "A: b c d"], .none, .multilineHeader),
        (": b\r\n c\r\nB: c\r\n", ["Host: h", "B: c"], .none, .emptyHeader),
        ("nothing\r\n", ["Host: h"], .none, .missingHeaderColon),
        ("Content_Length: 4\r\n x\r\n", ["Host: h"], .none, .suspiciousHeader),
        ("Transfer-Encoding : chunked\r\nContent-Length: 4\r\n", ["Host: h"], .length(4), .suspiciousTeClPresent),
        ("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", ["Host: h"], .chunked, .bothTeClPresent),
        ("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", ["Host: h"], .chunked, .bothTeClPresent),
        ("Content-Length: 4\r\ncontent-length:4\r\n", ["Host: h"], .length(4), .duplicateContentLength),
    ])
    func isWrittenAnew(lines: String, expected: [String], framing: Framing, compliance: Compliance) throws {
        let head = Head()
        let input = Self.line + lines + "\r\n"
        let parsed = try #require(verdict(input, into: head).parsed)
        #expect(fields(head) == expected)
        #expect(parsed.framing == framing && parsed.compliance == compliance)
        #expect(parsed.isRewritten && parsed.byteCount == input.utf8.count)
    }

    @Test(arguments: [
        ("GET /a b HTTP/1.1", "/a%20b", Compliance.spaceInUri), ("GET /a\tb?\u{1} HTTP/1.1", "/a%09b", .ambiguousUri),
        ("GET /a\r HTTP/1.1", "/a%0D", .badUri),
        ("GET  /a  HTTP/1.1", "/a", .spaceInUri), ("GET /a HTTP/1.1 ", "/a", .nonCompliantVersion),
    ])
    func targetsAreEscaped(line: String, path: String, compliance: Compliance) throws {
        let head = Head()
        let parsed = try #require(verdict("\(line)\r\nHost: h\r\n\r\n", into: head).parsed)
        #expect(text(head, head.path) == path && parsed.isRewritten && parsed.compliance == compliance)
    }

    /// Nobody can tell where such a request ends, or what it is.
    @Test(arguments: [
        line + "Content-Length: 4x\r\n\r\n", line + "Content-Length: 4\u{1}\r\n\r\n",
        line + "Content-Length: 4, 4\r\n\r\n", line + "Content-Length: 4\r\n 4\r\n\r\n",
        line + "Content-Length: 4\r\nContent-Length: 5\r\n\r\n",
        line + "Content-Length : 4\r\nContent-Length: 5\r\n\r\n",
        line + "A: \0\r\nContent_Length: 4\r\nContent-Length: 5\r\n\r\n",
        line + "Content_Length: 4x\r\nContent-Length: 4\r\n\r\n", line + "Transfer-Encoding : x\r\n\r\n",
        line + "Transfer-Encoding : chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET /a HTTP/1.1 HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a HTTP/1.1 b HTTP/1.1\r\nHost: h\r\n\r\n",
        line + "Transfer-Encoding: x\r\n\r\n", line + "Transfer-Encoding:\r\n chunked\r\n\r\n",
        line + "Transfer-Encoding: \0chunked\r\n\r\n",
        line + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        line + "Transfer-Encoding: gzip\r\nContent-Length: 4\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n",
        "G(T / HTTP/1.1\r\nHost: h\r\n\r\n", "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\u{1}\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\n i\r\n\r\n", "GET / HTTP/1.1\r\nA : b\r\n\r\n",
        line + String(repeating: "a\r\n", count: 300),
        line + "A: \u{1}" + String(repeating: "b", count: 70_000),
        line + "A: b\r\n " + String(repeating: "b", count: 16_380) + "\r\n c\r\n\r\n",
    ])
    func isRefusedAsInAnyMode(_ head: String) {
        #expect(verdict(head).violation != nil)
    }

    @Test func whatIsValidIsNotTouched() throws {
        let scratch = Head()
        scratch.append("kept")
        var scan = HeadScan()
        let result = parse(bytes(Self.line + "Content-Length: 4\r\n\r\n"), scan: &scan, scratch: scratch)
        #expect(result.parsed?.isRewritten == false && scratch.byteCount == 4)
    }

    /// Whatever is taken, the copy is what the strict parser takes, to the letter but for the version and the body.
    @Test func copiesHaveOneReading() {
        var numbers = SeededNumbers(state: 15)
        let pieces = [
            "\r\n", "\n", " ", "\t", ":", "A", "Content-Length", "Transfer-Encoding", "chunked", "4", "5", "\0",
            "\u{1}",
            "\r", "_", ",", "Host: h", "\r\nContent-Length: 4", "\r\nTransfer-Encoding: chunked", "\u{FF}", "\r\nB: c",
        ]
        var taken = 0
        for _ in 0..<20_000 {
            var head = "POST / HTTP/1.1\r\nHost: h\r\n"
            for _ in 0..<Int.random(in: 1...8, using: &numbers) { head += pieces.randomElement(using: &numbers) ?? "" }
            head += "\r\n\r\n"
            let scratch = Head(), parsed = Head()
            var scan = HeadScan()
            guard let result = parse(bytes(head), into: parsed, scan: &scan, scratch: scratch).parsed,
                result.isRewritten
            else { continue }
            taken += 1
            let copy = text(scratch.bytes)
            let again = Compliance(headOf: scratch.bytes)
            #expect(again == .compliant, "\(copy.debugDescription) of \(head.debugDescription)")
            #expect(result.compliance != .compliant, "\(head.debugDescription)")
        }
        #expect(taken > 1000)
    }
}
