import Testing

/// Where messages begin and end: RFC 9112, seen from both sides.
@Suite struct FramingTests {
    @Test("Pipelined requests are answered in order")
    func pipelining() throws {
        let target = try TargetServer { connection in
            while let request = try connection.request() { try connection.respond(body: request.target + request.text) }
        }
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        let requests = (0..<50).map { number in
            switch number % 3 {
            case 0: "GET /p\(number) HTTP/1.1\r\nHost: a.b\r\n\r\n"
            case 1: "POST /p\(number) HTTP/1.1\r\nHost: a.b\r\nContent-Length: 3\r\n\r\nabc"
            default: "PUT /p\(number) HTTP/1.1\r\nHost: a.b\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n0\r\n\r\n"
            }
        }
        try client.send(requests.joined())
        for number in 0..<50 {
            #expect(try client.response().text == "/p\(number)" + ["", "abc", "xy"][number % 3])
        }
        expectLogged(by: apus, "/p49 ", status: 200, targetStatus: 200)
    }

    @Test("A request that arrives byte by byte is parsed as one that arrives at once")
    func byteByByte() throws {
        let target = try TargetServer(script: TargetScript.echo)
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        for byte in "POST /slowly HTTP/1.1\r\nHost: a.b\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n"
            .utf8
        {
            try client.send([byte])
        }
        #expect(try client.response().text == "abc")
        expectLogged(by: apus, "/slowly", status: 200)
    }

    @Test("HTTP/1.0: the connection ends after the response without keep-alive, and nothing is chunked")
    func http10() throws {
        let target = try TargetServer(
            script: TargetScript.raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
        let apus = try ApusProcess.start(Document(target))
        let plain = try apus.client()
        let answer = try plain.exchange("GET /old HTTP/1.0\r\n\r\n")
        #expect(answer.text == "abc")
        #expect(answer.framing == .endOfConnection)
        #expect(answer.values("transfer-encoding").isEmpty)
        #expect(plain.ended())
        // The target gets HTTP/1.1 with a Host field, even if the client sent none.
        let request = try #require(target.requests.first)
        #expect(request.startLine == "GET /old HTTP/1.1")
        #expect(request["host"] != nil)
        expectLogged(by: apus, "/old HTTP/1.0", status: 200, targetStatus: 200)

        let steady = try TargetServer("steady")
        let second = try ApusProcess.start(Document(steady))
        let keeping = try second.client()
        for _ in 0..<2 {
            let kept = try keeping.exchange("GET /kept HTTP/1.0\r\nHost: a.b\r\nConnection: keep-alive\r\n\r\n")
            #expect(kept.text == "steady\n")
            #expect(kept.connectionHas("keep-alive"))
        }
    }

    @Test("Connection: close ends the connection after the response")
    func connectionClose() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        let answer = try client.get("/last", fields: "Connection: close\r\n")
        #expect(answer.connectionHas("close"))
        #expect(client.ended())
        #expect(target.requests.last?.connectionHas("close") == false, "it is hop-by-hop")
        expectLogged(by: apus, "/last", status: 200)
    }

    @Test("What follows a request with Connection: close is not served")
    func pipelinedAfterClose() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        try client.send(
            "GET /first HTTP/1.1\r\nHost: a.b\r\n\r\nGET /last HTTP/1.1\r\nHost: a.b\r\nConnection: close\r\n\r\n"
                + "GET /after HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(try client.response().connectionHas("close") == false)
        #expect(try client.response().connectionHas("close"))
        #expect(client.ended())
        expectLogged(by: apus, "/last", status: 200, targetStatus: 200)
        #expect(target.requests.map(\.target).sorted() == ["/first", "/last"])
    }

    @Test("Chunked bodies pass in both directions with their trailers, and chunk extensions are dropped")
    func chunkedWithTrailers() throws {
        let response =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
            + "2;ext=1\r\nhe\r\n3;\"q\"\r\nllo\r\n0\r\nX-Sum: 5\r\n\r\n"
        let target = try TargetServer(script: TargetScript.raw(response))
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        let answer = try client.exchange(
            "POST /chunks HTTP/1.1\r\nHost: a.b\r\nTransfer-Encoding: chunked\r\nTrailer: X-Up\r\n\r\n"
                + "5;name=value\r\nhello\r\n00A\r\n0123456789\r\n000\r\nX-Up: yes\r\n\r\n")
        #expect(answer.framing == .chunked)
        #expect(answer.text == "hello")
        #expect(answer.trailers == [.init(name: "X-Sum", value: "5")])
        let request = try #require(target.requests.first)
        #expect(request.framing == .chunked)
        #expect(request.text == "hello0123456789")
        #expect(request.trailers == [.init(name: "X-Up", value: "yes")])
        let received = String(decoding: target.received, as: UTF8.self)
        #expect(!received.contains("name=value"))
        #expect(!received.contains("00A"), "Apus frames the body again")
        #expect(try client.get("/after").text == "hello")
        expectLogged(by: apus, "/chunks", status: 200, targetStatus: 200)
    }

    @Test(
        "Trailers never bring framing, routing or forwarding fields",
        arguments: [
            "Content-Length: 5", "Transfer-Encoding: chunked", "Host: evil", "X-Forwarded-For: 6.6.6.6",
            "Connection: close",
        ])
    func forbiddenTrailers(field: String) throws {
        let target = try TargetServer(script: TargetScript.echo)
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        let answer = try client.exchange(
            "POST /trailer HTTP/1.1\r\nHost: a.b\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\(field)\r\n\r\n")
        #expect(answer.status == 200 || answer.status == 400)
        #expect(target.requests.allSatisfy { $0.trailers.isEmpty })
        expectLogged(by: apus, "/trailer", status: answer.status)
    }

