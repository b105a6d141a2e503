import Core
import HTTP1
import Testing

@Suite struct FramingFieldsTests {
    private func post(_ lines: String, version: String = "1.1") -> HeadResult {
        request("POST / HTTP/\(version)\r\nHost: a\r\n\(lines)\r\n")
    }

    @Test(arguments: [
        ("Content-Length: 0\r\n", Framing.length(0)), ("Content-Length: 5\r\n", .length(5)),
        ("content-length:005 \r\n", .length(5)), ("Content-Length: 9223372036854775807\r\n", .length(1 << 63 - 1)),
        ("Transfer-Encoding: chunked\r\n", .chunked), ("transfer-encoding:CHUNKED\t\r\n", .chunked), ("", .none),
    ])
    func isUnderstood(lines: String, framing: Framing) {
        #expect(post(lines).parsed?.framing == framing)
    }

    static let refused: [(String, Violation)] = [
        // A number and nothing else.
        ("Content-Length:\r\n", .badContentLength), ("Content-Length: +5\r\n", .badContentLength),
        ("Content-Length: -0\r\n", .badContentLength), ("Content-Length: 0x5\r\n", .badContentLength),
        ("Content-Length: 5 5\r\n", .badContentLength), ("Content-Length: 5;\r\n", .badContentLength),
        ("Content-Length: \"5\"\r\n", .badContentLength), ("Content-Length: 5e1\r\n", .badContentLength),
        ("Content-Length: 9223372036854775808\r\n", .badContentLength),
        // Around 2^64, where an overflow would give 0 and 5.
        ("Content-Length: 18446744073709551616\r\n", .badContentLength),
        ("Content-Length: 18446744073709551619\r\n", .badContentLength),
        ("Content-Length: 18446744073709551621\r\n", .badContentLength),
        ("Content-Length: 99999999999999999999999999\r\n", .badContentLength),
        ("Content-Length: \u{B2}\r\n", .badContentLength),
        // Once.
        ("Content-Length: 5, 5\r\n", .badContentLength), ("Content-Length: 5,\r\n", .badContentLength),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", .duplicateContentLength),
        ("Content-Length: 5\r\nA: b\r\ncontent-length: 6\r\n", .duplicateContentLength),
        // Never both, in either order.
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", .contentLengthWithTransferEncoding),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", .contentLengthWithTransferEncoding),
        ("Content-Length: 0\r\nTransfer-Encoding: identity\r\n", .contentLengthWithTransferEncoding),
        // Exactly `chunked`, and nothing that another parser might take for it.
        ("Transfer-Encoding:\r\n", .badTransferEncoding), ("Transfer-Encoding: identity\r\n", .badTransferEncoding),
        ("Transfer-Encoding: xchunked\r\n", .badTransferEncoding),
        ("Transfer-Encoding: chunked,\r\n", .badTransferEncoding),
        ("Transfer-Encoding: ,chunked\r\n", .badTransferEncoding),
        ("Transfer-Encoding: \"chunked\"\r\n", .badTransferEncoding),
        ("Transfer-Encoding: chunked;q=1\r\n", .badTransferEncoding),
        ("Transfer-Encoding: chunk\r\n", .badTransferEncoding),
        ("Transfer-Encoding: chunked, chunked\r\n", .badTransferEncoding),
        ("Transfer-Encoding: \u{E9}\r\n", .badTransferEncoding),
        ("Transfer-Encoding: chunked, identity\r\n", .badTransferEncoding),
        ("Transfer-Encoding: chunked chunked\r\n", .badTransferEncoding),
        ("Transfer-Encoding: identity, chunked\r\n", .badTransferEncoding),
        ("Transfer-Encoding: chunked, gzip\r\n", .badTransferEncoding),
        ("Transfer-Encoding: gzip;q=1, chunked\r\n", .badTransferEncoding),
        ("Transfer-Encoding: gzip,,chunked\r\n", .badTransferEncoding),
        ("Transfer-Encoding: gzip, chunked, gzip\r\n", .badTransferEncoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", .duplicateTransferEncoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", .duplicateTransferEncoding),
        ("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", .badTransferEncoding),
        // Codings that exist but are not supported.
        ("Transfer-Encoding: gzip\r\n", .unsupportedTransferEncoding),
        ("Transfer-Encoding: x-gzip\r\n", .unsupportedTransferEncoding),
        ("Transfer-Encoding: Deflate\r\n", .unsupportedTransferEncoding),
        ("Transfer-Encoding: compress\r\n", .unsupportedTransferEncoding),
        ("Transfer-Encoding: gzip, chunked\r\n", .unsupportedTransferEncoding),
        ("Transfer-Encoding: gzip ,\tdeflate,Chunked\r\n", .unsupportedTransferEncoding),
    ]

    @Test(arguments: refused) func isRefused(lines: String, violation: Violation) {
        #expect(post(lines).violation == violation)
        #expect(response("HTTP/1.1 200 OK\r\n\(lines)\r\n").violation == violation)
        // Whatever the request is, and even if the response has no body.
        #expect(request("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n").violation == violation)
        #expect(response("HTTP/1.1 304 Not Modified\r\n\(lines)\r\n", isHEAD: true).violation == violation)
    }

    @Test func transferEncodingIsNotForHTTP10() {
        #expect(post("Transfer-Encoding: chunked\r\n", version: "1.0").violation == .transferEncodingOnHTTP10)
        #expect(
            response("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").violation == .transferEncodingOnHTTP10)
        #expect(post("Content-Length: 3\r\n", version: "1.0").parsed?.framing == .length(3))
    }
}
