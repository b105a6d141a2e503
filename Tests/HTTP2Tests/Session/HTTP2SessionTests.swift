import Core
import HTTP1
import HTTP2
import Testing

@Suite struct HTTP2SessionTests {
    @Test func aRequestIsAnswered() {
        let client = Side(.client)
        let server = Side(.server)
        converse(client, server)
        #expect(server.takeStory() == ["settings"])
        #expect(client.takeStory() == ["settings"])
        let head = requestHead("GET /a/../b?q=1 HTTP/1.1\r\nHost: example.com\r\nX-A: 1\r\n\r\n")
        let slot = client.session.request(head, scheme: "https", framing: .none, isEnd: true)
        #expect(slot == 0)
        converse(client, server)
        #expect(server.takeStory() == ["0 head GET /b end"])
        #expect(server.lastHead?.lines == ["host: example.com", "x-a: 1"])
        let answer = responseHead("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: x\r\n\r\n")
        server.session.respond(0, answer, framing: .length(5), isEnd: false)
        server.session.attach(0, buffer(Array("hello".utf8)), isLast: true)
        converse(server, client)
        #expect(server.takeStory() == ["0 closed NoError complete"])
        #expect(client.takeStory() == ["0 head 200", "0 end", "0 closed NoError complete"])
        #expect(client.bodies[0] == Array("hello".utf8))
        #expect(client.session.openStreamCount == 0 && server.session.openStreamCount == 0)
    }

    @Test func bothSidesSendSettings() {
        let server = Frame.parse(Side(.server).send())
        #expect(server.map(\.type) == [4, 8])
        #expect(server[0] == .settings([(3, 128), (4, 65_536), (6, 65_536), (8, 1), (9, 1)]))
        #expect(server[1] == .windowUpdate(0, 128 * 65_536 - 65_535))
        let bytes = Side(.client).send()
        #expect(Array(bytes[..<24]) == Array(preface[..<24]))
        let client = Frame.parse(Array(bytes[24...]))
        #expect(client[0] == .settings([(2, 0), (3, 0), (4, 65_536), (6, 32_768)]))
        #expect(client[1] == .windowUpdate(0, 128 * 65_536 - 65_535))
    }

    @Test func aPingIsAnswered() {
        let client = Side(.client)
        let server = Side(.server)
        converse(client, server)
        _ = (client.takeStory(), server.takeStory())
        server.session.ping()
        converse(server, client)
        #expect(server.takeStory() == ["pong"] && client.takeStory().isEmpty)
        // This PING was not sent by us.
        server.receive(Frame.ping(Frame.acknowledge).bytes)
        #expect(server.takeStory().isEmpty && server.session.fault == nil)
    }

    @Test func serverShutsDownInTwoSteps() {
        let client = Side(.client)
        let server = Side(.server)
        converse(client, server)
        let ask = requestHead("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let answer = responseHead("HTTP/1.1 200 OK\r\n\r\n")
        #expect(client.session.request(ask, scheme: "https", framing: .none, isEnd: true) == 0)
        server.receive(client.send())
        // The second request is in flight while the server announces its shutdown.
        #expect(client.session.request(ask, scheme: "https", framing: .none, isEnd: true) == 1)
        let late = client.send()
        server.session.beginShutdown()
        client.receive(server.send())
        #expect(client.takeStory().last == "goAway NoError")
        #expect(client.session.request(ask, scheme: "https", framing: .none, isEnd: true) == nil)
        server.receive(late)
        #expect(server.session.openStreamCount == 2 && !server.session.isFinished)
        server.session.finishShutdown()
        converse(server, client)
        for slot in server.slots { server.session.respond(slot, answer, framing: .length(0), isEnd: true) }
        #expect(!server.session.isFinished)
        converse(server, client)
        #expect(server.session.isFinished && client.session.isFinished)
        #expect(client.story.count { $0.hasSuffix("complete") } == 2)
    }

    @Test func requestsAfterTheLastStreamAreNotServed() {
        let (_, server) = serve([Frame.headers(1, get)].bytes)
        server.session.finishShutdown()
        let goAway = Frame.parse(server.send()).last
        #expect(goAway == .goAway(1))
        server.receive([Frame.headers(3, get)].bytes)
        #expect(server.session.openStreamCount == 1 && server.slots == [0])
    }

    @Test func clientShutsDown() {
        let client = Side(.client)
        let server = Side(.server)
        converse(client, server)
        client.session.beginShutdown()
        #expect(client.send().isEmpty)
        client.session.finishShutdown()
        converse(client, server)
        #expect(server.takeStory().last == "goAway NoError")
        #expect(client.session.isFinished && server.session.isFinished)
    }

    @Test func aWebSocketIsATunnelOverAStream() {
        let fields = get.replacing(":method", "CONNECT") + [(":protocol", "websocket")]
        let (_, server) = serve([Frame.headers(1, fields, end: false), .data(1, [1, 2])].bytes)
        #expect(server.takeStory().last == "0 head GET /" && server.bodies[0] == [1, 2])
        server.session.respond(0, responseHead("HTTP/1.1 200 OK\r\n\r\n"), framing: .chunked, isEnd: false)
        server.session.attach(0, buffer([3, 4]), isLast: false)
        #expect(Frame.parse(server.send()).last == .data(1, [3, 4]))
        server.receive([Frame.data(1, end: true)].bytes)
        server.session.attach(0, nil, isLast: true)
        #expect(Frame.parse(server.send()).last == .data(1, end: true))
        #expect(server.takeStory() == ["0 end", "0 closed NoError complete"])
    }

    @Test func anIdleSessionHoldsLittle() {
        let client = Side(.client)
        let server = Side(.server)
        converse(client, server)
        let held = server.session.heldByteCount
        #expect(held > 0 && held < 40_000, "\(held)")
        for _ in 0..<100 {
            let head = requestHead("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = client.session.request(head, scheme: "https", framing: .none, isEnd: true)
            converse(client, server)
            #expect(server.session.heldByteCount > held)
            server.session.respond(0, responseHead("HTTP/1.1 200 OK\r\n\r\n"), framing: .length(0), isEnd: true)
            converse(server, client)
        }
        #expect(server.session.heldByteCount < held + 8_000, "what streams held is given back")
    }
}
