import Core
@testable import HTTP1
import Testing

@Suite struct HeadScanTests {
    /// The verdict when bytes arrive one by one (slow loris), and after how many.
    private func drip(_ side: Side, _ input: [UInt8]) -> (result: HeadResult, byteCount: Int) {
        let head = Head()
        var scan = HeadScan()
        for count in 1...input.count {
            let result = side.parse(input.span.extracting(first: count), into: head, scan: &scan)
            if result != .needMore { return (result, count) }
        }
        return (.needMore, input.count)
    }

    static let start = "GET / HTTP/1.1\r\nHost: a\r\n"
    static let cases: [(String, String, HeadResult?)] = [
        ("endless line", start + String(repeating: "a", count: 70_000), .refused(.fieldTooLarge)),
        ("endless request line", String(repeating: "a", count: 70_000), .refused(.requestLineTooLong)),
        (
            "endless head", start + String(repeating: "A: " + String(repeating: "b", count: 1000) + "\r\n", count: 70),
            .refused(.headTooLarge)
        ),
        ("endless fields", start + String(repeating: "a:\n", count: 1000), .refused(.tooManyFields)),
        ("as large as can be", start + String(repeating: "a:b\r\n", count: 255) + "\r\n", nil),
    ]

    @Test(arguments: cases) func slowClientGetsTheSameVerdict(_ test: (String, String, HeadResult?)) {
        let input = bytes(test.1)
        var scan = HeadScan()
        let whole = parseRequestHead(input.span, into: Head(), options: RequestOptions(), scan: &scan)
        if let expected = test.2 { #expect(whole == expected) } else { #expect(whole.parsed != nil) }
        let slow = drip(.request(RequestOptions()), input)
        #expect(slow.result == whole)
        let cap = Limits.requestHeadBytesMax + 1
        #expect(slow.byteCount <= cap)
    }

    @Test func aSlowResponseIsLimitedToo() {
        let line = "A: " + String(repeating: "b", count: 1000) + "\r\n"
        let slow = drip(.response(isHEAD: false), bytes("HTTP/1.1 200 OK\r\n" + String(repeating: line, count: 40)))
        #expect(slow.result == .refused(.headTooLarge))
        #expect(slow.byteCount == Limits.responseHeadBytesMax + 1)
    }

    /// Counts how often a head is parsed: not for every byte, and not for every line.
    @Test func byteByByteIsParsedRarely() {
        let input = bytes(Self.start + String(repeating: "a: b\r\n", count: 200) + "\r\n")
        let head = Head()
        var scan = HeadScan()
        var parseCount = 0
        for count in 1...input.count {
            let prefix = input.span.extracting(first: count)
            var probe = scan
            if probe.isWorthParsing(prefix, bytesMax: Limits.requestHeadBytesMax) { parseCount += 1 }
            _ = parseRequestHead(prefix, into: head, options: RequestOptions(), scan: &scan)
        }
        #expect(parseCount == 3, "the first byte, the first line, the complete head")
    }

    @Test func startsAgainAfterAVerdict() {
        let head = Head()
        var scan = HeadScan()
        func parse(_ text: String) -> HeadResult {
            parseRequestHead(bytes(text).span, into: head, options: RequestOptions(), scan: &scan)
        }
        #expect(parse("GET / HTTP/1.1\r\nHo") == .needMore)
        #expect(parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n").parsed != nil)
        #expect(parse("G") == .needMore)
        scan.reset()
        #expect(parse("").violation == nil)
        #expect(parse("GET\r\n").violation == .badRequestLine)
        #expect(parse("G") == .needMore)
    }
}
