import Core
import Model
import TestRuns
import Testing

@testable import CLI

@Suite struct AdminClientTests {
    /// Answers one connection with fixed bytes, whatever it is asked.
    private final class Scripted {
        let path: String
        private let thread: Core.Thread

        init(_ answer: String) throws {
            path = TestRun.newPath()
            let listener = try Socket.listen(onUnixPath: path, mode: 0o600)
            thread = Core.Thread.start(name: "scripted") {
                let poller = ReadinessPoller(listener.descriptor)
                poller.wait()
                guard case .accepted(let socket, _) = listener.accept() else { return }
                let buffer = Buffer(capacity: max(1, answer.utf8.count))
                buffer.append(Array(answer.utf8).span)
                _ = socket.write(buffer)
                socket.shutdownWrite()
                // The client closes first, so that no reset overtakes the answer.
                let input = ReadinessPoller(socket.descriptor)
                let sink = Buffer(capacity: 65536)
                while true {
                    sink.removeAll()
                    switch socket.read(into: sink) {
                    case .bytes: continue
                    case .wouldBlock: input.wait()
                    case .endOfStream, .failed:
                        socket.close()
                        listener.close()
                        return
                    }
                }
            }
        }

        deinit { thread.join() }
    }

    /// Waits for one descriptor.
    private final class ReadinessPoller {
        private var poller = Poller()

        init(_ descriptor: Int32) {
            poller.add(descriptor, token: Token(index: 0, generation: 1), interest: .readable)
        }

        func wait() { _ = poller.wait(until: nil, now: Instant.now()) }
    }

    private static func whole(_ status: String, _ body: String, _ fields: String = "") -> String {
        "HTTP/1.1 \(status)\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    static let answers: [(String, String)] = [
        (whole("200 OK", #"{"a":1}"#), #"{"a":1}"#),
        ("HTTP/1.1 100 Continue\r\n\r\n" + whole("200 OK", "[]"), "[]"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n", "[1]"),
        ("HTTP/1.1 200 OK\r\n\r\n{}", "{}"),
    ]

    @Test(arguments: answers) func readsTheAnswer(answer: String, expected: String) throws {
        let server = try Scripted(answer)
        #expect(try AdminClient(path: server.path).call("GET", "/v1/status").json() == expected)
    }

    static let broken = [
        "H", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "nonsense\r\n\r\n",
        whole("200 OK", "nothing"), whole("500 Oh", "<html>"), whole("404 No", #"{"error":{"code":"X"}}"#),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ]

    @Test(arguments: broken) func whatIsNoAnswerIsSaidToBeNone(_ answer: String) throws {
        let server = try Scripted(answer)
        let client = AdminClient(path: server.path)
        let error = #expect(throws: AdminClientError.self) { try client.call("GET", "/v1/status") }
        #expect(error?.description.hasPrefix("The answer of the admin socket ") == true)
        #expect(error?.exitStatus == 1)
    }

    @Test func aRefusalIsThrownAsItCame() throws {
        let details = [
            ConfigError(
                file: "a.yaml", location: Location(line: 3, column: 7), path: "port", expected: "a is wrong",
                remedy: "Right it.", code: .ruleNotFound),
            ConfigError(expected: "b is wrong", remedy: "Right it."),
        ]
        let refusal = AdminError(
            code: "RuleNotFound", message: "No rule.", remedy: "Look.", details: details, detailsLeftOut: 2)
        let server = try Scripted(Self.whole("404 Not Found", refusal.value.json()))
        let client = AdminClient(path: server.path)
        let error = #expect(throws: AdminClientError.self) { try client.call("GET", "/v1/x") }
        #expect(error == .refused(refusal))
        #expect(error?.exitStatus == 1 && error?.description == "No rule. Look.")
        #expect(
            error?.refusal.lines == [
                "a.yaml:3:7: a is wrong. Right it.", "b is wrong. Right it.", "… and 2 more.",
            ])
    }

    @Test func aSocketForOthersSaysWhoMay() {
        let error = AdminClientError.forbidden(path: "/run/none/admin.sock", reason: "Permission denied")
        #expect(error.exitStatus == 1, "there is a server")
        #expect(error.refusal.code == "AccessDenied")
        #expect(error.description.contains("Permission denied") && error.description.contains("root"))
        #expect(!error.description.contains("apus run"))
    }

    @Test func withoutAServerThePathAndTheRemedyAreNamed() throws {
        let left = TestRun.newPath()
        try Socket.listen(onUnixPath: left, mode: 0o600).close()
        for (path, reason) in [(TestRun.newPath(), "No such file or directory"), (left, "Connection refused")] {
            let error = #expect(throws: AdminClientError.self) { try AdminClient(path: path).call("GET", "/v1/status") }
            #expect(error == .noServer(path: path, reason: reason))
            #expect(error?.exitStatus == 3)
            #expect(error?.description.contains(path) == true && error?.description.contains("apus run FILE") == true)
        }
    }

    @Test func aServerThatSaysNothingIsWaitedForOnlySoLong() throws {
        let path = TestRun.newPath()
        let silent = try Socket.listen(onUnixPath: path, mode: 0o600)
        defer { silent.close() }
        let client = AdminClient(path: path, timeout: 20_000_000)
        let error = #expect(throws: AdminClientError.self) { try client.call("GET", "/v1/status") }
        #expect(error == .late(path: path) && error?.exitStatus == 1)
        #expect(error?.description.contains("says nothing") == true)
    }

    @Test func linesAreHandedOverOneByOne() throws {
        let chunks = "3\r\none\r\n8\r\n\ntwo\nthr\r\n3\r\nee\n\r\n5\r\nfour\n\r\n0\r\n\r\n"
        let server = try Scripted("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)")
        var lines: [String] = []
        try AdminClient(path: server.path).lines("/v1/events") { line in
            lines.append(line)
            return line != "three"
        }
        #expect(lines == ["one", "two", "three"])
    }
}