    static let bodiless: [(method: String, response: String, status: Int)] = [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n", 200),
        ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", 204),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: \"e\"\r\n\r\n", 304),
        ("DELETE", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200),
    ]

    @Test("HEAD, 204, 304 and an empty body: the next response follows at once", arguments: bodiless)
    func bodilessResponses(method: String, response: String, status: Int) throws {
        let target = try TargetServer(script: TargetScript.raw(response))
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        for path in ["/one", "/two"] {
            let answer = try client.exchange("\(method) \(path) HTTP/1.1\r\nHost: a.b\r\n\r\n")
            #expect(answer.status == status)
            #expect(answer.bodyCount == 0)
            if response.contains("1234") { #expect(answer["content-length"] == "1234") }
            if status == 304 { #expect(answer["etag"] == "\"e\"") }
            if status == 204 { #expect(answer["content-length"] == nil) }
            expectLogged(by: apus, path, status: status, targetStatus: status)
        }
        #expect(target.connections.count == 1, "the target's connection was reused")
    }

    @Test("Interim responses are relayed in order, and not to HTTP/1.0")
    func interimResponses() throws {
        let target = try TargetServer(
            script: TargetScript.raw(
                "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b.css>\r\n\r\n"
                    + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        #expect(try client.get("/hints")["link"] == "</a.css>")
        let second = try client.response()
        #expect(second.status == 103)
        #expect(second["link"] == "</b.css>")
        #expect(try client.response().text == "ok")
        expectLogged(by: apus, "/hints", status: 200, targetStatus: 200)
        #expect(try apus.client().exchange("GET /hints10 HTTP/1.0\r\nHost: a.b\r\n\r\n").text == "ok")
    }

    @Test("Expect: 100-continue is answered by Apus and not forwarded")
    func expectContinue() throws {
        let target = try TargetServer(script: TargetScript.echo)
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        try client.send("POST /expect HTTP/1.1\r\nHost: a.b\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        #expect(try client.response().status == 100)
        try client.send("body")
        #expect(try client.response().text == "body")
        #expect(target.requests.first?.values("expect").isEmpty == true)
        expectLogged(by: apus, "/expect", status: 200, targetStatus: 200)

        // A client that sends the body without waiting needs no 100, and its body must not be parsed as a request.
        try client.send("POST /eager HTTP/1.1\r\nHost: a.b\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody")
        let first = try client.response()
        #expect(try (first.status == 100 ? client.response() : first).text == "body")
        #expect(try client.get("/after").status == 200)
    }

    @Test("Any other expectation is 417")
    func unknownExpectation() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        expectMadeHere(try apus.client().get("/more", fields: "Expect: 200-ok\r\n"), 417)
        expectLogged(by: apus, count: 1, status: 417)
        #expect(target.requests.isEmpty)
    }

    @Test("An absolute-form target becomes origin-form, and its authority wins over Host")
    func absoluteForm() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        #expect(
            try client.exchange("GET http://Real.Example.com/abs?q HTTP/1.1\r\nHost: other.example.com\r\n\r\n").status
                == 200)
        let request = try #require(target.requests.last)
        #expect(request.startLine == "GET /abs?q HTTP/1.1")
        #expect(request["host"] == "real.example.com:\(apus.port)")
        #expect(
            try client.exchange("GET http://real.example.com HTTP/1.1\r\nHost: real.example.com\r\n\r\n").status == 200)
        #expect(target.requests.last?.startLine == "GET / HTTP/1.1")
        expectLogged(by: apus, "/abs?q", status: 200)
    }

    @Test("OPTIONS * is forwarded unaltered")
    func optionsAsterisk() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        #expect(try apus.client().exchange("OPTIONS * HTTP/1.1\r\nHost: a.b\r\n\r\n").status == 200)
        #expect(target.requests.last?.startLine == "OPTIONS * HTTP/1.1")
        expectLogged(by: apus, "OPTIONS ", status: 200)
        expectMadeHere(try apus.client().exchange("GET * HTTP/1.1\r\nHost: a.b\r\n\r\n"), 400)
    }

    @Test("A response that ends with the connection reaches the client completely, with an explicit end")
    func endOfConnection() throws {
        let target = try TargetServer(script: TargetScript.rawThenClose("HTTP/1.1 200 OK\r\n\r\nall of it"))
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        let answer = try client.get("/end")
        #expect(answer.text == "all of it")
        #expect(answer.framing == .chunked, "HTTP/1.1 clients keep their connection")
        #expect(try client.get("/end-again").text == "all of it")
        #expect(try apus.client().exchange("GET /end10 HTTP/1.0\r\n\r\n").text == "all of it")
        expectLogged(by: apus, "/end-again", status: 200, targetStatus: 200)
    }

    @Test("A client that half-closes after its request still gets the response")
    func halfClose() throws {
        let gate = Gate()
        let target = try TargetServer { connection in
            _ = try connection.request()
            gate.wait()
            try connection.respond(body: "late")
        }
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        try client.send("GET /half HTTP/1.1\r\nHost: a.b\r\n\r\n")
        client.endWriting()
        #expect(eventually { !target.requests.isEmpty })
        gate.open()
        #expect(try client.response().text == "late")
        expectLogged(by: apus, "/half", status: 200, targetStatus: 200)
    }

    @Test("A client that resets while it waits is logged as 460, and the target's connection is closed")
    func clientGone() throws {
        let target = try TargetServer(script: TargetScript.silence)
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        try client.send("GET /gone HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(eventually { !target.requests.isEmpty })
        client.reset()
        expectLogged(by: apus, "/gone", status: 460)
        #expect(eventually { (try? apus.metric("apus_target_connections_active")) == 0 })
    }
}
