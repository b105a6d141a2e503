import Foundation
import Testing

/// Request smuggling: requests that two parsers could read differently, with a target that records every byte.
///
/// The rule: the request is rejected, its connection ends, and the target sees nothing. If the ambiguity is in a body
/// that is being forwarded, the target sees an incomplete request, and no second one.
@Suite struct SmugglingTests {
    /// One malformed request. `inner` never may reach a target as a request.
    struct Attack: Sendable, CustomTestStringConvertible {
        let why: String
        let bytes: String
        let status: Int
        /// The ambiguity is in the body, so the head may have reached the target.
        let inBody: Bool
        var testDescription: String { why }

        init(_ why: String, _ bytes: String, status: Int = 400, inBody: Bool = false) {
            self.why = why
            self.bytes = bytes
            self.status = status
            self.inBody = inBody
        }
    }

    private static let inner = "GET /smuggled HTTP/1.1\r\nHost: a.b\r\n\r\n"

    private static func head(_ fields: String, version: String = "1.1", method: String = "POST") -> String {
        "\(method) /attack HTTP/\(version)\r\nHost: a.b\r\n\(fields)\r\n"
    }

    static let framing: [Attack] = [
        Attack("CL and TE", head("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n" + inner),
        Attack("TE and CL", head("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") + "0\r\n\r\n" + inner),
        Attack("CL 0 and TE", head("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n" + inner),
        Attack("two lengths", head("Content-Length: 0\r\nContent-Length: 44\r\n") + inner),
        Attack("the same length twice", head("Content-Length: 0\r\nContent-Length: 0\r\n") + inner),
        Attack("a list of lengths", head("Content-Length: 0, 0\r\n") + inner),
        Attack("a signed length", head("Content-Length: +0\r\n") + inner),
        Attack("a negative length", head("Content-Length: -1\r\n") + inner),
        Attack("a hexadecimal length", head("Content-Length: 0x0\r\n") + inner),
        Attack("a length with a space in it", head("Content-Length: 0 0\r\n") + inner),
        Attack("an empty length", head("Content-Length:\r\n") + inner),
        Attack("a length above 2^64", head("Content-Length: 18446744073709551616\r\n") + inner),
        Attack("TE on HTTP/1.0", head("Transfer-Encoding: chunked\r\n", version: "1.0") + "0\r\n\r\n" + inner),
        Attack("TE twice", head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n" + inner),
        Attack("TE chunked, chunked", head("Transfer-Encoding: chunked, chunked\r\n") + "0\r\n\r\n" + inner),
        Attack("an empty TE", head("Transfer-Encoding:\r\n") + inner),
        Attack("space before the colon of TE", head("Transfer-Encoding : chunked\r\n") + "0\r\n\r\n" + inner),
        Attack("space before the colon of CL", head("Content-Length : 44\r\n") + inner),
        Attack("tab before the colon", head("Content-Length\t: 44\r\n") + inner),
        Attack(
            "TE with an underscore", head("Transfer_Encoding: chunked\r\nContent-Length: 5\r\n") + "0\r\n\r\n" + inner
        ),
        Attack("CL behind an underscore", head("Content_Length: 44\r\n") + inner),
        Attack("TE with a control before it", head("Transfer-Encoding: \u{0B}chunked\r\n") + "0\r\n\r\n" + inner),
        Attack("a folded TE", head("Transfer-Encoding:\r\n chunked\r\n") + "0\r\n\r\n" + inner),
        Attack("TE folded onto another field", head("X-A: b\r\n Transfer-Encoding: chunked\r\n") + inner),
        Attack("a fold right after the request line", "POST /attack HTTP/1.1\r\n Host: a.b\r\n\r\n" + inner),
        Attack("an unknown coding", head("Transfer-Encoding: gzip\r\n") + "0\r\n\r\n" + inner, status: 501),
        Attack("gzip, then chunked", head("Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n" + inner, status: 501),
        Attack("chunked, then identity", head("Transfer-Encoding: chunked, identity\r\n") + "0\r\n\r\n" + inner),
        Attack("chunked in quotes", head("Transfer-Encoding: \"chunked\"\r\n") + "0\r\n\r\n" + inner),
    ]

    static let lines: [Attack] = [
        Attack("bare CR in a value", head("X-A: b\rTransfer-Encoding: chunked\r\n") + inner),
        Attack("bare CR in the request line", "GET /attack\rX HTTP/1.1\r\nHost: a.b\r\n\r\n"),
        Attack("NUL in a value", head("X-A: b\0c\r\n")),
        Attack("NUL in a name", head("X\0A: b\r\n")),
        Attack("a field without a colon", head("nonsense\r\n")),
        Attack("an empty name", head(": b\r\n")),
        Attack("no version", "GET /attack\r\nHost: a.b\r\n\r\n"),
        Attack("two spaces before the target", "GET  /attack HTTP/1.1\r\nHost: a.b\r\n\r\n"),
        Attack("a tab for a space", "GET\t/attack HTTP/1.1\r\nHost: a.b\r\n\r\n"),
        Attack("a space in the target", "GET /attack /x HTTP/1.1\r\nHost: a.b\r\n\r\n"),
        Attack("a control in the target", "GET /attack\u{01} HTTP/1.1\r\nHost: a.b\r\n\r\n"),
        Attack("a space after the version", "GET /attack HTTP/1.1 \r\nHost: a.b\r\n\r\n"),
        Attack("a version in lower case", "GET /attack http/1.1\r\nHost: a.b\r\n\r\n"),
        Attack("a version of two digits", "GET /attack HTTP/1.10\r\nHost: a.b\r\n\r\n"),
        Attack("a method that is no token", "GE(T /attack HTTP/1.1\r\nHost: a.b\r\n\r\n"),
        Attack("no Host", "GET /attack HTTP/1.1\r\n\r\n"),
        Attack("two Hosts", "GET /attack HTTP/1.1\r\nHost: a.b\r\nHost: c.d\r\n\r\n"),
        Attack("a Host with a path", "GET /attack HTTP/1.1\r\nHost: a.b/c\r\n\r\n"),
        Attack("a Host with a user", "GET /attack HTTP/1.1\r\nHost: u@a.b\r\n\r\n"),
        Attack("a Host list", "GET /attack HTTP/1.1\r\nHost: a.b, c.d\r\n\r\n"),
        Attack("the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 505),
        Attack("HTTP/3.0", "GET /attack HTTP/3.0\r\nHost: a.b\r\n\r\n", status: 505),
        Attack("TLS on a plain port", "\u{16}\u{03}\u{01}\u{02}\0\u{01}\0\u{01}\u{FC}\u{03}\u{03}\r\n\r\n"),
    ]

    private static func chunks(_ why: String, _ body: String, status: Int = 400) -> Attack {
        Attack(why, head("Transfer-Encoding: chunked\r\n") + body, status: status, inBody: true)
    }

    static let chunkTricks: [Attack] = [
        chunks("bare LF after the size", "2\nab\r\n0\r\n\r\n" + inner),
        chunks("bare CR after the size", "2\rab\r\n0\r\n\r\n" + inner),
        chunks("bare LF in an extension (TERM.EXT)", "2;\nab\r\n0\r\n\r\n" + inner),
        chunks("bare CR in an extension (EXT.TERM)", "2;a\rb\r\nab\r\n0\r\n\r\n" + inner),
        chunks("a control in an extension", "2;a\u{01}\r\nab\r\n0\r\n\r\n" + inner),
        chunks("more data than the size (SPILL)", "2\r\nabc\r\n0\r\n\r\n" + inner),
        chunks("bare LF after the data", "2\r\nab\n0\r\n\r\n" + inner),
        chunks("no CRLF after the data", "2\r\nab0\r\n\r\n" + inner),
        chunks("a size with 0x", "0x2\r\nab\r\n0\r\n\r\n" + inner),
        chunks("a signed size", "+2\r\nab\r\n0\r\n\r\n" + inner),
        chunks("a negative size", "-2\r\nab\r\n0\r\n\r\n" + inner),
        chunks("a space before the size", " 2\r\nab\r\n0\r\n\r\n" + inner),
        chunks("a size with an underscore", "0_2\r\nab\r\n0\r\n\r\n" + inner),
        chunks("a size above 2^64", "10000000000000002\r\nab\r\n0\r\n\r\n" + inner),
        chunks("a size of seventeen digits", "00000000000000002\r\nab\r\n0\r\n\r\n" + inner),
        chunks("an empty size", "\r\nab\r\n0\r\n\r\n" + inner),
        chunks("a size that is no number", "zz\r\nab\r\n0\r\n\r\n" + inner),
        chunks("an endless extension", "2;" + String(repeating: "x", count: 20_000) + "\r\nab\r\n0\r\n\r\n"),
        chunks("bare LF in the trailers", "2\r\nab\r\n0\r\nX: y\n\r\n" + inner),
        chunks("bare LF as the trailers' end", "2\r\nab\r\n0\r\n\n" + inner),
        chunks("a folded trailer", "2\r\nab\r\n0\r\nX: y\r\n z\r\n\r\n" + inner),
        chunks("a trailer's name with a delimiter", "2\r\nab\r\n0\r\nA(B: 6.6.6.6\r\n\r\n" + inner),
        chunks("a trailer's name beyond ASCII", "2\r\nab\r\n0\r\nX\u{80}: 6.6.6.6\r\n\r\n" + inner),
        chunks("a trailer without a colon", "2\r\nab\r\n0\r\nnonsense\r\n\r\n" + inner),
        chunks(
            "endless trailers", "0\r\n" + String(repeating: "X-T: 0123456789\r\n", count: 1_000) + "\r\n", status: 413),
    ]

    @Test("Ambiguous framing is rejected, and the target sees nothing")
    func ambiguousFraming() throws { try refuse(Self.framing) }

    @Test("Malformed lines are refused, and the target sees nothing")
    func malformedLines() throws { try refuse(Self.lines) }

    @Test("Chunk tricks are refused, and the target sees no end and no second request")
    func chunkTricksAreRefused() throws { try refuse(Self.chunkTricks) }

    private func refuse(_ attacks: [Attack]) throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        for attack in attacks {
            let seenBefore = target.connections.count
            let client = try apus.client()
            do {
                try client.send(attack.bytes)
                let answer = try client.response()
                expectMadeHere(answer, attack.status, attack.why)
                #expect(answer["apus-reason"] != "BadRequestBody", "\(attack.why): the cause has a name")
                #expect(client.ended(), "\(attack.why): the connection must end")
            } catch {
                Issue.record("\(attack.why): \(error)")
            }
            let seen = target.connections.dropFirst(seenBefore)
            if attack.inBody {
                #expect(seen.allSatisfy { $0.requests.count == 1 }, "\(attack.why)")
                let ends = seen.allSatisfy { !String(decoding: $0.received, as: UTF8.self).hasSuffix("0\r\n\r\n") }
                #expect(ends, "\(attack.why): the body must not end for the target")
            } else {
                #expect(seen.isEmpty, "\(attack.why): the target saw \(seen.map { printable($0.received) })")
            }
        }
        #expect(!target.requests.contains { $0.target == "/smuggled" })
        for (status, group) in Dictionary(grouping: attacks, by: \.status) {
            expectLogged(by: apus, count: group.count, status: status)
        }
        expectServes(apus)
    }

    @Test("The target gets one canonical form")
    func oneFormTowardTargets() throws {
        let target = try TargetServer(script: TargetScript.echo)
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        let forms = [
            "POST /form HTTP/1.1\r\nHost: a.b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            "POST /form HTTP/1.1\r\nhost:a.b\r\ntransfer-encoding:CHUNKED\r\n\r\n1;x\r\na\r\n02\r\nbc\r\n0;y\r\n\r\n",
            "POST /form HTTP/1.1\r\nHOST: \t a.b \t\r\nTransfer-Encoding: \t chunked \r\n\r\n0003\r\nabc\r\n00\r\n\r\n",
            "\r\nPOST /form HTTP/1.1\r\nHost: A.B\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            // In heads a bare LF ends a line, as RFC 9112 §2.2 allows.
            "POST /form HTTP/1.1\nHost: a.b\nTransfer-Encoding: chunked\n\n3\r\nabc\r\n0\r\n\r\n",
            "\nPOST /form HTTP/1.1\r\nHost: a.b\nTransfer-Encoding: chunked\r\n\n3\r\nabc\r\n0\r\n\r\n",
        ]
        for form in forms { #expect(try client.exchange(form, method: "POST").text == "abc", "\(form)") }
        #expect(target.requests.count == forms.count)
        #expect(!String(decoding: target.received, as: UTF8.self).replacing("\r\n", with: "").contains("\n"))
        for request in target.requests {
            #expect(request.startLine == "POST /form HTTP/1.1")
            #expect(request.values("transfer-encoding") == ["chunked"])
            #expect(request.values("content-length").isEmpty)
            #expect(request["host"] == "a.b:\(apus.port)")
        }
        expectLogged(by: apus, "/form", status: 200, targetStatus: 200)
    }

    @Test("An early response: the unread body is never parsed as a request")
    func earlyAnswer() throws {
        let target = try TargetServer { connection in
            guard let request = try connection.head() else { return }
            guard request.target == "/early" else { return try connection.respond(body: "other") }
            try connection.respond(status: 401, body: "who?")
            _ = try connection.wire.remainder()
        }
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        let body = Self.inner
        try client.send("POST /early HTTP/1.1\r\nHost: a.b\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
        #expect(try client.response().status == 401)
        // The body comes after the answer, and looks like a request.
        try? client.send(body)
        try? client.send("GET /honest HTTP/1.1\r\nHost: a.b\r\n\r\n")
        // Either the connection ended with the response, or the body was drained and the next request answered.
        if let next = try? client.response() { #expect(next.text == "other") }
        #expect(!target.requests.contains { $0.target == "/smuggled" })
        #expect(target.connections.first?.requests.count == 1, "a connection with an incomplete body is not reused")
        expectLogged(by: apus, "/early", status: 401, targetStatus: 401)
        #expect(try apus.client().get("/fresh").text == "other")
    }

    @Test("After a response by Apus the body is not parsed as a request")
    func earlyAnswerMadeHere() throws {
        let target = try TargetServer()
        let action: JSON = ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "403"]]
        let apus = try ApusProcess.start(
            {
                var document = Document(target)
                document.listeners[0].rules = [Document.rule(1, "path-pattern", ["/forbidden"], action)]
                return document
            }())
        for expectation in ["", "Expect: 100-continue\r\n"] {
            let client = try apus.client()
            let length = "Content-Length: \(Self.inner.utf8.count)\r\n"
            let request = "POST /forbidden HTTP/1.1\r\nHost: a.b\r\n\(expectation)\(length)\r\n"
            try client.send(request + Self.inner + "GET /honest HTTP/1.1\r\nHost: a.b\r\n\r\n")
            var answer = try client.response()
            if answer.status == 100 { answer = try client.response() }
            #expect(answer.status == 403)
            if let next = try? client.response() { #expect(next.text == "blue\n") }
        }
        #expect(target.requests.allSatisfy { $0.target == "/honest" })
        expectLogged(by: apus, "/forbidden", status: 403, target: "-")
    }

    @Test("Upgrade smuggling: without the target's 101, bytes after an upgrade request are no tunnel")
    func upgradeSmuggling() throws {
        let target = try TargetServer { connection in
            while let request = try connection.request() { try connection.respond(body: request.target) }
        }
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        try client.send(
            "GET /upgrade HTTP/1.1\r\nHost: a.b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                + "GET /second HTTP/1.1\r\nHost: a.b\r\nX-Forwarded-Proto: https\r\n\r\n")
        #expect(try client.response().text == "/upgrade")
        // The second is a request like any other: routed, rewritten, logged; or the connection has ended.
        if let second = try? client.response() {
            #expect(second.text == "/second")
            let seen = try #require(target.requests.last)
            #expect(seen.values("x-forwarded-proto") == ["http"])
            expectLogged(by: apus, "/second", status: 200)
        }
        expectLogged(by: apus, "/upgrade", status: 200, targetStatus: 200)
    }

    @Test("Upgrade: h2c and HTTP2-Settings never reach a target")
    func h2cIsStripped() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        let fields =
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
        #expect(try apus.client().get("/h2c", fields: fields).status == 200)
        let seen = try #require(target.requests.first)
        #expect(seen.values("upgrade").isEmpty)
        #expect(seen.values("http2-settings").isEmpty)
        #expect(!seen.connectionHas("upgrade"))
        expectLogged(by: apus, "/h2c", status: 200)
    }

    /// Path confusion: paths that some server resolves below `/admin/`, which is forbidden; `seen` is what the target
    /// may receive.
    static let paths: [(path: String, status: Int, seen: String?)] = [
        ("/admin/x", 403, nil), ("/a/../admin/x", 403, nil), ("/./admin/x", 403, nil), ("/%61dmin/x", 403, nil),
        ("/a/%2e%2e/admin/x", 403, nil), ("/a/.%2E/admin/x", 403, nil), ("/admin//x", 403, nil),
        ("/admin/..;/admin/x", 400, nil),
        // Dot segments only if other bytes count as slashes.
        ("/a/..%2fadmin/x", 400, nil), ("/..%5cadmin/x", 400, nil), ("/a/..\\admin/x", 400, nil),
        ("/../admin/x", 400, nil), ("/%zz", 400, nil), ("/admin%00/x", 400, nil), ("/admin%0", 400, nil),
        // Below `/admin/` only for targets that decode, merge slashes, or treat backslashes as slashes.
        ("/admin%2fx", 400, nil), ("//admin/x", 400, nil), ("/admin\\x", 400, nil),
        // Below it for no server, and forwarded unaltered.
        ("/a%2fadmin/x", 200, "/a%2fadmin/x"), ("/a//admin/x", 200, "/a//admin/x"), ("/a\\x", 200, "/a\\x"),
        ("/%41dmin/x", 200, "/Admin/x"), ("/b/../c?/../admin/x", 200, "/c?/../admin/x"),
    ]

    @Test("A path is routed as the target sees it, or refused")
    func pathConfusion() throws {
        let target = try TargetServer()
        let forbid: JSON = ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "403"]]
        var document = Document(target)
        document.listeners[0].rules = [Document.rule(1, "path-pattern", ["/admin/*"], forbid)]
        let apus = try ApusProcess.start(document)
        for test in Self.paths {
            let before = target.requests.count
            #expect(try apus.client().get(test.path).status == test.status, "\(test.path)")
            #expect(target.requests.count == before + (test.seen == nil ? 0 : 1), "\(test.path)")
            if let seen = test.seen { #expect(target.requests.contains { $0.target == seen }, "\(test.path)") }
        }
        for (status, group) in Dictionary(grouping: Self.paths, by: \.status) {
            expectLogged(by: apus, count: group.count, status: status)
        }
    }
}
