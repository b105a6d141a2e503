import Foundation
import Testing

/// HTTP/2 attacks, and their effect on other clients.
@Suite struct HTTP2Tests {
    private func start(
        attributes: [String: JSON] = [:], script: @escaping TargetServer.Script = TargetScript.answer(body: "blue\n")
    )
        throws -> ApusProcess
    {
        let target = try TargetServer(script: script)
        var attributes = attributes
        attributes["apus.h2c.enabled"] = true
        return try ApusProcess.start(Document(target, attributes: attributes))
    }

    private func attack(_ apus: ApusProcess, _ what: String) throws -> String {
        try Tool.run([Tool.python, Tool.script("http2_client"), what, "\(apus.port)"], in: apus.folder)
    }

    /// Expects that all requests of another client were answered in time. The bound allows for a machine that runs
    /// other tests.
    private func expectUndisturbed(
        _ report: LoadGenerator.Report, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(report.statuses == [200: 2000], "\(report.failures.prefix(3))", sourceLocation: sourceLocation)
        #expect(report.longestSeconds < 5, sourceLocation: sourceLocation)
    }

    /// Requests that a target has served allow resets; responses made by Apus do not, since they cost the client
    /// nothing.
    @Test func servedClientMayCancelSome() throws {
        let fixed: JSON = ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "200"]]
        let target = try TargetServer()
        let attributes: [String: JSON] = ["apus.h2c.enabled": true]
        let serving = try ApusProcess.start(Document(target, attributes: attributes))
        #expect(try attack(serving, "given_up") == "served 1200\n")
        let answering = try ApusProcess.start(
            Document(listeners: [.init(defaultAction: fixed)], groups: [], attributes: attributes))
        #expect(try attack(answering, "given_up").hasPrefix("goaway 11 "), "ENHANCE_YOUR_CALM")
    }

    /// A stream's data is kept in a buffer of the size of its window. A client that sends more, while the target does
    /// not accept the connection, loses only the stream.
    @Test func exceedingTheWindowResetsTheStream() throws {
        let full = try FullTarget(), checked = try TargetServer()
        defer { full.close() }
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [.init("blue", [full.address], settings: ["healthCheckPort": JSON(checked.port)])],
                attributes: ["apus.h2c.enabled": true]))
        let told = try Tool.run(
            [Tool.python, Tool.script("http2_attacks"), "overrun", "\(apus.port)"], in: apus.folder)
        #expect(told == "5:3 8:3 20:3 60:3\n", "FLOW_CONTROL_ERROR")
        #expect(try apus.metric("apus_http2_faults_total") == 0)
        #expect(try eventually { try apus.metric("apus_held_bytes") == 0 }, "its memory was released")
    }

    /// HPACK bomb: few bytes become large heads, and streams are kept open by windows of zero. Most are refused, memory
    /// stays bounded, and other clients do not wait.
    @Test func hpackBombIsBounded() throws {
        let apus = try start()
        let before = try apus.metric("process_resident_memory_bytes")
        let load = LoadGenerator(port: apus.port, clients: 2, requests: 2000)
        let bomb = Background {
            try Tool.run([Tool.python, Tool.script("http2_attacks"), "bomb", "\(apus.port)"], in: apus.folder)
        }
        #expect(try eventually { try apus.metric("apus_held_bytes") > 500_000 }, "the attack has begun")
        let report = load.waitForEnd()
        expectUndisturbed(report)
        let told = try bomb.value()
        let open = try #require(Int(told.split(separator: " ")[1]), "\(told)")
        #expect((1...20).contains(open) && told.hasSuffix(" ended False goaway None\n"), "\(told)")
        #expect(try apus.metric("process_resident_memory_bytes") - before < 32_000_000)
        #expect(try eventually { try apus.metric("apus_held_bytes") == 0 }, "its memory was released")
    }

    /// A connection serves 10,000 requests. Requests that cross its GOAWAY are answered.
    @Test func requestLimitPerConnectionLosesNone() throws {
        let apus = try start()
        let told = try Tool.run(
            [Tool.python, Tool.script("http2_attacks"), "many_requests", "\(apus.port)"], in: apus.folder)
        #expect(told == "lost 0 beyond True code 0\n")
    }

    /// Streams have deadlines of their own: a silent target leads to 504, a slow one does not, even if the client has
    /// sent its request long ago.
    @Test func distinguishesSilentAndSlowTargets() throws {
        let apus = try start(attributes: ["idle_timeout.timeout_seconds": 1]) { connection in
            while let request = try connection.request() {
                guard request.target == "/slow" else { continue }
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
                for _ in 0..<8 {
                    guard !connection.wire.ended(within: 0.3) else { return }
                    try connection.send("x")
                }
            }
        }
        @Sendable func curl(_ path: String) throws -> String {
            try Tool.curl(
                apus, "--http2-prior-knowledge", "-o", "/dev/null", "-w", "%{http_code} %{size_download}",
                "http://localhost:\(apus.port)\(path)")
        }
        let slow = Background { try curl("/slow") }
        #expect(try curl("/silent").hasPrefix("504 "))
        #expect(try slow.value() == "200 8")
        #expect(try apus.metric("apus_timeouts_total", "target_idle") == 1)
        #expect(try eventually { try apus.metric("apus_client_connections_active") == 0 })
    }

    /// More data than one turn reads, on many streams at once.
    @Test func manyUploadsAtOnce() throws {
        let apus = try start(script: TargetScript.echo)
        try Data(count: 1_000_000).write(to: URL(fileURLWithPath: "\(apus.folder)/body"))
        let told = try Tool.run(
            [
                "h2load", "-n", "200", "-c", "1", "-m", "100", "-d", "\(apus.folder)/body", "-w", "24", "-W", "30",
                "http://localhost:\(apus.port)/",
            ], in: apus.folder)
        #expect(told.contains("200 succeeded, 0 failed, 0 errored, 0 timeout"), "\(told)")
    }

    /// The preface of HTTP/2 may arrive in two pieces.
    @Test func thePrefaceMayComeInPieces() throws {
        let apus = try start()
        let other = try RawClient(port: apus.port)
        try other.send("P")
        #expect(try eventually { try apus.metric("apus_client_received_bytes_total") == 1 })
        #expect(try other.exchange("OST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").status == 200)
        let told = try Tool.run(
            [Tool.python, Tool.script("http2_attacks"), "preface", "\(apus.port)"], in: apus.folder)
        #expect(told == "settings True\n")
    }

    /// An incomplete head (slow loris) keeps a connection no longer than on HTTP/1.
    @Test func incompleteHeadTimesOut() throws {
        let apus = try start(attributes: ["apus.head_timeout.seconds": 0.5])
        let client = try RawClient(port: apus.port)
        try client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        try client.send([0, 0, 0, 4, 0, 0, 0, 0, 0])
        try client.send([0, 0, 1, 1, 0, 0, 0, 0, 1, 0x82])
        _ = try client.wire.remainder()  // to the end
        #expect(try apus.metric("apus_timeouts_total", "request_head") == 1)
    }

    /// A window opened byte by byte (slow read) does not keep a response and its memory alive.
    @Test func aZeroWindowIsReset() throws {
        let apus = try start(
            attributes: ["apus.min_body_rate.window_seconds": 0.5, "apus.min_body_rate.bytes_per_second": 100],
            script: TargetScript.answer(body: String(repeating: "x", count: 200_000)))
        #expect(try attack(apus, "zero_window").hasPrefix("reset "))
        #expect(try apus.metric("apus_timeouts_total", "response_rate") == 1)
    }

    /// A stream that waits for its window uses no processor time.
    @Test func waitingForAWindowDoesNotSpin() throws {
        let apus = try start(script: TargetScript.answer(body: "five\n"))
        let before = apus.process.processorSeconds
        let told = try Tool.run(
            [Tool.python, Tool.script("http2_attacks"), "closed_window", "\(apus.port)"], in: apus.folder)
        #expect(told == "heads 1\n")
        #expect(apus.process.processorSeconds - before < 0.5, "of two seconds")
    }

    /// A steady reader does not count as slow because of data in the kernel's buffer.
    @Test func aSteadyReaderIsNotCut() throws {
        let apus = try start(
            attributes: ["apus.min_body_rate.window_seconds": 1, "apus.min_body_rate.bytes_per_second": 100],
            script: TargetScript.answer(body: String(repeating: "x", count: 30_000_000)))
        let told = try Tool.run(
            [Tool.python, Tool.script("http2_attacks"), "steady", "\(apus.port)"], in: apus.folder)
        #expect(told == "alive\n")
        #expect(try apus.metric("apus_timeouts_total", "response_rate") == 0)
    }

    /// Only the stream of an invalid request is reset; it is counted by reason, and logged.
    @Test func faultyRequestsAreCountedAndLogged() throws {
        let target = try TargetServer()
        var document = Document(target, attributes: ["apus.h2c.enabled": true])
        document.logFormat = "json"
        let apus = try ApusProcess.start(document)
        let told = try Tool.run(
            [Tool.python, Tool.script("http2_attacks"), "faults", "\(apus.port)"], in: apus.folder)
        let count = try #require(Int(told.split(separator: " ")[1]), "\(told)")
        #expect(count >= 3 && told.hasSuffix("ended False\n"), "\(told)")
        #expect(try apus.metric("apus_http2_stream_faults_total", "client") == Double(count))
        #expect(try apus.metric("apus_client_http2_stream_faults_total", "bad_field") >= 2)
        #expect(try apus.metric("apus_http2_streams_reset_total", "client") == 0)
        #expect(eventually { apus.accessEntries.count { $0["elb_status_code"] == 400 } == 5 })
        #expect(apus.accessEntries.contains { $0["apus_reason"] == "BadField" })
        let answered = try #require(apus.accessEntries.first { $0["elb_status_code"] == 200 })
        #expect((answered["sent_bytes"].int ?? 0) > 5 + 50, "heads count: \(answered.text)")
    }

    /// PINGs do not keep an idle connection open. Source: docs/elbv2.md, "HTTP connections".
    @Test func pingsDoNotPreventIdleTimeout() throws {
        let apus = try start(attributes: ["idle_timeout.timeout_seconds": 1])
        let told = try Tool.run(
            [Tool.python, Tool.script("http2_attacks"), "pings", "\(apus.port)"], in: apus.folder)
        #expect(told == "goaway 0\n")
        #expect(try apus.metric("apus_timeouts_total", "client_keep_alive") == 1)
    }

    /// A connection ends after `client_keep_alive.seconds`, even if it is used.
    @Test func connectionHasAMaximumAge() throws {
        let apus = try start(attributes: ["client_keep_alive.seconds": 1])
        let told = try Tool.run(
            [Tool.python, Tool.script("http2_attacks"), "pings", "\(apus.port)"], in: apus.folder)
        #expect(told == "goaway 0\n")
        #expect(try apus.metric("apus_timeouts_total", "client_keep_alive") == 0, "it was not idle for long")
    }

    /// Streams that do not finish in time are reset and logged before the connection closes.
    @Test func shutdownHasATimeLimit() throws {
        let target = try TargetServer(script: TargetScript.silence)
        var document = Document(target, attributes: ["apus.h2c.enabled": true])
        document.runtime["shutdownGraceSeconds"] = 1
        let apus = try ApusProcess.start(document)
        let words = Background {
            try Tool.run(
                [Tool.python, Tool.script("http2_attacks"), "last_words", "\(apus.port)"], in: apus.folder)
        }
        #expect(try eventually { try apus.metric("apus_requests_active") == 1 })
        apus.process.signal(SIGTERM)
        let told = try words.value()
        #expect(told == "reset 2\n", "\(told)")
        #expect(apus.process.waitForExit() == .exited(0))
        #expect(apus.errors.contains("exchangesCut=1"), "\(apus.errors)")
    }

    @Test func slowStreamDoesNotBlockOthers() throws {
        let apus = try start(script: TargetScript.answer(body: String(repeating: "x", count: 2_000_000)))
        #expect(try attack(apus, "slow_beside_fast") == "fast 2000000 slow 65535\n")
    }

    @Test func shutdownWaitsForStreams() throws {
        let gate = Gate()
        let apus = try start(script: { connection in
            while try connection.head() != nil {
                gate.wait()
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
        })
        let answer = Background {
            try Tool.curl(apus, "--http2-prior-knowledge", "http://127.0.0.1:\(apus.port)/held")
        }
        #expect(try eventually { try apus.metric("apus_requests_active") == 1 })
        apus.process.signal(SIGTERM)
        gate.open()
        #expect(try answer.value() == "ok")
        #expect(apus.process.waitForExit() == .exited(0))
    }
}
