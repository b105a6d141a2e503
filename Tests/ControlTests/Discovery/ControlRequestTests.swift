import Core
import Glibc
import TestRuns
import Testing

@testable import Control

/// Requests of the control thread, against a scripted server.
@Suite struct ControlRequestTests {
    private final class Asked {
        var events: [ControlRequest.Event] = []
        var failure: String? { if case .failed(let reason)? = events.last { reason } else { nil } }
    }

    private let loop = ControlLoop()

    /// Asks a server that answers with `script`, until the last event.
    private func ask(
        _ script: ScriptedTarget.Script, bytesMax: Int? = 100, timeout: Nanoseconds = 10_000_000_000,
        entityTag: String? = nil
    ) throws -> (asked: Asked, request: String) {
        let server = try ScriptedTarget(loop, script)
        defer { server.close() }
        let asked = Asked()
        let address = SocketAddress(literal: "127.0.0.1", port: UInt16(server.port))!
        let request = ControlRequest(
            .init(target: "/a?b=c", host: "x:1", entityTag: entityTag), of: .tcp(address), within: timeout,
            bytesMax: bytesMax, loop: loop
        ) { asked.events.append($0) }
        #expect(
            run(loop) {
                switch asked.events.last {
                case .answer?, .failed?: true
                case .head?, .piece?, nil: false
                }
            })
        request.cancel()
        return (asked, server.requests.first ?? "")
    }

    @Test func anAnswerComesAsAWhole() throws {
        let (asked, request) = try ask(
            .answer("HTTP/1.1 200 OK\r\nETag: \"7\"\r\nContent-Length: 5\r\n\r\nhello"), entityTag: "\"6\"")
        #expect(asked.events == [.answer(status: 200, entityTag: "\"7\"", body: Array("hello".utf8))])
        #expect(request.hasPrefix("GET /a?b=c HTTP/1.1\r\n") && request.contains("Host: x:1\r\n"))
        #expect(request.contains("If-None-Match: \"6\"\r\n") && request.contains("Connection: close\r\n"))
    }

    @Test(
        arguments: [
            ("HTTP/1.1 304 Not Modified\r\n\r\n", 304, ""), ("HTTP/1.1 200 OK\r\n\r\nto the end", 200, "to the end"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 200, "abc"),
            ("HTTP/1.1 103 X\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 404, ""),
        ] as [(String, UInt16, String)])
    func answersOfAllFramings(text: String, status: UInt16, body: String) throws {
        let (asked, _) = try ask(.answer(text))
        #expect(asked.events == [.answer(status: status, entityTag: nil, body: Array(body.utf8))])
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", "", "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + String(repeating: "x", count: 101),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 100_000) + "\r\n\r\n",
    ])
    func whatIsNoAnswerFailsOnce(text: String) throws {
        let (asked, _) = try ask(.answer(text))
        #expect(asked.events.count == 1 && asked.failure != nil, "\(asked.events)")
    }

    @Test func piecesComeAsTheyAre() throws {
        let (asked, _) = try ask(
            .answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
            bytesMax: nil)
        #expect(asked.events.first == .head(status: 200) && asked.failure == "has ended its answer")
        let bytes = asked.events.flatMap { event in if case .piece(let bytes) = event { bytes } else { [] as [UInt8] } }
        #expect(bytes == Array("abc".utf8))
    }

    @Test func nobodyIsWaitedForLongerThanThat() throws {
        let (asked, _) = try ask(.silence, timeout: 20_000_000)
        #expect(asked.failure == "does not answer in time")
        #expect(try ask(.hangUp).asked.failure != nil)
    }

    /// What is no UTF-8 would be sent back as something else.
    @Test func anEntityTagThatIsNoTextIsNone() throws {
        let (asked, _) = try ask(.answer("HTTP/1.1 200 OK\r\nETag: \"\u{FFFD}\"\r\nContent-Length: 0\r\n\r\n"))
        #expect(asked.events == [.answer(status: 200, entityTag: nil, body: [])])
    }

    /// A daemon that has more to accept than it can hold is there.
    @Test func aServerWithAFullBacklogIsWaitedFor() throws {
        let path = TestRun.newPath()
        let server = try Socket.listen(onUnixPath: path, mode: 0o600)
        defer { server.close() }
        #expect(listen(server.descriptor, 0) == 0)
        var waiting: [Socket] = []
        while waiting.count < 10, let one = try? Socket.connect(toUnixPath: path, blocks: false) { waiting.append(one) }
        #expect(waiting.count < 10)
        let asked = Asked()
        let request = ControlRequest(
            .init(target: "/", host: "x"), of: .unix(path: path), within: 20_000_000_000, bytesMax: 100, loop: loop
        ) { asked.events.append($0) }
        var passesCount = 0
        #expect(
            run(loop) {
                passesCount += 1
                return passesCount > 3
            })
        #expect(asked.events.isEmpty, "\(asked.events)")
        // The others come first.
        var acceptedCount = 0
        #expect(
            run(loop) {
                while acceptedCount <= waiting.count, case .accepted(let socket, _) = server.accept() {
                    socket.close()
                    acceptedCount += 1
                }
                return acceptedCount > waiting.count
            })
        for one in waiting { one.close() }
        #expect(run(loop) { asked.failure?.contains("connection") == true })
        request.cancel()
    }

    @Test func aSocketThatIsNotThereIsTold() throws {
        let asked = Asked()
        let request = ControlRequest(
            .init(target: "/", host: "x"), of: .unix(path: "/nowhere/docker.sock"), within: 1_000_000_000,
            bytesMax: 100, loop: loop
        ) { asked.events.append($0) }
        #expect(asked.events.isEmpty, "not before this pass has ended")
        #expect(run(loop) { asked.failure != nil })
        #expect(asked.failure?.contains("No such file") == true)
        request.cancel()
    }
}
