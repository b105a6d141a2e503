import Core
import Testing

@testable import Telemetry

@Suite struct AccessLogALBTests {
    @Test func writesAForwardedRequest() {
        let (record, head) = LogFixture.forwarded()
        let fixture = LogFixture(.alb)
        fixture.write(record, head, loadBalancer: Array("app/web".utf8), targetGroup: Array("blue".utf8))
        #expect(
            fixture.written == """
                http 2026-01-31T12:34:56.923012Z app/web 192.0.2.7:54321 [2001:db8::5]:80 0.001 0.132 0.000 \
                200 200 251 1093 "GET http://shop.example:8080/cart?id=1 HTTP/1.1" "curl/8.1 \\x22x\\x22" - - blue \
                "Root=1-697df8b0-abcdef012345678912345678" "-" "-" 10 2026-01-31T12:34:56.789012Z "forward" "-" "-" \
                "[2001:db8::5]:80" "200" "-" "-" - "-" "-" "-" 10.0.0.1

                """)
    }

    @Test func tellsWhatTransformsHaveMade() {
        var (record, head) = LogFixture.forwarded()
        record.transformedHost = head.append("a.internal")
        record.transformedURL = head.append("/b?c=d")
        record.transformStatus = "TransformSuccess"
        let fixture = LogFixture(.alb)
        fixture.write(record, head)
        #expect(fixture.written.hasSuffix(" - \"a.internal\" \"/b?c=d\" \"TransformSuccess\" 10.0.0.1\n"))
    }

    @Test func writesARefusedRequest() {
        var record = LogFixture.record()
        record.status = 400
        record.receivedBytes = 18
        record.sentBytes = 300
        record.reason = "BadContentLength"
        record.classification = "Severe"
        record.classificationReason = "BadContentLength"
        let fixture = LogFixture(.alb)
        fixture.write(record, Head(), loadBalancer: Array("app/web".utf8))
        #expect(
            fixture.written == """
                http 2026-01-31T12:34:56.789012Z app/web 192.0.2.7:54321 - -1 -1 -1 400 - 18 300 \
                "- http://10.0.0.1:8080- -" "-" - - - "-" "-" "-" - 2026-01-31T12:34:56.789012Z "-" "-" \
                "-" \
                "-" "-" "Severe" "BadContentLength" - "-" "-" "-" 10.0.0.1

                """)
    }

    /// What the parser leaves of a refused head: the request line and no field.
    @Test(arguments: [
        ("TRACE", "/a?b", "", "TRACE http://10.0.0.1:8080/a?b HTTP/1.1"),
        ("CONNECT", "a.example:443", "a.example:443", "CONNECT http://a.example:443 HTTP/1.1"),
        ("GET", "/%zz\"", "", "GET http://10.0.0.1:8080/%zz\\x22 HTTP/1.1"),
    ])
    func writesWhatIsKnownOfARefusedRequest(method: String, target: String, authority: String, line: String) {
        let head = Head()
        head.appendMethod(Array(method.utf8).span)
        head.target = head.append(Array(target.utf8).span)
        head.authority = authority.isEmpty ? .empty : head.append(Array(authority.utf8).span)
        let fixture = LogFixture(.alb)
        fixture.write(LogFixture.record(), head)
        #expect(fixture.written.contains(" \"\(line)\" \"-\" - - - \"-\" "))
    }

    @Test func writesARedirect() {
        var (record, head) = LogFixture.forwarded()
        record.target = nil
        record.targetStatus = 0
        record.status = 301
        record.action = .redirect
        record.matchedRule = .standard
        let fixture = LogFixture(.alb)
        fixture.write(record, head, redirectURL: Array("https://shop.example:443/\"".utf8))
        let line = fixture.written
        #expect(line.contains(#" 0 2026-01-31T12:34:56.789012Z "redirect" "https://shop.example:443/\x22" "-" "-" "#))
        #expect(fields(line).count == 34)
    }

    @Test func writesAWebSocket() {
        var (record, head) = LogFixture.forwarded()
        record.kind = .webSocket
        record.status = 101
        let fixture = LogFixture(.alb)
        fixture.write(record, head)
        let line = fixture.written
        #expect(line.hasPrefix("ws 2026"))
        #expect(line.contains("\"GET ws://shop.example:8080/cart?id=1 HTTP/1.1\""))
    }

    /// Field 1 and the scheme, by what was spoken: HTTP/1 or HTTP/2, gRPC or a WebSocket, with and without TLS.
    @Test(
        arguments: [
            (.http, true, false, "https ", "\"GET https://"), (.http2, true, true, "h2 ", "\"GET https://"),
            (.http2, false, true, "h2 ", "\"GET http://"), (.grpc, true, true, "grpcs ", "\"GET https://"),
            (.webSocket, true, false, "wss ", "\"GET wss://"),
        ] as [(AccessRecord.Kind, Bool, Bool, String, String)])
    func saysWhatWasSpoken(kind: AccessRecord.Kind, isTLS: Bool, isHTTP2: Bool, type: String, request: String) {
        var (record, head) = LogFixture.forwarded()
        record.kind = kind
        record.isTLS = isTLS
        record.isHTTP2 = isHTTP2
        record.connectionTrace = (0x0123_4567_89AB_CDEF, 1)
        let fixture = LogFixture(.alb)
        fixture.write(
            record, head, cipher: Array("TLS_AES_128_GCM_SHA256".utf8), tlsVersion: Array("TLSv1.3".utf8),
            serverName: Array("shop.example".utf8), certificate: Array("shop.pem".utf8))
        let line = fixture.written
        #expect(line.hasPrefix(type) && line.contains(request))
        #expect(line.contains(isHTTP2 ? "HTTP/2.0\"" : "HTTP/1.1\""))
        #expect(line.contains(" TLS_AES_128_GCM_SHA256 TLSv1.3 ") && line.contains(" \"shop.example\" \"shop.pem\" "))
        #expect(line.contains(" TID_0123456789abcdef0000000000000001 "))
        #expect(fields(line).count == 34)
    }

    /// Headers written to forge: every line has 34 fields and is one line, and what each field says is not forged.
    @Test(arguments: [
        "\" - - blue", "x\nhttp 2026-01-31T12:34:56.789012Z fake", "\\\" \"", "\r\n\r\n", "\u{85}\u{2028}", "%22 \\x22",
    ])
    func noHeaderForgesAField(hostile: String) {
        let bytes = Array(hostile.utf8)
        let (record, head) = LogFixture.forwarded()
        head.target = head.append((Array("/".utf8) + bytes).span)
        head.authority = head.append(bytes.span)
        head.removeFields(.userAgent)
        head.addField(name: head.append("user-agent"), value: head.append(bytes.span), id: .userAgent)
        let fixture = LogFixture(.alb)
        fixture.write(record, head, loadBalancer: bytes, targetGroup: bytes, redirectURL: bytes)
        let line = fixture.written
        #expect(line.split(separator: "\n", omittingEmptySubsequences: false).count == 2)
        let fields = fields(line)
        #expect(fields.count == 34)
        #expect(fields[8] == "200")
        #expect(fields[20] == "10")
        #expect(fields[33] == "10.0.0.1\n")
    }

    /// As a log reader splits: at spaces that are not inside quotes.
    private func fields(_ line: String) -> [String] {
        var fields = [""]
        var isQuoted = false
        for character in line.unicodeScalars {
            if character == "\"" { isQuoted.toggle() }
            if character == " " && !isQuoted {
                fields.append("")
            } else {
                fields[fields.count - 1].unicodeScalars.append(character)
            }
        }
        return fields
    }
}
