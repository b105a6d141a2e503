import TestCertificates
import Testing

/// Requests that wait for a connection to a target, until their time is over: each gets one answer.
@Suite struct ScarcityTests {
    private static let waits = "apus_descriptor_waits_total"

    /// One worker with few descriptors, whose exchanges wait 2 s for a connection to a target.
    private func start(_ target: TargetServer, descriptors: Int) throws -> ApusProcess {
        var document = Document(
            target, attributes: ["apus.h2c.enabled": true, "idle_timeout.timeout_seconds": 2])
        document.runtime["workers"] = 1
        return try ApusProcess.start(document, descriptors: descriptors)
    }

    /// A client with twelve HTTP/2 streams with windows of 0: what a target answers comes at once, what Apus answers
    /// stays until the file `go` is there.
    private func waitingStreams(_ apus: ApusProcess, _ label: String) throws -> ChildProcess {
        try ChildProcess(
            [Tool.python, Tool.script("http2_client"), "waiting", "\(apus.port)"], folder: apus.folder, label: label)
    }

    /// Lets the bodies come that Apus has answered `rejectedCount` of the streams with. Each stream has had one answer.
    private func expectEnd(_ streams: ChildProcess, rejectedCount: Int, _ apus: ApusProcess) {
        TestAuthority.write([], "\(apus.folder)/go")
        #expect(streams.waitForExit(within: 30) == .exited(0), "\(streams.standardError)")
        let ends = [("200", 12 - rejectedCount), ("503", rejectedCount)].filter { $0.1 > 0 }
        let expected = ends.map { "\($0.0) StreamEnded \($0.1)\n" }.joined()
        #expect(streams.standardOutput == "heads\n\(expected)")
        #expect(apus.process.exitStatus == nil)
    }

    @Test("A stream that waited for its share in vain gets one 503, however late its window opens")
    func shares() throws {
        let gate = Gate()
        let apus = try start(try TargetServer(script: TargetScript.trickling(until: gate)), descriptors: 100)
        // They leave few connections to be shared out.
        let idle = try (0..<26).map { _ in try apus.client() }
        let streams = try waitingStreams(apus, "streams")
        #expect(eventually(within: 20) { streams.standardOutput == "heads\n" }, "\(streams.standardError)")
        let rejected = try apus.metric("apus_target_share_waits_total")
        #expect(rejected > 0 && rejected < 12)
        #expect(try apus.metric("apus_timeouts_total", "target_wait") == rejected)
        gate.open()
        // Now its share is free, but none of the streams waits for it any more.
        #expect(try eventually { try apus.metric("apus_requests_active") == rejected }, "their windows hold them")
        expectEnd(streams, rejectedCount: Int(rejected), apus)
        #expect(idle.count == 26)
    }

    @Test("Without descriptors every waiting stream and every pipelined request gets one 503")
    func descriptors() throws {
        let gate = Gate()
        let target = try TargetServer(script: TargetScript.trickling(until: gate))
        let apus = try start(target, descriptors: 160)
        // While it is alone it may have many connections to targets, and so take the descriptors of clients to come.
        let first = try waitingStreams(apus, "first")
        #expect(eventually(within: 20) { first.standardOutput == "heads\n" }, "\(first.standardError)")
        let firstRejected = try apus.metric("apus_target_share_waits_total")
        var clients: [RawClient] = []
        while clients.count < 48, try apus.metric(Self.waits) == 0 {
            clients.append(try apus.client())
            try clients.last?.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
            let served = 12 - Int(firstRejected) + clients.count
            #expect(try eventually { try target.requests.count == served || apus.metric(Self.waits) == 1 })
        }
        let waiting = try #require(clients.last)
        try waiting.send(String(repeating: "GET /waits HTTP/1.1\r\nHost: a\r\n\r\n", count: 2))
        let second = try waitingStreams(apus, "second")
        #expect(eventually(within: 20) { second.standardOutput == "heads\n" }, "\(second.standardError)")
        for _ in 0..<3 { expectMadeHere(try waiting.response(), 503) }
        #expect(try apus.metric(Self.waits) == 4)
        gate.open()
        // Now there are descriptors, but none of the streams waits for one any more.
        #expect(try waiting.get("/after").status == 200)
        #expect(try eventually { try apus.metric("apus_requests_active") == 12 + firstRejected })
        expectEnd(second, rejectedCount: 12, apus)
        expectEnd(first, rejectedCount: Int(firstRejected), apus)
        #expect(try eventually { try apus.metric("apus_requests_active") == 0 })
        #expect(apus.accessLog.count { $0.line.contains("/waits") } == 2)
    }
}
