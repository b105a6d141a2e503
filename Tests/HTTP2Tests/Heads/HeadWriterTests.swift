import Core
import HTTP1
import HTTP2
import Testing

@Suite struct HeadWriterTests {
    private let client = Side(.client)
    private let server = Side(.server)

    init() { converse(client, server) }

    /// The request as the target sees it.
    private func sent(_ head: Head, framing: Framing = .none, isEnd: Bool = true) throws -> Head {
        _ = try #require(client.session.request(head, scheme: "https", framing: framing, isEnd: isEnd))
        converse(client, server)
        return try #require(server.lastHead)
    }

    /// The response as the client sees it.
    private func answered(
        _ head: Head, framing: Framing = .none, isEnd: Bool = true, method: String = "GET"
    ) throws -> Head {
        _ = try sent(requestHead("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n"))
        let slot = try #require(server.slots.last)
        server.session.respond(slot, head, framing: framing, isEnd: isEnd)
        converse(server, client)
        return try #require(client.lastHead)
    }

    @Test func requestHasNoHopByHopFields() throws {
        let head = requestHead(
            "POST /a?b HTTP/1.1\r\nHost: A.example:81\r\nConnection: X-Gone\r\nX-Gone: 1\r\nTE: trailers\r\n"
                + "Transfer-Encoding: chunked\r\nKeep-Alive: 5\r\nX-Stays: 1\r\n\r\n")
        let seen = try sent(head, framing: .chunked, isEnd: false)
        #expect(seen.text(seen.target) == "/a?b" && seen.text(seen.method) == "POST")
        #expect(seen.text(seen.authority) == "A.example:81")
        #expect(seen.lines == ["host: A.example:81", "x-stays: 1"])
        #expect(seen.body == .unknown && !seen.acceptsTrailers)
    }

    @Test func sendsTheCanonicalPath() throws {
        let seen = try sent(requestHead("GET /a/../b?c HTTP/1.1\r\nHost: a\r\n\r\n"))
        #expect(seen.text(seen.target) == "/b?c")
    }

    @Test func theHostFieldOfTheTableCounts() throws {
        let head = requestHead("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        head.removeFields(.host)
        let name = head.beginField("Host")
        head.append("b.example")
        head.endField(name, id: .host)
        #expect(try sent(head).lines == ["host: b.example"])
    }

    @Test func theLengthGoesWithIt() throws {
        let head = requestHead("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 12345678901\r\n\r\n")
        #expect(try sent(head, framing: .length(12_345_678_901), isEnd: false).body == .exactly(12_345_678_901))
        let empty = requestHead("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        #expect(try sent(empty).body == .exactly(0))
    }

    @Test func forwardsTheAcceptanceOfTrailers() throws {
        let head = requestHead("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        head.acceptsTrailers = true
        #expect(try sent(head).acceptsTrailers)
    }

    @Test func responseHasNoHopByHopFields() throws {
        let head = responseHead(
            "HTTP/1.1 200 Fine\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nSet-Cookie: A=1\r\n"
                + "Set-Cookie: B=2\r\nX-Empty:\r\n\r\n")
        let seen = try answered(head, framing: .chunked, isEnd: false)
        #expect(seen.status == 200 && seen.isHTTP2)
        #expect(seen.lines == ["set-cookie: A=1", "set-cookie: B=2", "x-empty: "])
        #expect(seen.body == .unknown)
    }

    @Test func namesThatHTTP2ForbidsAreLeftOut() throws {
        let head = responseHead("HTTP/1.1 200 OK\r\nBad(name): 1\r\nUnder_score: 2\r\n\r\n")
        // The response parser accepts them; the request parser and rules do not.
        head.hasInvalidNames = true
        #expect(try answered(head).lines == ["under_score: 2"])
    }

    @Test func aLengthWithoutBodyIsPassedOn() throws {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n"
        let seen = try answered(responseHead(text, requestIsHEAD: true), method: "HEAD")
        #expect(seen.lines == ["content-length: 70"] && seen.body == .none)
        let unchanged = try answered(responseHead("HTTP/1.1 304 Not Modified\r\nContent-Length: 70\r\n\r\n"))
        #expect(unchanged.status == 304 && unchanged.lines == ["content-length: 70"] && unchanged.body == .none)
        let nothing = try answered(responseHead("HTTP/1.1 204 No Content\r\n\r\n"))
        #expect(nothing.status == 204 && nothing.lines.isEmpty && nothing.body == .none)
    }

    @Test func aLargeHeadTakesSeveralFrames() throws {
        let large = (0..<7).map { "A\($0): \(String(repeating: "b", count: 4_000))\r\n" }.joined()
        let seen = try answered(responseHead("HTTP/1.1 200 OK\r\n\(large)\r\n"))
        #expect(seen.lines.count == 7 && seen.lines.last?.utf8.count == 4_004)
        // A head larger than the other side accepts is sent all the same; the other side rejects it.
        let head = requestHead("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in 0..<250 {
            let name = head.beginField("X-Apus")
            for _ in 0..<300 { head.append(0x78) }
            head.endField(name, id: .other)
        }
        _ = try sent(head)
        #expect(server.story.last?.hasSuffix("refused headTooLarge end") == true)
    }

    @Test func interimResponsesComeFirst() throws {
        _ = try sent(requestHead("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        let early = responseHead("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        server.session.respond(0, early, framing: .none, isEnd: false)
        server.session.respond(0, responseHead("HTTP/1.1 100 Continue\r\n\r\n"), framing: .none, isEnd: false)
        server.session.respond(0, responseHead("HTTP/1.1 200 OK\r\nX: 1\r\n\r\n"), framing: .length(0), isEnd: true)
        _ = client.takeStory()
        converse(server, client)
        #expect(client.takeStory() == ["0 head 103", "0 head 100", "0 head 200 end", "0 closed NoError complete"])
    }

    @Test func trailersFollowTheBody() throws {
        _ = try sent(requestHead("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        server.session.respond(0, responseHead("HTTP/1.1 200 OK\r\n\r\n"), framing: .chunked, isEnd: false)
        let trailers = Head()
        let name = trailers.beginField("grpc-status")
        trailers.append("0")
        trailers.endField(name, id: .other)
        server.session.attach(0, buffer([1, 2, 3]), isLast: true, trailers: trailers)
        _ = client.takeStory()
        converse(server, client)
        #expect(client.takeStory() == ["0 head 200", "0 end trailers", "0 closed NoError complete"])
        #expect(client.bodies[0] == [1, 2, 3] && client.lastHead?.lines == ["grpc-status: 0"])
    }

    @Test func emptyTrailersAreNotSent() throws {
        _ = try sent(requestHead("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        server.session.respond(0, responseHead("HTTP/1.1 200 OK\r\n\r\n"), framing: .chunked, isEnd: false)
        server.session.attach(0, nil, isLast: true, trailers: Head())
        _ = client.takeStory()
        converse(server, client)
        #expect(client.takeStory() == ["0 head 200", "0 end", "0 closed NoError complete"])
    }
}
