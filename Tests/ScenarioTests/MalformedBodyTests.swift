import TestCertificates
import Testing

/// Malformed response bodies of targets: 502 if nothing was sent to the client, else the client's connection is cut.
@Suite struct MalformedBodyTests {
    /// A chunked body that arrives together with the head, and the rule it violates.
    static let bad: [(body: String, word: String)] = [
        ("zz\r\nabc\r\n0\r\n\r\n", "BadChunkSize"),
        ("3\r\nabc\r\nzz\r\n", "BadChunkSize"),
        ("3\nabc\r\n0\r\n\r\n", "BareLineFeed"),
        ("3\r\nabcd\r\n0\r\n\r\n", "BadChunkEnd"),
        ("3;a\u{1}\r\nabc\r\n0\r\n\r\n", "BadChunkExtension"),
        ("3;\(String(repeating: "e", count: 300))\r\nabc\r\n0\r\n\r\n", "ChunkLineTooLong"),
        ("3\r\nabc\r\n0\r\nno trailer\r\n\r\n", "BadFieldName"),
        ("3\r\nabc\r\n0\r\nA: \(String(repeating: "b", count: 9_000))\r\n\r\n", "TrailersTooLarge"),
    ]

    private static let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    private func start(_ target: TargetServer) throws -> ApusProcess {
        var document = Document(target, attributes: ["apus.h2c.enabled": true])
        document.logFormat = "json"
        return try ApusProcess.start(document)
    }

    /// The only entry of the log.
    private func entry(_ apus: ApusProcess) throws -> JSON {
        try #require(eventually { apus.accessEntries.last })
    }

    /// The status and the reason code that a client gets over either protocol.
    private func ask(_ apus: ApusProcess, isHTTP2: Bool, _ more: String...) throws -> String {
        try Tool.run(
            [
                "curl", "-q", "-sS", "--noproxy", "*", "--max-time", "30",
                isHTTP2 ? "--http2-prior-knowledge" : "--http1.1", "-o", "/dev/null", "-w",
                "%{http_code} %header{apus-reason} %{exitcode}",
            ] + more + ["http://localhost:\(apus.port)/bad"], in: apus.folder, expectsSuccess: false)
    }

    @Test(
        "A bad chunk that arrives with the head is 502, over HTTP/1 and HTTP/2", arguments: bad, [false, true])
    func comesWithTheHead(test: (body: String, word: String), isHTTP2: Bool) throws {
        let target = try TargetServer(script: TargetScript.raw(Self.head + test.body))
        let apus = try start(target)
        #expect(try ask(apus, isHTTP2: isHTTP2) == "502 MalformedResponse/\(test.word) 0")
        #expect(target.requests.count == 1, "the request is not retried")
        let entry = try entry(apus)
        #expect(entry["elb_status_code"] == 502 && entry["target_status_code"] == .null)
        #expect(entry["target_port"].int == Int(target.port))
        #expect(entry["apus_reason"].string == "MalformedResponse/\(test.word)")
        #expect(try apus.metric("apus_target_malformed_responses_total") == 1)
        #expect(try apus.metric("apus_target_attempts_total", "malformed") == 1)
    }

    @Test("A bad chunk after a part of the response was sent cuts the connection, and is logged")
    func comesLater() throws {
        let gate = Gate()
        let target = try TargetServer { connection in
            guard try connection.request() != nil else { return }
            try connection.send(Self.head + "5\r\nfirst\r\n")
            gate.wait()
            try connection.send("zz\r\n")
            _ = connection.wire.ended()
        }
        let apus = try start(target)
        let client = try apus.client()
        try client.send("GET /bad HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(client.wire.receives("first"))
        gate.open()
        #expect(throws: WireError.self) { try client.response() }
        let entry = try entry(apus)
        #expect(entry["elb_status_code"] == 200 && entry["apus_reason"] == "MalformedResponse/BadChunkSize")
        #expect(try apus.metric("apus_target_malformed_responses_total", "bad_chunk_size") == 1)
    }

    @Test(
        "A truncated body is 502 if it arrives together with the head",
        arguments: TargetFailureTests.halves, [false, true])
    func comesWithTheEnd(response: String, isHTTP2: Bool) throws {
        let target = try TargetServer { connection in
            guard try connection.request() != nil else { return }
            try connection.wire.socket.cork()
            try connection.send(response)
        }
        let apus = try start(target)
        #expect(try ask(apus, isHTTP2: isHTTP2, "-X", "POST") == "502 TargetClosedConnection 0")
        #expect(target.requests.count == 1)
        // A GET may be retried.
        #expect(try ask(apus, isHTTP2: isHTTP2) == "502 TargetClosedConnection 0")
        #expect(target.requests.count == 3)
    }

    @Test("A complete body that arrives with the end of its connection is served", arguments: [false, true])
    func isWhole(isHTTP2: Bool) throws {
        let answers = [
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfull", "HTTP/1.1 200 OK\r\n\r\nfull",
            Self.head + "4\r\nfull\r\n0\r\nA: b\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
        ]
        for answer in answers {
            let target = try TargetServer { connection in
                guard try connection.request() != nil else { return }
                try connection.wire.socket.cork()
                try connection.send(answer)
            }
            let status = answer.contains(" 204 ") ? "204" : "200"
            #expect(try ask(try start(target), isHTTP2: isHTTP2) == "\(status)  0", "\(answer)")
        }
    }

    /// As an old Tomcat writes them. They are not forwarded, since the body is framed again.
    @Test("Blanks after a chunk size are accepted in responses, and rejected in requests")
    func blanksBehindASize() throws {
        let target = try TargetServer(script: TargetScript.raw(Self.head + "5   \r\nhello\r\n0 \t \r\n\r\n"))
        let apus = try start(target)
        let client = try apus.client()
        let answer = try client.get("/blanks")
        #expect(answer.status == 200 && answer.text == "hello")
        #expect(client.wire.received.contains(Array("5\r\nhello\r\n0\r\n\r\n".utf8)))
        let refused = try client.exchange(
            "POST /blanks HTTP/1.1\r\nHost: a.b\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n")
        expectMadeHere(refused, 400)
        #expect(refused["apus-reason"] == "BadChunkSize")
    }

    /// A gRPC client gets the reason code in the message of its status.
    @Test("A call with a malformed response gets a gRPC status with the reason")
    func overGRPC() throws {
        let apus = try ApusProcess.start(Document.calls())
        let told = try Tool.curl(
            apus, "--http2-prior-knowledge", "-D", "-", "-X", "POST", "-H", "Content-Type: application/grpc",
            "http://127.0.0.1:\(apus.port)/field")
        #expect(told.contains("grpc-status: 14\r\n"), "\(told)")
        #expect(told.contains("grpc-message: MalformedResponse/BadField\r\n"), "\(told)")
    }
}
