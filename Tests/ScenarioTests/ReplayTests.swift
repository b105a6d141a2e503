import Foundation
import Testing

/// Retries with bodies in progress (replay), and their abuse by clients.
@Suite struct ReplayTests {
    /// One worker, so that requests take the targets in turn.
    private func start(_ targets: [TargetServer]) throws -> ApusProcess {
        var document = Document(
            listeners: [.init(defaultAction: Document.forward("blue"))], groups: [.init("blue", servers: targets)],
            attributes: ["apus.h2c.enabled": true])
        document.runtime["workers"] = 1
        return try ApusProcess.start(document)
    }

    /// Resets a connection in the middle of a body, when its beginning has come.
    private static let resetting: TargetServer.Script = { connection in
        while let request = try connection.head() {
            guard request.target.hasPrefix("/dies") else {
                try connection.respond(body: "warm\n")
                continue
            }
            _ = connection.wire.receives("first")
            return connection.reset()
        }
    }

    private func chunk(_ count: Int) -> String {
        String(count, radix: 16) + "\r\n" + String(repeating: "x", count: count) + "\r\n"
    }

    /// The failing target's kernel has accepted parts of the body when the connection fails.
    @Test(
        "A chunked body that was being sent when its target died arrives completely at the next target",
        arguments: 1...3)
    func brokenWrite(_: Int) throws {
        let dying = try TargetServer("dying", script: Self.resetting)
        let living = try TargetServer("living", script: TargetScript.countBody)
        let apus = try start([dying, living])
        for number in 1...2 {
            let client = try apus.client()
            try client.send(
                "PUT /dies-\(number) HTTP/1.1\r\nHost: a.b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
            for _ in 0..<3 { try client.send(chunk(15_000)) }
            try client.send("0\r\n\r\nGET /next HTTP/1.1\r\nHost: a.b\r\n\r\n")
            #expect(try client.response().text == "45005", "request \(number)")
            #expect(try client.response().status == 200, "the next request is parsed correctly")
        }
    }

    /// The second target responds before it has read everything: the rest of the body still belongs to its request.
    @Test("An early response does not truncate the body of a retry")
    func earlyAnswer() throws {
        let dying = try TargetServer("dying", script: Self.resetting)
        let count = 60_000
        let early = try TargetServer("early") { connection in
            while var request = try connection.head() {
                try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n")
                try connection.readBody(of: &request)
                try connection.send("0\r\n\r\n")
            }
        }
        let apus = try start([dying, early])
        for number in 1...2 {
            let body = "first" + String(repeating: "y", count: count - 5)
            let text = "PUT /dies-\(number) HTTP/1.1\r\nHost: a.b\r\nContent-Length: \(count)\r\n\r\n\(body)"
            #expect(try apus.client().exchange(text).text == "early")
        }
        #expect(eventually { early.requests.map(\.text.utf8.count) == [count, count] })
    }

    /// The client reads no response, so its requests stay open after Apus has answered them. Their connect races must
    /// not begin another attempt.
    @Test("A client with a closed window, whose requests find all targets dead, breaks nothing")
    func noWindow() throws {
        let dead = try (0..<3).map { _ in Document.Address(port: try PortAllocator.port()) }
        var document = Document(
            listeners: [.init(defaultAction: Document.forward("blue"))], groups: [.init("blue", dead)],
            attributes: ["apus.h2c.enabled": true])
        document.runtime["workers"] = 1
        let apus = try ApusProcess.start(document)
        // Longer than the head start of a connect race.
        _ = try Tool.run([Tool.python, Tool.script("http2_attacks"), "no_window", "\(apus.port)"], in: apus.folder)
        #expect(try apus.metric("apus_requests_total") >= 60)
        #expect(try apus.client().get("/").status == 502)
        #expect(try apus.metric("apus_retries_over_budget_total") > 0)
    }

    /// A target that processes nothing gets no more attempts than the group's retry budget allows.
    @Test("HTTP/2 targets that end every connection unused get three attempts, within the retry budget")
    func neverServing() throws {
        let targets = try (0..<2).map { _ in try PortServer.python("http2_target") }
        var document = Document(
            listeners: [.init(defaultAction: Document.forward("blue"))],
            groups: [.init("blue", targets.map(\.address), settings: ["protocolVersion": "HTTP2"])],
            attributes: ["apus.h2c.enabled": true])
        document.runtime["workers"] = 1
        let apus = try ApusProcess.start(document)
        let words = ["h2load", "-n", "100", "-c", "1", "-m", "1", "http://127.0.0.1:\(apus.port)/goodbye"]
        #expect(try Tool.run(words, in: apus.folder).contains("0 2xx, 0 3xx, 0 4xx, 100 5xx"))
        #expect(try apus.metric("apus_retries_total") <= 20, "20 % of 100 requests")
        #expect(try apus.metric("apus_retries_over_budget_total") >= 80)
    }
}
