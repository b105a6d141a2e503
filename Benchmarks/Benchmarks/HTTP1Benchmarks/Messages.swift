import Core
import HTTP1

/// A request as a small client sends it: 3 fields.
let requestOf3Fields = """
    GET /v1/users/4711?full=1 HTTP/1.1\r
    Host: api.example.com\r
    User-Agent: wrk/4.2\r
    Accept: */*\r
    \r

    """

/// A request as a browser sends it: 8 fields.
let requestOf8Fields = """
    GET /assets/application.css?version=20260101 HTTP/1.1\r
    Host: www.example.com\r
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r
    Accept: text/css,*/*;q=0.1\r
    Accept-Language: en-GB,en;q=0.5\r
    Accept-Encoding: gzip, deflate, br\r
    Referer: https://www.example.com/index.html\r
    Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r
    Connection: keep-alive\r
    \r

    """

/// A response of 6 fields whose length is known.
let responseOf6Fields = """
    HTTP/1.1 200 OK\r
    Date: Thu, 01 Jan 2026 00:00:00 GMT\r
    Server: sample\r
    Content-Type: application/json\r
    Content-Length: 612\r
    Cache-Control: no-store\r
    ETag: "0123456789abcdef"\r
    \r

    """

/// A message and the state of its parser.
struct Parsing {
    let bytes: [UInt8]
    let head = Head()

    init(_ text: String) { bytes = Array(text.utf8) }

    /// Parses it as a request. Returns its length.
    func request() -> Int {
        var scan = HeadScan()
        let result = parseRequestHead(bytes.span, into: head, options: RequestOptions(), scan: &scan)
        return length(result)
    }

    /// Parses it as a response. Returns its length.
    func response() -> Int {
        var scan = HeadScan()
        return length(parseResponseHead(bytes.span, into: head, requestIsHEAD: false, scan: &scan))
    }

    private func length(_ result: HeadResult) -> Int {
        guard case .complete(let parsed) = result, parsed.byteCount == bytes.count else {
            preconditionFailure("a message of these benchmarks is \(result)")
        }
        return parsed.byteCount
    }
}
