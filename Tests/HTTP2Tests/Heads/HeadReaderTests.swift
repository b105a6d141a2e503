import Core
import HTTP1
import HTTP2
import Testing

/// A request, and the HTTP/1 violation for which it is rejected; nil if it is valid.
struct RequestCase: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let violation: Violation?

    init(_ name: String, _ fields: Fields, _ violation: Violation?) {
        self.name = name
        bytes = [Frame].heads(1, fields).bytes
        self.violation = violation
    }

    var testDescription: String { name }
}

private func with(_ name: String, _ value: String) -> Fields { get.replacing(name, value) }
private func fields(_ count: Int, _ name: (Int) -> String) -> Fields { (0..<count).map { (name($0), "v") } }

private let requests: [RequestCase] = [
    RequestCase("plain", get, nil),
    RequestCase("host alone", get.dropLast() + [("host", "b.example")], nil),
    RequestCase("host that agrees, in another case", get + [("host", "A.Example")], nil),
    RequestCase("host that differs", get + [("host", "b.example")], .authorityMismatch),
    RequestCase("host with another port", get + [("host", "a.example:81")], .authorityMismatch),
    RequestCase("an authority with user information", with(":authority", "u@a.example"), .badHost),
    RequestCase("an authority with a bad port", with(":authority", "a.example:99999"), .badHost),
    RequestCase("a bad host alone", get.dropLast() + [("host", "u@b.example")], .badHost),
    RequestCase("a path above the root", with(":path", "/../a"), .pathAboveRoot),
    RequestCase("a path with two readings", with(":path", "/a%2f..%2fb"), .ambiguousPath),
    RequestCase("a bad percent-encoding", with(":path", "/%zz"), .badPercentEncoding),
    RequestCase("an encoded NUL", with(":path", "/%00"), .badPercentEncoding),
    RequestCase("a fragment", with(":path", "/a#b"), .badTarget),
    RequestCase("the scheme of something else", with(":scheme", "ftp"), .badScheme),
    RequestCase("http as the scheme", with(":scheme", "http"), nil),
    RequestCase("TRACE", with(":method", "TRACE"), .methodNotAllowed),
    RequestCase("CONNECT", [(":method", "CONNECT"), (":authority", "a.example:443")], .methodNotAllowed),
    RequestCase("OPTIONS *", get.replacing(":method", "OPTIONS").replacing(":path", "*"), nil),
    RequestCase("a framing field in disguise", get + [("content_length", "5")], .suspiciousHeader),
    RequestCase("another", get + [("transfer.encoding", "chunked")], .suspiciousHeader),
    RequestCase("as many fields as there may be", get + fields(256) { "a\($0)" }, nil),
    RequestCase("one more", get + fields(257) { "a\($0)" }, .tooManyFields),
    RequestCase("as many crumbs", get + fields(256) { _ in "cookie" }, nil),
    RequestCase("one more crumb", get + fields(257) { _ in "cookie" }, .tooManyFields),
    RequestCase("a field that is too large", get + [("a", String(repeating: "b", count: 16_384))], .fieldTooLarge),
    RequestCase(
        "split cookies that are too large together",
        get + (0..<5).map { _ in ("cookie", String(repeating: "b", count: 4000)) }, .fieldTooLarge),
    RequestCase(
        "a head that is too large", get + (0..<5).map { ("a\($0)", String(repeating: "b", count: 15_000)) },
        .headTooLarge),
    RequestCase(
        "a target that is too large", with(":path", "/" + String(repeating: "b", count: 16_384)), .requestLineTooLong),
    RequestCase("expect is nobody's business", get + [("expect", "100-continue")], nil),
    RequestCase("whatever it expects", get + [("expect", "money")], nil),
    RequestCase("CONNECT for WebSocket", with(":method", "CONNECT") + [(":protocol", "websocket")], nil),
    RequestCase(
        "CONNECT for another", with(":method", "CONNECT") + [(":protocol", "connect-udp")], .unsupportedProtocol),
]

