import Foundation
import Testing

/// `routing.http.desync_mitigation_mode` with real sockets: what each mode does with each class of request.
@Suite struct DesyncTests {
    private static let mode = "routing.http.desync_mitigation_mode"

    private func start(_ mode: String) throws -> (apus: ApusProcess, target: TargetServer) {
        let target = try TargetServer()
        return (try ApusProcess.start(Document(target, attributes: [Self.mode: .string(mode)])), target)
    }

    private static let host = " HTTP/1.1\r\nHost: a.b\r\n"

    /// Requests that follow the standard not to the letter, with one reading all the same.
    private static let harmless: [(request: String, reason: String)] = [
        ("GET /zero\(host)Content-Length: 0\r\n\r\n", "GetHeadZeroContentLength"),
        ("GET /later HTTP/1.2\r\nHost: a.b\r\n\r\n", "NonCompliantVersion"),
        ("GET /feed\(host)X: y\n\r\n", "NonCrLfLineTermination"),
        ("GET /body\(host)Content-Length: 1\r\n\r\nx", "UndefinedContentLengthSemantics"),
        ("GET /chunks\(host)Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "UndefinedTransferEncodingSemantics"),
    ]

    @Test("strictest refuses all that is not to the letter, and serves what is")
    func strictest() throws {
        let (apus, target) = try start("strictest")
        for (request, reason) in Self.harmless {
            let client = try apus.client()
            let answer = try client.exchange(request, method: "GET")
            expectMadeHere(answer, 400, reason)
            #expect(answer["apus-reason"] == "NonCompliant" && client.ended(), "\(reason)")
            let path = try #require(request.split(separator: " ").dropFirst().first)
            #expect(expectLogged(by: apus, "\(path) ", status: 400)?.classificationReason == reason)
        }
        #expect(target.requests.isEmpty)
        #expect(try apus.client().get("/").status == 200)
        expectMetric(
            apus, "apus_requests_classified_total", "class=\"Ambiguous\"", "reason=\"UndefinedContentLengthSemantics\"",
            is: 1)
    }

    @Test("monitor keeps the connections of a GET with a body, defensive closes both")
    func bodiesOfGET() throws {
        for (mode, isKept) in [("monitor", true), ("defensive", false)] {
            let (apus, target) = try start(mode)
            let client = try apus.client()
            let answer = try client.exchange("GET /body\(Self.host)Content-Length: 1\r\n\r\nx", method: "GET")
            #expect(answer.status == 200 && (answer["connection"] == nil) == isKept, "\(mode)")
            if isKept {
                #expect(try client.get("/again").status == 200)
            } else {
                #expect(client.ended())
            }
            let first = try #require(target.connections.first)
            #expect(first.requests.count == (isKept ? 2 : 1), "\(mode)")
            expectMetric(apus, "apus_target_connections_active", is: isKept ? 1 : 0)
            let line = expectLogged(by: apus, "/body ", status: 200)
            #expect(line?.classification == "Ambiguous", "\(mode)")
        }
    }

    @Test("monitor writes anew what has two readings, and both connections close")
    func monitorWritesAnew() throws {
        let (apus, target) = try start("monitor")
        let inner = "GET /smuggled\(Self.host)\r\n"
        let cases: [(request: String, reason: String, seen: String)] = [
            (
                "POST /a\(Self.host)Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
                "BothTeClPresent", "transfer-encoding: chunked"
            ),
            (
                "POST /b\(Self.host)Transfer-Encoding : chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n" + inner,
                "SuspiciousTeClPresent", "content-length: 1"
            ),
            (
                "POST /c\(Self.host)Content-Length: 1\r\nContent-Length: 1\r\n\r\nx" + inner, "DuplicateContentLength",
                "content-length: 1"
            ),
            (
                "GET /d\(Self.host)X: y\r\n Transfer-Encoding: chunked\r\n\r\n" + inner, "MultilineHeader",
                "x: y transfer-encoding: chunked"
            ),
            ("GET /e\(Self.host): z\r\nX: y\0\r\n\r\n" + inner, "BadHeader", "x: y"),
            ("GET /f\tg\(Self.host)\r\n" + inner, "AmbiguousUri", "/f%09g"),
        ]
        for test in cases {
            let seenBefore = target.connections.count
            let client = try apus.client()
            try client.send(test.request)
            #expect(try client.response().status == 200, "\(test.reason)")
            #expect(client.ended(), "\(test.reason): what follows belongs to another reading")
            let seen = target.connections.dropFirst(seenBefore)
            #expect(seen.count == 1 && seen.allSatisfy { $0.requests.count == 1 }, "\(test.reason)")
            let text = seen.map { String(decoding: $0.received, as: UTF8.self) }.joined().lowercased()
            #expect(text.contains(test.seen), "\(test.reason): the target saw \(text)")
            #expect(
                !(text.contains("\r\ntransfer-encoding") && text.contains("\r\ncontent-length")), "\(test.reason)")
            expectMetric(apus, "apus_requests_classified_total", "reason=\"\(test.reason)\"", is: 1)
        }
        #expect(!target.requests.contains { $0.target == "/smuggled" })
    }

    @Test("No mode forwards what has no reading at all")
    func withoutReading() throws {
        for mode in ["monitor", "defensive", "strictest"] {
            let (apus, target) = try start(mode)
            for fields in [
                "Content-Length: 4x\r\n", "Content-Length: 4\r\nContent-Length: 5\r\n", "Transfer-Encoding: cow\r\n",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            ] {
                let client = try apus.client()
                expectMadeHere(try client.exchange("POST /x\(Self.host)\(fields)\r\n", method: "POST"), 400, fields)
                #expect(client.ended(), "\(mode)")
            }
            #expect(target.requests.isEmpty, "\(mode)")
            expectServes(apus)
        }
    }
}
