import Model
import Testing

@testable import Control

@Suite struct EventStreamTests {
    /// What a subscriber gets who takes lines only while `isOpen`.
    private final class Subscriber {
        var isOpen = true
        var lines: [Value] = []

        func take(_ value: Value) -> Bool {
            if isOpen { lines.append(value) }
            return isOpen
        }

        var names: [String] { lines.compactMap { $0["event"]?.string } }
    }

    @Test func whatHappensIsToldInOrder() {
        let events = EventLog()
        let subscriber = Subscriber()
        events.post(.groupFailedOpen(group: "a"))
        events.post(.groupRecovered(group: "a"))
        let stream = EventStream(events: events, recent: 1, write: subscriber.take)
        events.post(.shutdownBegan)
        stream.end()
        events.post(.shutdownBegan)
        #expect(subscriber.names == ["group-recovered", "shutdown-began"])
        #expect(subscriber.lines.map { $0["sequence"] } == [2, 3])
    }

    @Test func whatIsMissedIsCountedAndTold() {
        let events = EventLog()
        let subscriber = Subscriber()
        let stream = EventStream(events: events, recent: 0, write: subscriber.take)
        subscriber.isOpen = false
        for _ in 0..<3 { events.post(.shutdownBegan) }
        stream.beat()
        stream.resume()
        subscriber.isOpen = true
        // Until the gap is told nothing else is, so that the order of lines is the order of things.
        events.post(.shutdownBegan)
        stream.beat()
        #expect(subscriber.lines.isEmpty)
        stream.resume()
        events.post(.groupRecovered(group: "a"))
        stream.beat()
        #expect(subscriber.names == ["missed", "group-recovered", "heartbeat"])
        #expect(subscriber.lines[0]["count"] == 4)
    }

    // MARK: Over the socket

    private func subscribe(_ harness: AdminHarness, _ query: String = "", version: String = "1.1") throws -> RawClient {
        let client = try RawClient(harness.path)
        client.send("GET /v1/events\(query) HTTP/\(version)\r\nHost: a\r\n\r\n")
        return client
    }

    @Test func linesComeAsChunks() throws {
        let harness = try AdminHarness()
        harness.perform { $0.events.post(.groupFailedOpen(group: "blue")) }
        let client = try subscribe(harness, "?recent=5")
        let head = client.streamHead()
        #expect(head[0] == "HTTP/1.1 200 OK")
        #expect(head.contains("Content-Type: application/x-ndjson"))
        #expect(head.contains { $0.lowercased() == "transfer-encoding: chunked" })
        let first = String(decoding: try #require(client.chunk()), as: UTF8.self)
        #expect(first.hasSuffix("\"event\":\"group-failed-open\",\"targetGroupName\":\"blue\"}\n"))
        harness.perform { $0.events.post(.listenerOpened(loadBalancer: "web", port: 80)) }
        let second = try Value.parse(json: try #require(client.chunk()))
        #expect(second["sequence"] == 2 && second["event"] == "listener-opened" && second["port"] == 80)
    }

    @Test func anOldClientGetsLinesUntilTheEnd() throws {
        let harness = try AdminHarness()
        harness.perform { $0.events.post(.shutdownBegan) }
        let client = try subscribe(harness, "?recent=1", version: "1.0")
        #expect(client.streamHead().contains("Connection: close"))
        #expect(try #require(client.line()).contains("shutdown-began"))
        harness.perform { $0.isOver = true }
        #expect(client.isAtEnd)
    }

    @Test func headIsAnsweredWithoutAStream() throws {
        let harness = try AdminHarness()
        let client = try RawClient(harness.path)
        client.send("HEAD /v1/events HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.streamHead().first == "HTTP/1.1 200 OK")
        #expect(client.isAtEnd)
    }

    @Test func aSubscriberThatDoesNotReadIsToldWhatItMissed() throws {
        let harness = try AdminHarness()
        let client = try subscribe(harness)
        _ = client.streamHead()
        let name = String(repeating: "g", count: 2000)
        let count = 2000
        harness.perform { actions in for _ in 0..<count { actions.events.post(.groupRecovered(group: name)) } }
        // Others are served, and what is kept for the one is bounded.
        #expect(try AdminRoutesTests.answer(harness, "GET /v1/status", "").status == 200)
        var seen = 0
        var missed: Int?
        while missed == nil {
            let line = try Value.parse(json: try #require(client.chunk()))
            if line["event"] == "missed" { missed = line["count"]?.int } else { seen += 1 }
        }
        #expect(try #require(missed) > 0 && seen > 0)
        #expect(seen + (missed ?? 0) == count)
        harness.perform { $0.events.post(.shutdownBegan) }
        #expect(try Value.parse(json: try #require(client.chunk()))["event"] == "shutdown-began")
    }

    @Test func aClientThatLeavesIsUnsubscribed() throws {
        let harness = try AdminHarness()
        var client: RawClient? = try subscribe(harness)
        _ = client?.streamHead()
        #expect(harness.perform { $0.events.subscriberCount } == 1)
        client = nil
        var count = 1
        for _ in 0..<1000 where count > 0 { count = harness.perform { $0.events.subscriberCount } }
        #expect(count == 0)
    }
}
