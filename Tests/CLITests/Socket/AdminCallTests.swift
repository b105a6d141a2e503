import Core
import Model
import TestRuns
import Testing

@testable import CLI

@Suite struct AdminCallTests {
    /// What a server does with one connection after the other: it answers with bytes, or ends it without any.
    private final class Server {
        let path = TestRun.newPath()
        private let thread: Core.Thread

        init(_ answers: [String]) throws {
            let listener = try Socket.listen(onUnixPath: path, mode: 0o600)
            thread = Core.Thread.start(name: "server") {
                defer { listener.close() }
                for answer in answers {
                    Self.wait(for: listener.descriptor)
                    guard case .accepted(let socket, _) = listener.accept() else { return }
                    Self.wait(for: socket.descriptor)
                    let buffer = Buffer(capacity: 65_536)
                    if !answer.isEmpty {
                        _ = socket.read(into: buffer)
                        buffer.removeAll()
                        buffer.append(Array(answer.utf8).span)
                        _ = socket.write(buffer)
                    }
                    socket.close()
                }
            }
        }

        deinit { thread.join() }

        private static func wait(for descriptor: Int32) {
            var poller = Poller()
            poller.add(descriptor, token: Token(index: 0, generation: 1), interest: .readable)
            _ = poller.wait(until: nil, now: Instant.now())
        }
    }

    private static func answer(_ status: String, _ body: String) -> String {
        "HTTP/1.1 \(status)\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private static let stopping = answer(
        "503 Service Unavailable",
        AdminError(code: "OperationNotPermitted", status: 503, message: "It is stopping.", remedy: "Ask again.").json)
    private static let done = answer("200 OK", #"{"generation":7}"#)
    private static var call: AdminCall {
        AdminCall("PUT", "/v1/instances/i-1", ["address": "10.0.0.1"]) { answer, _ in answer.json() }
    }

    /// A process that is being replaced says so, or ends with the connection in its hands.
    @Test(arguments: [[done], [stopping, done], ["", done], [stopping, "", stopping, "", done]])
    func theProcessThatFollowsIsAsked(_ answers: [String]) throws {
        let server = try Server(answers)
        #expect(try Self.call.perform(socket: server.path, asJSON: false, coloured: false).text == #"{"generation":7}"#)
    }

    @Test func anotherRefusalIsTheLastWord() throws {
        let refusal = AdminError(code: "Throttling", status: 503, message: "Too many.", remedy: "Wait.")
        let server = try Server([Self.answer("503 Service Unavailable", refusal.json)])
        let error = #expect(throws: AdminClientError.self) {
            try Self.call.perform(socket: server.path, asJSON: false, coloured: false)
        }
        #expect(error == .refused(refusal))
    }

    /// Asked twice, an upgrade would be two.
    @Test func whatMustNotHappenTwiceIsAskedOnce() throws {
        let server = try Server([""])
        let error = #expect(throws: AdminClientError.self) {
            try AdminCall.upgrade(to: nil, graceSeconds: nil).perform(
                socket: server.path, asJSON: false, coloured: false)
        }
        #expect(error == .unanswered && error?.refusal.code == "BrokenAnswer" && error?.exitStatus == 1)
    }

    @Test func whenTimeIsUpTheLastWordCounts() throws {
        let server = try Server([Self.stopping])
        let client = AdminClient(path: server.path)
        let error = #expect(throws: AdminClientError.self) { try Self.call.ask(client, within: 0) }
        #expect(error?.refusal.message == "It is stopping.")
    }

    @Test func withoutAServerNothingIsWaitedFor() throws {
        let error = #expect(throws: AdminClientError.self) {
            try Self.call.perform(socket: TestRun.newPath(), asJSON: false, coloured: false)
        }
        #expect(error?.exitStatus == 3)
    }
}
