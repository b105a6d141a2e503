import Core
import Foundation
import Model
import Testing

@testable import Control

/// HTTP/1.1 as clients speak it to the admin socket.
@Suite struct AdminConnectionTests {
    static let get = "GET /v1/instances/i-1 HTTP/1.1\r\nHost: a\r\n\r\n"
    static let put = "PUT /v1/instances/i-1 HTTP/1.1\r\nHost: a\r\n"
    static let body = #"{"address":"10.9.9.9"}"#

    @Test func aConnectionIsKept() throws {
        let harness = try AdminHarness()
        let client = try RawClient(harness.path)
        for _ in 0..<3 {
            client.send(Self.get)
            #expect(try #require(client.response()).status == 200)
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() throws {
        let harness = try AdminHarness()
        let client = try RawClient(harness.path)
        client.send(
            Self.put + "Content-Length: \(Self.body.utf8.count)\r\n\r\n" + Self.body + Self.get
                + "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n" + Self.get)
        let responses = (0..<4).compactMap { _ in client.response() }
        #expect(responses.map(\.status) == [200, 200, 404, 200])
        #expect(responses[1].body.contains("10.9.9.9"), "the change was in force when the next request was answered")
    }

    @Test func bytesMayComeOneByOne() throws {
        let harness = try AdminHarness()
        let client = try RawClient(harness.path)
        let request =
            Self.put
            + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"add\r\n11;x=y\r\nress\":\"10.9.9.9\"}\r\n0\r\nA: b\r\n\r\n"
        for byte in request.utf8 { client.send([byte]) }
        #expect(try #require(client.response()).status == 200)
        #expect(harness.perform { $0.document.instances.contains { $0.address == "10.9.9.9" } })
    }

    @Test func aClientThatExpectsContinueGetsIt() throws {
        let harness = try AdminHarness()
        let client = try RawClient(harness.path)
        client.send(Self.put + "Expect: 100-continue\r\nContent-Length: \(Self.body.utf8.count)\r\n\r\n")
        #expect(try #require(client.response()).status == 100)
        client.send(Self.body)
        #expect(try #require(client.response()).status == 200)
    }

    @Test func theConnectionEndsWhenTheClientSaysSo() throws {
        let harness = try AdminHarness()
        for request in [
            "GET /v1/status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET /v1/status HTTP/1.0\r\n\r\n",
        ] {
            let client = try RawClient(harness.path)
            client.send(request)
            let response = try #require(client.response())
            #expect(response.status == 200 && response.fields["connection"] == "close")
            #expect(client.isAtEnd)
        }
    }

    @Test func aClientThatHasFinishedSendingIsAnswered() throws {
        let harness = try AdminHarness()
        let client = try RawClient(harness.path)
        client.send(Self.get)
        client.finishSending()
        #expect(try #require(client.response()).status == 200)
        #expect(client.isAtEnd)
    }

    @Test(arguments: [
        "\r\n\r\nnonsense\r\n\r\n", "GET  /v1/status HTTP/1.1\r\n\r\n", "GET /v1/status HTTP/1.1\r\nA b\r\n\r\n",
    ])
    func whatIsNotHTTPIsRefused(_ text: String) throws {
        let harness = try AdminHarness()
        let client = try RawClient(harness.path)
        client.send(text)
        let response = try #require(client.response())
        #expect(response.status == 400 && response.fields["connection"] == "close")
        #expect(response.body.contains("curl --unix-socket"))
        #expect(client.isAtEnd)
    }

    /// Source: RFC 9110 §13.1.2, §15.4.5.
    @Test(arguments: [
        ("\"1\"", 304), ("W/\"1\"", 304), ("*", 304), ("\"7\",\t\"1\" ", 304), ("\"2\"", 200), ("1", 200), ("", 200),
    ])
    func aClientWithTheCurrentTagGets304(tags: String, status: Int) throws {
        let harness = try AdminHarness()
        let client = try RawClient(harness.path)
        for method in ["GET", "HEAD"] {
            client.send("\(method) /v1/instances/i-1 HTTP/1.1\r\nHost: a\r\nIf-None-Match: \(tags)\r\n\r\n")
            let response = try #require(client.response(isHEAD: status == 304 || method == "HEAD"))
            #expect(response.status == status && response.fields["etag"] == "\"1\"")
            #expect(status == 200 || response.fields["content-length"] == nil)
        }
        client.send("GET /v1/target-groups/blue/targets HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n")
        #expect(try #require(client.response()).status == 200, "health is of no generation")
    }

    /// Whether `condition` comes to hold.
    private func comes(_ harness: AdminHarness, _ condition: @escaping @Sendable (RecordingActions) -> Bool) -> Bool {
        let deadline = Instant.now() + 30_000_000_000
        while !harness.perform(condition) { if Instant.now() > deadline { return false } }
        return true
    }

    @Test func aClientThatLeavesBeforeTheAnswerIsNoticed() throws {
        let harness = try AdminHarness()
        let body = #"{"targets":[{"id":"10.0.0.1"}],"wait":true}"#
        let request =
            "POST /v1/target-groups/blue/deregister HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        var client: RawClient? = try RawClient(harness.path)
        client?.send(request + body)
        #expect(comes(harness) { $0.drains.count == 1 })
        client?.finishSending()
        #expect(harness.perform { $0.requester?.hasDisconnected } == false, "who has said all still takes the answer")
        client = nil
        #expect(comes(harness) { $0.requester?.hasDisconnected ?? true })
        harness.perform { $0.finishDrains() }
        #expect(try AdminRoutesTests.answer(harness, "GET /v1/status", "").status == 200)
    }

    @Test func aHeadThatIsTooLongIsRefused() throws {
        let harness = try AdminHarness()
        let client = try RawClient(harness.path)
        let fields = (0..<8).map { "A\($0): " + String(repeating: "x", count: 12_000) + "\r\n" }.joined()
        client.send("GET /v1/status HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
        #expect(try #require(client.response()).status == 413)
    }

    @Test(arguments: ["Content-Length: 8388609\r\n\r\n", "Expect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n"])
    func aBodyThatIsAnnouncedTooLongIsRefusedAtOnce(_ fields: String) throws {
        let harness = try AdminHarness()
        let client = try RawClient(harness.path)
        client.send(Self.put + fields)
        let response = try #require(client.response())
        #expect(response.status == 413 && response.body.contains("8 MiB"))
        client.send("x")
        client.finishSending()
        #expect(client.isAtEnd)
    }

    @Test func aBodyThatTurnsOutTooLongIsRefused() throws {
        let harness = try AdminHarness()
        let client = try RawClient(harness.path)
        client.send(Self.put + "Transfer-Encoding: chunked\r\n\r\n")
        let chunk = Array("10000\r\n".utf8) + [UInt8](repeating: 0x20, count: 0x10000) + Array("\r\n".utf8)
        for _ in 0..<129 { client.send(chunk) }
        #expect(try #require(client.response()).status == 413)
    }

    @Test func aLargeBodyIsTaken() throws {
        let harness = try AdminHarness()
        let body = Self.body + String(repeating: " ", count: Limits.adminBodyBytesMax - Self.body.utf8.count)
        let response = try AdminRoutesTests.answer(harness, "PUT /v1/instances/i-1", body)
        #expect(response.status == 200)
    }

    @Test func aLargeAnswerReachesASlowClient() throws {
        let targets = (0..<10_000).map { TargetDescription(id: "10.1.\($0 / 250).\($0 % 250)", port: 80) }
        let harness = try AdminHarness(Document(targetGroups: [group("many", targets)]))
        let client = try RawClient(harness.path)
        client.send("GET /v1/target-groups/many HTTP/1.1\r\nHost: a\r\n\r\nGET /v1/status HTTP/1.1\r\nHost: a\r\n\r\n")
        // Others are served while that one does not read.
        #expect(try AdminRoutesTests.answer(harness, "GET /v1/instances", "").status == 200)
        let response = try #require(client.response())
        let group = try TargetGroup(Value.parse(json: response.body))
        #expect(response.body.utf8.count > 500_000 && group.targets == targets)
        #expect(try #require(client.response()).status == 200)
    }

    @Test func oneClientTooManyIsRejected() throws {
        let harness = try AdminHarness()
        var clients: [RawClient] = []
        for _ in 0..<Limits.adminClientsMax {
            clients.append(try RawClient(harness.path))
            clients.last?.send(Self.get)
            #expect(try #require(clients.last?.response()).status == 200)
        }
        let late = try RawClient(harness.path)
        let response = try #require(late.response())
        #expect(response.status == 503 && response.body.contains("at most 64 clients"))
        #expect(late.isAtEnd)
        clients.removeAll()
        // The places are free again as soon as the server has noticed.
        var status = 503
        for _ in 0..<1000 where status == 503 {
            status = try AdminRoutesTests.answer(harness, "GET /v1/status", "").status
        }
        #expect(status == 200)
    }

    @Test func aClientThatLeavesDuringAWaitIsForgotten() throws {
        let harness = try AdminHarness()
        var client: RawClient? = try RawClient(harness.path)
        let body = #"{"targets":[{"id":"10.0.0.1"}],"wait":true}"#
        client?.send(
            "POST /v1/target-groups/blue/deregister HTTP/1.1\r\nHost: a\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        while harness.perform({ $0.drains.isEmpty }) {}
        client = nil
        #expect(try AdminRoutesTests.answer(harness, "GET /v1/status", "").status == 200)
        harness.perform { $0.finishDrains() }
        #expect(try AdminRoutesTests.answer(harness, "GET /v1/status", "").status == 200)
        #expect(harness.perform { $0.log.lines }.contains { $0.contains("deregister") && $0.contains("status=200") })
    }
}
