import Core
import Foundation
import Testing

@testable import Control

/// The sample target as clients, health checks and the load balancer see it.
@Suite struct DemoTargetTests {
    /// A client on the target's own loop: sends, and collects what comes.
    private final class Client: PollHandler {
        let socket: Socket
        let inbound = Buffer(capacity: 64 * 1024)
        var received: [UInt8] = []
        var isAtEnd = false

        init(_ address: SocketAddress, loop: ControlLoop) throws {
            socket = try Socket.connect(to: address)
            _ = loop.add(self, descriptor: socket.descriptor)
        }

        deinit { socket.close() }

        func send(_ text: String) {
            let buffer = Buffer(capacity: text.utf8.count)
            buffer.append(Array(text.utf8).span)
            _ = socket.write(buffer)
        }

        func ready(_ ready: Poller.Ready, now: Instant) {
            while true {
                switch socket.read(into: inbound) {
                case .bytes: received += inbound.takeBytes(inbound.count)
                case .wouldBlock: return
                case .endOfStream, .failed:
                    isAtEnd = true
                    return
                }
            }
        }

        func timerFired(now: Instant) {}

        var text: String { String(decoding: received, as: UTF8.self) }
    }

    private func talk(_ request: String, answers: Int) throws -> (text: String, isAtEnd: Bool, name: String) {
        let loop = ControlLoop()
        let target = try DemoTarget(name: "blue", address: SocketAddress(literal: "127.0.0.1", port: 0)!, loop: loop)
        let name = "blue \(target.address.port)\n"
        let client = try Client(target.address, loop: loop)
        // Connecting on the loopback completes within a pass; then the request goes out whole.
        #expect(run(loop) { client.socket.takeError() == 0 && target.connectionCount == 1 })
        client.send(request)
        let isDone = run(loop) { client.isAtEnd || client.text.components(separatedBy: name).count > answers }
        #expect(isDone, "\(client.text)")
        let result = (client.text, client.isAtEnd, name)
        target.close()
        return result
    }

    @Test(arguments: ["GET / HTTP/1.1", "GET /health HTTP/1.1", "DELETE /x?y HTTP/1.1", "OPTIONS * HTTP/1.1"])
    func answersWithItsName(_ line: String) throws {
        let answer = try talk("\(line)\r\nHost: a\r\n\r\n", answers: 1)
        #expect(answer.text.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.text.hasSuffix("\r\n\r\n\(answer.name)"))
        #expect(!answer.isAtEnd)
    }

    @Test func bodiesAreReadAndTheConnectionIsKept() throws {
        let answer = try talk(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
                + "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                + "GET / HTTP/1.1\r\nHost: a\r\n\r\n", answers: 3)
        #expect(!answer.isAtEnd)
    }

    @Test func aStoppingTargetAnswersOnceMoreAndTakesNobody() throws {
        let loop = ControlLoop()
        let target = try DemoTarget(name: "blue", address: SocketAddress(literal: "127.0.0.1", port: 0)!, loop: loop)
        let client = try Client(target.address, loop: loop)
        #expect(run(loop) { client.socket.takeError() == 0 && target.connectionCount == 1 })
        target.stop()
        let later = try Client(target.address, loop: loop)
        #expect(run(loop) { later.isAtEnd })
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(run(loop) { client.isAtEnd && target.connectionCount == 0 })
        #expect(
            client.text.contains("\r\nConnection: close\r\n") && client.text.hasSuffix("blue \(target.address.port)\n"))
        target.close()
    }

    @Test func expectContinueIsAnswered() throws {
        let answer = try talk(
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx", answers: 1)
        #expect(answer.text.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"))
    }

    @Test(arguments: ["GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"])
    func theConnectionEndsWhenTheClientSaysSo(_ request: String) throws {
        let answer = try talk(request, answers: 9)
        #expect(answer.isAtEnd && answer.text.hasSuffix(answer.name))
    }

    @Test func whatIsNotHTTPEndsTheConnection() throws {
        let answer = try talk("nonsense\r\n\r\n", answers: 1)
        #expect(answer.isAtEnd && answer.text.isEmpty)
    }

    @Test func aTakenPortIsNamed() throws {
        let loop = ControlLoop()
        let target = try DemoTarget(name: "a", address: SocketAddress(literal: "127.0.0.1", port: 0)!, loop: loop)
        defer { target.close() }
        let error = #expect(throws: SystemError.self) { try DemoTarget(name: "b", address: target.address, loop: loop) }
        #expect(error?.description == "bind \(target.address): Address already in use")
    }
}