@Suite struct HeadReaderTests {
    @Test(arguments: requests)
    func refusesWhatHTTP1Refuses(_ request: RequestCase) {
        for size in [Int.max, 100, 1] {
            let (verdict, server) = serve(request.bytes, pieces: size)
            #expect(verdict == .fine)
            #expect(server.story.count == 2)
            let expected = request.violation.map { "0 refused \($0) end" } ?? "0 head"
            #expect(server.story.last?.hasPrefix(expected) == true, "\(server.story)")
            #expect(server.lastHead?.isHTTP2 == true)
        }
    }

    private func head(_ fields: Fields, end: Bool = true, _ settings: HTTP2Settings = HTTP2Settings()) throws -> Head {
        let (_, server) = serve([Frame.headers(1, fields, end: end)].bytes, settings)
        return try #require(server.lastHead)
    }

    @Test func isTheSameAsFromTheHTTP1Parser() throws {
        let fields: Fields = [
            (":method", "POST"), (":path", "/a/./b%41?c=%2e#".dropLast().description), (":scheme", "https"),
            (":authority", "a.example:8443"), ("user-agent", "x"), ("te", "trailers"), ("expect", "100-continue"),
            ("http2-settings", "AAA"), ("content-length", "3"), ("x_y", "1"), ("priority", "u=1"),
        ]
        let head = try head(fields, end: false)
        #expect(head.text(head.method) == "POST")
        #expect(head.text(head.target) == "/a/./b%41?c=%2e")
        #expect(head.text(head.path) == "/a/bA")
        #expect(head.text(head.query) == "?c=%2e")
        #expect(head.text(head.authority) == "a.example:8443")
        #expect(head.text(head.host) == "a.example" && head.text(head.port) == ":8443")
        #expect(head.lines == ["host: a.example:8443", "user-agent: x", "x_y: 1", "priority: u=1"])
        #expect(head.body == .exactly(3))
        #expect(head.minorVersion == 1 && head.isHTTP2 && head.acceptsTrailers && !head.isWebSocket)
        #expect(head.hasInvalidNames)
        #expect(head.mayContain(.userAgent) && head.mayContain(.host))
    }

    @Test func isWrittenToHTTP1InOnePieceOrNot() throws {
        let head = try head(get + [("a", "b"), ("cookie", "c=1"), ("cookie", "d=2"), ("e", "")])
        let output = Buffer(capacity: 1000)
        writeRequestHead(head, framing: .none, into: output)
        let lines = "host: a.example\r\na: b\r\ne: \r\ncookie: c=1; d=2\r\n"
        let bytes = output.bytes
        #expect(bytes.text == "GET / HTTP/1.1\r\n\(lines)\r\n")
    }

    @Test func joinsSplitCookies() throws {
        #expect(try head(get + [("cookie", "a=1")]).lines.last == "cookie: a=1")
        let head = try head(get + [("cookie", "a=1"), ("b", "c"), ("cookie", "d=2"), ("cookie", "e=3")])
        #expect(head.lines == ["host: a.example", "b: c", "cookie: a=1; d=2; e=3"])
    }

    @Test func invalidNamesAreDroppedIfConfigured() throws {
        var settings = HTTP2Settings()
        settings.requestOptions.dropsInvalidNames = true
        let head = try head(get + [("a_b", "1"), ("c", "2")], settings)
        #expect(head.lines == ["host: a.example", "c: 2"])
        #expect(head.hasInvalidNames)
    }

    /// nghttp2 resets such a stream, and the request is reported as faulty.
    @Test(arguments: Array("\"(),/;<=>?@[\\]{}\u{80}\u{E9}".unicodeScalars)) func nonTokenIsRejected(
        scalar: Unicode.Scalar
    ) {
        let server = Side(.server)
        server.receive(preface + Frame.headers(1, get + [("a\(scalar)b", "1")]).bytes)
        #expect(server.story.last == "faulty BadField", "\(server.story)")
    }

