import Testing

/// Timeouts.
@Suite struct TimeoutTests {
    private func start(
        _ attributes: [String: JSON], script: TargetServer.Script? = nil
    ) throws -> (ApusProcess, TargetServer) {
        let target = try TargetServer(script: script)
        return (try ApusProcess.start(Document(target, attributes: attributes)), target)
    }

    @Test("Slow loris: a head that arrives byte by byte gets 408 at the deadline")
    func headDeadline() throws {
        let (apus, target) = try start(["apus.head_timeout.seconds": 1])
        let client = try apus.client()
        try client.send("GET /drip HTTP/1.1\r\nHost: a.b\r\n")
        let deadline = Deadline.after(8)
        while !deadline.hasPassed, !client.wire.hasUnread, !client.ended(within: 0.05) { try? client.send("X: y\r\n") }
        #expect(!deadline.hasPassed)
        expectMadeHere(try client.response(), 408)
        #expect(client.ended())
        #expect(target.requests.isEmpty)
        expectLogged(by: apus, count: 1, status: 408)
        #expect(try apus.metric("apus_timeouts_total") >= 1)
    }

    @Test("A silent connection is closed")
    func silentConnection() throws {
        let (apus, _) = try start(["idle_timeout.timeout_seconds": 1, "apus.head_timeout.seconds": 1])
        let client = try apus.client()
        let bytes = try client.wire.remainder()
        #expect(bytes.isEmpty || String(decoding: bytes, as: UTF8.self).hasPrefix("HTTP/1.1 408 "))
    }

    @Test("Keep-alive timeout: an idle connection is closed after the idle time without a response")
    func idleBetweenRequests() throws {
        let (apus, _) = try start(["idle_timeout.timeout_seconds": 1])
        let client = try apus.client()
        #expect(try client.get("/then-idle").status == 200)
        #expect(try client.wire.remainder().isEmpty)
        expectLogged(by: apus, "/then-idle", status: 200)
        #expect(apus.accessLog.count == 1)
    }

    @Test("A connection older than client_keep_alive gets one more response, with Connection: close")
    func clientKeepAlive() throws {
        let (apus, target) = try start(["client_keep_alive.seconds": 3])
        let client = try apus.client()
        let began = ContinuousClock.now
        var answersCount = 0
        var isLast = false
        while !isLast, ContinuousClock.now - began < .seconds(20) {
            isLast = try client.get("/again").connectionHas("close")
            answersCount += 1
            _ = always(for: 0.05) { true }
        }
        #expect(isLast && client.ended())
        #expect(ContinuousClock.now - began >= .seconds(3))
        #expect(answersCount > 2)
        #expect(target.requests.count == answersCount)
        #expect(target.connections.count <= 2, "only the client's connection ends")
        expectLogged(by: apus, "/again", status: 200, targetStatus: 200)

        // If it was idle at that age, the next request is still answered.
        let idle = try apus.client()
        #expect(try idle.get("/before").connectionHas("close") == false)
        #expect(always(for: 3.2) { !idle.ended(within: 0) })
        #expect(try idle.get("/after").connectionHas("close"))
        #expect(idle.ended())
    }

    @Test("A body that stalls gets 408")
    func bodyStops() throws {
        let (apus, target) = try start(["idle_timeout.timeout_seconds": 1])
        let client = try apus.client()
        try client.send("POST /stops HTTP/1.1\r\nHost: a.b\r\nContent-Length: 10\r\n\r\nhalf")
        expectMadeHere(try client.response(), 408)
        #expect(client.ended())
        expectLogged(by: apus, "/stops", status: 408)
        #expect(target.connections.allSatisfy { $0.requests.count <= 1 })
    }

    @Test("A silent target leads to 504")
    func targetSilent() throws {
        let (apus, target) = try start(["idle_timeout.timeout_seconds": 1], script: TargetScript.silence)
        expectMadeHere(try apus.client().get("/silent"), 504)
        let line = expectLogged(by: apus, "/silent", status: 504, target: "127.0.0.1:\(target.port)")
        #expect(line?.targetStatus == nil)
        #expect(line?.targetProcessingSeconds == -1)
        #expect(eventually { target.requests.count == 1 }, "a timeout is not retried")
    }

    @Test("If a target becomes silent inside a body, the client's connection is cut")
    func targetStopsInsideBody() throws {
        let (apus, _) = try start(["idle_timeout.timeout_seconds": 1]) { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            _ = connection.wire.ended(within: 60)
        }
        let client = try apus.client()
        #expect(throws: WireError.self) { try client.get("/half") }
        #expect(client.ended())
        expectLogged(by: apus, "/half", status: 200, targetStatus: 200)
    }

    @Test("A long response that makes progress may take longer than the idle timeout")
    func longButAlive() throws {
        let (apus, _) = try start(["idle_timeout.timeout_seconds": 2]) { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
            for _ in 0..<10 where !connection.wire.ended(within: 0.3) { try connection.send("x") }
        }
        #expect(try apus.client().get("/alive").text == "xxxxxxxxxx")
        let line = expectLogged(by: apus, "/alive", status: 200)
        #expect(try #require(line?.targetProcessingSeconds) < 1)
    }
}
