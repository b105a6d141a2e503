import Core
@testable import HTTP1
import Testing

@Suite struct RequestHeadTests {
    @Test func parsesAllParts() {
        let head = Head()
        let input = "POST /a%41/../b?c=d HTTP/1.1\r\nHost: a.example:80\r\nContent-Length: 12\r\nA: b\r\n\r\n"
        let expected = ParsedHead(
            byteCount: input.utf8.count, framing: .length(12), isPersistent: true, expectsContinue: false)
        #expect(request(input + "and more", into: head) == .complete(expected))
        #expect(text(head, head.method) == "POST")
        #expect(text(head, head.target) == "/a%41/../b?c=d")
        #expect(text(head, head.path) == "/b")
        #expect(text(head, head.query) == "?c=d")
        #expect(text(head, head.authority) == "a.example:80")
        #expect(head.body == .exactly(12))
        #expect(head.status == 0)
        #expect(fields(head) == ["Host: a.example:80", "A: b"])
        #expect(!head.hasInvalidNames)
    }

    @Test(arguments: [
        ("POST", "", BodyLength.none), ("POST", "Content-Length: 0\r\n", .exactly(0)),
        ("POST", "Transfer-Encoding: chunked\r\n", .unknown),
    ])
    func theBodysLengthIsNeutral(method: String, lines: String, body: BodyLength) {
        let head = Head()
        #expect(request("\(method) / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n", into: head).parsed != nil)
        #expect(head.body == body)
    }

    @Test(arguments: [
        ("GET", "Content-Length: 1\r\n", true), ("HEAD", "Content-Length: 1\r\n", true),
        ("GET", "Transfer-Encoding: chunked\r\n", true), ("HEAD", "Transfer-Encoding: chunked\r\n", true),
        ("GET", "Content-Length: 0\r\n", false), ("GET", "", false), ("POST", "Content-Length: 1\r\n", false),
        ("DELETE", "Content-Length: 1\r\n", false), ("get", "Content-Length: 1\r\n", false),
    ])
    func bodyOfABodylessMethodIsAmbiguous(method: String, lines: String, isAmbiguous: Bool) {
        let result = request("\(method) / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")
        #expect((result.parsed?.compliance.tier == .ambiguous) == isAmbiguous)
    }

    @Test(arguments: ["\r\n", "\n", "\r\n\r\n", "\n\n", "\n\r\n"])
    func emptyLinesBeforeAreSkipped(blank: String) {
        let head = Head()
        let input = blank + "GET /%41 HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(request(input + "GET", into: head).parsed?.byteCount == input.utf8.count)
        #expect(text(head, head.path) == "/A")
        #expect(fields(head) == ["Host: a"])
    }

    @Test func rejectsMoreThanTwoEmptyLines() {
        let rest = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(request("\r\n\r\n\r\n" + rest).violation == .badRequestLine)
        #expect(request("\n\n\n" + rest).violation == .badRequestLine)
        #expect(request("\r" + rest).violation == .bareCarriageReturn)
        #expect(request("\r\n\r" + rest).violation == .bareCarriageReturn)
        #expect(request(" \r\n" + rest).violation == .badMethod)
    }

    @Test func emptyInputIsUndecided() {
        for input in ["", "\r", "\r\n", "\r\n\r\n", "G", "GET ", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n"]
        {
            #expect(request(input) == .needMore)
        }
    }

    @Test func itsLengthIsLimited() {
        let start = "GET / HTTP/1.1\r\nHost: a\r\n"
        let line = "A: " + String(repeating: "b", count: 1019) + "\r\n"
        #expect(line.utf8.count == 1024)
        let full = start + String(repeating: line, count: 63)
        let room = Limits.requestHeadBytesMax - full.utf8.count - 2
        func parse(_ text: String) -> HeadResult {
            var scan = HeadScan()
            return parseRequestHead(bytes(text).span, into: Head(), options: RequestOptions(), scan: &scan)
        }
        let fitting = full + "C: " + String(repeating: "d", count: room - 5) + "\r\n\r\n"
        #expect(fitting.utf8.count == Limits.requestHeadBytesMax)
        #expect(parse(fitting).parsed?.byteCount == fitting.utf8.count)
        #expect(parse(fitting + "body").parsed?.byteCount == fitting.utf8.count)
        let larger = full + "C: " + String(repeating: "d", count: room - 4) + "\r\n\r\n"
        #expect(parse(String(larger.dropLast(1))) == .needMore || larger.utf8.count - 1 > Limits.requestHeadBytesMax)
        #expect(parse(larger).violation == .headTooLarge)
        #expect(parse(larger + "\u{0}").violation == .headTooLarge)
        // A fault beyond the limit is not examined.
        #expect(parse(full + line + line + "\u{0}: b\r\n\r\n").violation == .headTooLarge)
    }

    @Test(arguments: [
        ("TRACE /a HTTP/1.1\r\nHost: a\r\n\r\n", "TRACE", "/a", "/a", ""),
        ("CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT", "a.example:443", "", "a.example:443"),
        ("\r\nGET /a?b HTTP/1.1\r\n: c\r\n\r\n", "GET", "/a?b", "/a", ""),
        ("POST /a%41 HTTP/1.1\r\nHost: a b\r\n\r\n", "POST", "/a%41", "/aA", ""),
        ("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/%zz", "", ""),
        ("GET http://a.example/b HTTP/1.1\r\nA : b\r\n\r\n", "GET", "http://a.example/b", "/b", "a.example"),
        ("GET / HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: 257) + "\r\n", "GET", "/", "/", ""),
    ])
    func rejectedHeadKeepsItsRequestLine(
        input: String, method: String, target: String, path: String, authority: String
    ) {
        let head = Head()
        #expect(request(input, into: head).violation != nil)
        #expect(text(head, head.method) == method)
        #expect(text(head, head.target) == target)
        #expect(text(head, head.path) == path)
        #expect(text(head, head.authority) == authority)
        #expect(head.fieldCount == 0 && !head.mayContain(.host))
    }

    @Test(arguments: [
        "G(T / HTTP/1.1\r\n", "GET / HTTP/2.0\r\n", "GET /\r\n", "GET / HTTP/1.1x", "\r\r\n", "GET /\u{0}",
    ])
    func rejectedRequestLineLeavesAnEmptyHead(input: String) {
        let head = Head()
        #expect(request(input, into: head).violation != nil)
        #expect(head.byteCount == 0 && head.method.isEmpty && head.target.isEmpty && head.path.isEmpty)
    }

    @Test func headIsReusable() {
        let head = Head()
        #expect(request("POST /%41?q HTTP/1.0\r\nA_b: c\r\nContent-Length: 4\r\n\r\n", into: head).parsed != nil)
        #expect(request("GET / HTTP/1.1\r\nHost: a\r\n\r\n", into: head).parsed != nil)
        #expect(head.body == .none && head.minorVersion == 1 && head.query.isEmpty && !head.hasInvalidNames)
        #expect(fields(head) == ["Host: a"])
        #expect(request("GET / HTTP/1.1\r\nA: b\r\n\r\n", into: head).violation == .missingHost)
        #expect(head.fieldCount == 0 && !head.mayContain(.host))
    }
}
