import Core
import HTTP1
import Testing

@Suite struct RequestLineTests {
    static let rest = "\r\nHost: a.example\r\n\r\n"

    @Test(arguments: [
        ("GET /a HTTP/1.1", 1), ("GET /a HTTP/1.0", 0), ("GET /a HTTP/1.2", 1), ("GET /a HTTP/1.9", 1),
        ("M-SEARCH /a HTTP/1.1", 1), ("!#$%&'*+-.^_`|~09azAZ /a HTTP/1.1", 1), ("get /a HTTP/1.1", 1),
        ("OPTIONS * HTTP/1.1", 1), ("GET /\u{E9}\u{FF}?\u{80} HTTP/1.1", 1),
    ])
    func isAccepted(line: String, minorVersion: Int) {
        let head = Head()
        #expect(request(line + Self.rest, into: head).parsed != nil)
        #expect(Int(head.minorVersion) == minorVersion)
        let parts = line.split(separator: " ")
        #expect(text(head, head.method) == parts[0])
        #expect(text(head, head.target) == parts[1])
    }

    @Test func aLineFeedAloneEndsIt() {
        let head = Head()
        #expect(request("GET /a HTTP/1.1\nHost: a.example\n\n", into: head).parsed?.byteCount == 33)
        #expect(text(head, head.path) == "/a")
        #expect(fields(head) == ["Host: a.example"])
    }

    static let refused: [(String, Violation)] = [
        ("G(T / HTTP/1.1", .badMethod), (" GET / HTTP/1.1", .badMethod), ("GET\t/ HTTP/1.1", .badMethod),
        ("G\u{0}T / HTTP/1.1", .badMethod), ("G\u{E9}T / HTTP/1.1", .badMethod), ("\"GET\" / HTTP/1.1", .badMethod),
        ("GET", .badRequestLine), ("GET /", .badRequestLine), ("GET\r/ HTTP/1.1", .badRequestLine),
        ("GET /\r HTTP/1.1", .badRequestLine), ("GET /\nHTTP/1.1", .badRequestLine),
        ("GET  / HTTP/1.1", .badTarget), ("GET /\tHTTP/1.1", .badTarget), ("GET /a\u{0}b HTTP/1.1", .badTarget),
        ("GET /a\u{7F} HTTP/1.1", .badTarget), ("GET /a\u{1} HTTP/1.1", .badTarget),
        ("GET /a#b HTTP/1.1", .badTarget), ("GET /?a#b HTTP/1.1", .badTarget),
        ("GET /  HTTP/1.1", .badVersion), ("GET / HTTP/1.1 ", .badVersion), ("GET / HTTP/11", .badVersion),
        ("GET / HTTP/1.10", .badVersion), ("GET / http/1.1", .badVersion), ("GET / HTTP/1,1", .badVersion),
        ("GET / HTTP/a.1", .badVersion), ("GET / a HTTP/1.1", .badVersion), ("GET / HTTPS/1.1", .badVersion),
        ("GET / HTTP/1.1\rX", .bareCarriageReturn),
        ("GET / HTTP/2.0", .unsupportedVersion), ("GET / HTTP/0.9", .unsupportedVersion),
        ("GET / HTTP/3.1", .unsupportedVersion), ("PRI * HTTP/2.0", .unsupportedVersion),
        ("TRACE / HTTP/1.1", .methodNotAllowed), ("CONNECT a.example:443 HTTP/1.1", .methodNotAllowed),
        ("GET a HTTP/1.1", .badTarget), ("GET * HTTP/1.1", .badTarget), ("OPTIONS ** HTTP/1.1", .badTarget),
        ("GET ?a HTTP/1.1", .badTarget), ("GET a.example:80 HTTP/1.1", .badTarget),
    ]

    @Test(arguments: refused) func isRefused(line: String, violation: Violation) {
        #expect(request(line + Self.rest).violation == violation)
    }

    @Test func aBadLineIsRefusedAsSoonAsItIsComplete() {
        #expect(request("GET / HTTP/1.1x").violation == .badVersion)
        #expect(request("GET /%zz HTTP/1.1\r\n").violation == .badPercentEncoding)
        #expect(request("GET /%zz HTTP/1.1\r") == .needMore)
    }

    @Test func itsLengthIsLimited() {
        let fitting = "GET /" + String(repeating: "a", count: Limits.requestLineBytesMax - 14) + " HTTP/1.1"
        #expect(fitting.utf8.count == Limits.requestLineBytesMax)
        var scan = HeadScan()
        func parse(_ text: String) -> HeadResult {
            scan.reset()
            return parseRequestHead(bytes(text).span, into: Head(), options: RequestOptions(), scan: &scan)
        }
        #expect(parse(fitting + Self.rest).parsed != nil)
        #expect(parse(fitting) == .needMore)
        #expect(parse(fitting + "\r") == .needMore)
        #expect(parse(fitting.replacing("GET", with: "POST") + Self.rest).violation == .requestLineTooLong)
        let endless = String(repeating: "a", count: Limits.requestLineBytesMax)
        #expect(parse(endless) == .needMore)
        #expect(parse(endless + "a").violation == .requestLineTooLong)
        #expect(parse("GET /" + endless).violation == .requestLineTooLong)
        // A fault beyond the limit does not matter.
        #expect(parse("GET /" + endless + "\u{0} x\r\n").violation == .requestLineTooLong)
        #expect(parse(endless + "a\u{0} x\r\n").violation == .requestLineTooLong)
    }
}