    @Test func fieldConfusableWithOursIsRemoved() throws {
        let head = try head(get + [("x_forwarded_for", "1"), ("x_amzn_mtls_clientcert_leaf", "2"), ("c_d", "3")])
        #expect(head.lines == ["host: a.example", "c_d: 3"])
        #expect(head.hasDroppedNames)
    }

    @Test func theLengthOfTheBody() throws {
        #expect(try head(get).body == .none)
        #expect(try head(get + [("content-length", "0")]).body == .exactly(0))
        #expect(try head(post, end: false).body == .unknown)
        #expect(try head(post + [("content-length", "70")], end: false).body == .exactly(70))
    }

    @Test func aWebSocketIsAGET() throws {
        let fields = with(":method", "CONNECT") + [(":protocol", "websocket"), ("sec-websocket-version", "13")]
        let head = try head(fields, end: false)
        #expect(head.isWebSocket && head.text(head.method) == "GET" && head.body == .none)
        var settings = HTTP2Settings()
        settings.allowsWebSocket = false
        #expect(serve([Frame.headers(1, fields, end: false)].bytes, settings).0 == .stream(1))
    }

    @Test func trailersAboutRoutingAreRemoved() {
        let trailers: Fields = [
            ("grpc-status", "0"), ("host", "x"), ("x-forwarded-for", "1.2.3.4"), ("te", "trailers"),
        ]
        let (_, server) = serve([Frame.headers(1, post, end: false), .data(1, [1]), .headers(1, trailers)].bytes)
        #expect(server.story.dropFirst() == ["0 head POST /", "0 end trailers"])
        #expect(server.lastHead?.lines == ["grpc-status: 0"])
    }

    /// As for a gRPC status with details, in one field or in several.
    @Test func trailersMayBeAsLargeAsHeads() {
        let details = ("grpc-status-details-bin", String(repeating: "d", count: 31_000))
        let several = (0..<31).map { ("a\($0)", String(repeating: "b", count: 1000)) }
        for trailers in [[details, ("grpc-status", "8")], several] {
            let (_, server) = serve(([.headers(1, post, end: false)] + .heads(1, trailers)).bytes)
            #expect(server.story.last == "0 end trailers", "\(server.story)")
            #expect(server.lastHead?.fieldCount == trailers.count)
        }
    }

    @Test func trailersHaveLimits() {
        let large = (0..<33).map { ("a\($0)", String(repeating: "b", count: 1000)) }
        let many = (0..<257).map { _ in ("a", "") }
        for trailers in [large, many] {
            let (verdict, server) = serve(([.headers(1, post, end: false)] + .heads(1, trailers)).bytes)
            #expect(verdict == .stream(1))
            #expect(server.story.count == 2 && server.story.last?.hasPrefix("faulty ") == true, "\(server.story)")
        }
    }

    /// Trailers of open streams count with their heads.
    @Test func trailersOfOpenStreamsHaveALimit() {
        var settings = HTTP2Settings()
        settings.openHeadBytesMax = 50_000
        let trailers: Fields = [("a", String(repeating: "b", count: 30_000))]
        let frames = [1, 3].flatMap { [Frame.headers($0, post, end: false)] + .heads($0, trailers) }
        let (verdict, server) = serve(frames.bytes, settings)
        #expect(verdict == .stream(7), "REFUSED_STREAM: it may come again")
        #expect(server.story.contains("0 end trailers") && !server.story.contains("1 end trailers"))
    }

    @Test func rejectedHeadHasItsRequestLine() throws {
        let head = try head(get.replacing(":path", "/secret?q") + [("host", "b.example")])
        #expect(head.text(head.method) == "GET" && head.text(head.target) == "/secret?q")
        #expect(head.text(head.authority) == "a.example")
    }
}
