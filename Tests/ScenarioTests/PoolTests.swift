import Testing

/// Connection reuse: which responses allow it, and which are malformed (502).
@Suite struct PoolTests {
    @Test("Target connections are shared by clients, one request at a time")
    func reuse() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(
            {
                var document = Document(target)
                document.runtime["workers"] = 1
                return document
            }())
        for _ in 0..<20 { #expect(try apus.client().get("/shared").status == 200) }
        #expect(target.connections.count == 1)
        #expect(target.requests.count == 20)
        expectLogged(by: apus, "/shared", status: 200, targetStatus: 200)
    }

    @Test("An idle target connection ends after its own idle timeout")
    func ownIdleTime() throws {
        let idle = Locked<Duration?>(nil)
        let target = try TargetServer { connection in
            _ = try connection.request()
            let began = ContinuousClock.now
            try connection.respond(body: "blue\n")
            if connection.wire.ended(within: 60) { idle.withLock { $0 = ContinuousClock.now - began } }
        }
        let apus = try ApusProcess.start(Document(target, group: ["apus.target_keep_alive.idle_seconds": 2]))
        #expect(try apus.client().get("/idle").status == 200)
        let time = try #require(eventually(within: 30) { idle.value })
        #expect(time >= .seconds(2))
        #expect(eventually { (try? apus.metric("apus_target_connections_idle")) == 0 })
        #expect(try apus.metric("apus_target_connections_active") == 0)
        expectLogged(by: apus, "/idle", status: 200)
    }

    private static let second = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"

    /// Responses after which the connection may hold bytes that belong to no request.
    static let poisons: [(why: String, method: String, response: String)] = [
        ("surplus after a length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + second),
        (
            "surplus after the last chunk", "GET",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + second
        ),
        ("a body to HEAD", "HEAD", second),
        ("a body to 204", "GET", "HTTP/1.1 204 No Content\r\n\r\n" + second),
        ("a body to 304", "GET", "HTTP/1.1 304 Not Modified\r\n\r\n" + second),
        ("Connection: close", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"),
        ("an answer in HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    ]

    @Test("A connection that may hold other bytes is not reused", arguments: poisons)
    func poisoned(why: String, method: String, response: String) throws {
        let target = try TargetServer { connection in
            while let request = try connection.request() {
                try request.target == "/poison" ? connection.send(response) : connection.respond(body: "clean")
            }
        }
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        let answer = try client.exchange("\(method) /poison HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect([200, 204, 304].contains(answer.status), "\(why)")
        for _ in 0..<4 { #expect(try client.get("/next").text == "clean", "\(why)") }
        let first = try #require(target.connections.first)
        #expect(first.requests.map(\.target) == ["/poison"], "\(why): the connection was used again")
        expectLogged(by: apus, "/poison", status: answer.status, targetStatus: answer.status)
    }

    private static let fill = String(repeating: "X-Fill: \(String(repeating: "a", count: 1_000))\r\n", count: 40)

    /// Responses that must not reach a client.
    static let malformed: [(why: String, word: String, response: String)] = [
        ("not HTTP", "BadStatusLine", "220 smtp.example.com ready\r\n\r\n"),
        ("a status of two digits", "BadStatusLine", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
        ("a version from the future", "UnsupportedVersion", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
        (
            "two lengths", "DuplicateContentLength",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"
        ),
        ("a list of lengths", "BadContentLength", "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab"),
        ("a signed length", "BadContentLength", "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na"),
        (
            "length and chunked", "ContentLengthWithTransferEncoding",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        (
            "an unknown coding", "BadTransferEncoding",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"
        ),
        ("a field without a colon", "BadFieldName", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nnonsense\r\n\r\n"),
        ("space before the colon", "BadFieldName", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n"),
        ("a folded field", "ObsoleteFold", "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n"),
        (
            "a bare CR in a value", "BareCarriageReturn",
            "HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: x=y\r\nContent-Length: 0\r\n\r\n"
        ),
        ("NUL in a value", "BadFieldValue", "HTTP/1.1 200 OK\r\nX-A: b\0\r\nContent-Length: 0\r\n\r\n"),
        (
            "101 without a request for an upgrade", "UnexpectedUpgrade",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
        ),
        ("a head beyond 32K", "HeadTooLarge", "HTTP/1.1 200 OK\r\n" + fill + "Content-Length: 0\r\n\r\n"),
    ]

    @Test("A malformed response is 502, and its connection is not reused", arguments: malformed)
    func malformedAnswer(why: String, word: String, response: String) throws {
        let target = try TargetServer(script: TargetScript.raw(response))
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        let answer = try client.get("/bad")
        expectMadeHere(answer, 502, why)
        #expect(answer["apus-reason"] == "MalformedResponse/\(word)", "\(why)")
        expectMadeHere(try client.get("/bad-again"), 502, why)
        #expect(target.connections.allSatisfy { $0.requests.count == 1 })
        let line = expectLogged(by: apus, "/bad-again", status: 502, target: "127.0.0.1:\(target.port)")
        #expect(line?.errorReason == "-", "only ALB's own reasons are allowed there")
        let reason = word.replacing(/[a-z](?=[A-Z])/) { "\($0.output)_" }.lowercased()
        #expect(try apus.metric("apus_target_malformed_responses_total", "\"\(reason)\"") == 2)
    }

    @Test("Bare LF is accepted in a response head, and the client gets CRLF")
    func bareLineFeeds() throws {
        let target = try TargetServer(
            script: TargetScript.raw("HTTP/1.1 200 OK\nContent-Length: 2\nX-A: b\r\nX-C: d\n\nok"))
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        for _ in 0..<2 {
            // The harness accepts CRLF only.
            let answer = try client.get("/line-feeds")
            #expect(answer.text == "ok")
            #expect(answer["x-a"] == "b")
            #expect(answer["x-c"] == "d")
        }
        #expect(target.connections.count == 1)
        expectLogged(by: apus, "/line-feeds", status: 200, targetStatus: 200)
    }

    @Test("Endless interim responses are 502 and do not use up memory")
    func interimFlood() throws {
        let interim = String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 1_000)
        let target = try TargetServer { connection in
            _ = try connection.request()
            while true { try connection.send(interim) }
        }
        let apus = try ApusProcess.start(Document(target, attributes: ["idle_timeout.timeout_seconds": 2]))
        let client = try apus.client()
        try client.send("GET /flood HTTP/1.1\r\nHost: a.b\r\n\r\n")
        let cut = eventually(within: 20) {
            guard case .bytes = client.socket.read(by: .after(5)) else { return true }
            return false
        }
        #expect(cut, "the client must be answered or its connection cut")
        try expectResident(apus, below: 64 << 20)
        expectLogged(by: apus, "/flood", status: 502)
    }
}
