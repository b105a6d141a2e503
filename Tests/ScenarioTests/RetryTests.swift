import Foundation
import Testing

/// Retries: which requests are sent to another target, and which are not. A POST that is processed twice is worse than
/// a 502.
@Suite struct RetryTests {
    /// How a target ends a connection after it has read a request.
    enum End: String, CaseIterable, Sendable {
        case closed, reset

        /// Reads a request, answers it unless its path begins with `/dies`, and otherwise ends the connection.
        var script: TargetServer.Script {
            { connection in
                while let request = try connection.request() {
                    if !request.target.hasPrefix("/dies") {
                        try connection.respond(body: "dying\n")
                    } else {
                        return self == .reset ? connection.reset() : ()
                    }
                }
            }
        }
    }

    /// One worker, so that requests take the targets in turn.
    private func start(_ targets: [TargetServer], group: [String: JSON] = [:]) throws -> ApusProcess {
        var document = Document(
            listeners: [.init(defaultAction: Document.forward("blue"))],
            groups: [.init("blue", servers: targets, attributes: group)])
        document.runtime["workers"] = 1
        return try ApusProcess.start(document)
    }

    private func request(_ method: String, _ path: String, body: String = "") -> String {
        let length = ["PUT", "POST", "PATCH"].contains(method) ? "Content-Length: \(body.utf8.count)\r\n" : ""
        return "\(method) \(path) HTTP/1.1\r\nHost: example.com\r\n\(length)\r\n\(body)"
    }

    /// Sends two requests, at least one of which reaches the failing target. Returns their statuses, sorted.
    private func sendTwo(_ apus: ApusProcess, _ method: String, body: String = "") throws -> [Int] {
        try (1...2).map { number in
            try apus.client().exchange(request(method, "/dies-\(number)", body: body), method: method).status
        }.sorted()
    }

    private func dead(_ target: TargetServer) -> [String] {
        target.requests.map(\.target).filter { $0.hasPrefix("/dies") }
    }

    // MARK: which requests

    @Test(
        "An idempotent request without a response is retried on another target",
        arguments: ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"], End.allCases)
    func idempotent(method: String, end: End) throws {
        let dying = try TargetServer("dying", script: end.script), living = try TargetServer("living")
        let apus = try start([dying, living])
        #expect(try sendTwo(apus, method, body: "x") == [200, 200])
        #expect(
            [1, 2].contains(dead(dying).count) && Set(dead(dying)).count == dead(dying).count, "each goes elsewhere")
        #expect(dead(living).sorted() == ["/dies-1", "/dies-2"])
        #expect(try apus.metric("apus_retries_total") == Double(dead(dying).count))
        expectLogged(by: apus, dead(dying)[0], status: 200, target: living.address.text)
    }

    @Test(
        "A request that is not idempotent is never retried once it was sent",
        arguments: ["POST", "PATCH"], End.allCases)
    func notIdempotent(method: String, end: End) throws {
        let dying = try TargetServer("dying", script: end.script), living = try TargetServer("living")
        let apus = try start([dying, living])
        #expect(try sendTwo(apus, method, body: "x") == [200, 502])
        #expect(dead(dying).count == 1)
        #expect(dead(living).count == 1 && dead(living) != dead(dying), "\(method) was sent twice")
        #expect(try apus.metric("apus_retries_total") == 0)
        expectLogged(by: apus, dead(dying)[0], status: 502, target: dying.address.text)
    }

    @Test("The same on reused connections", arguments: ["GET", "PUT", "POST"], End.allCases)
    func reused(method: String, end: End) throws {
        let dying = try TargetServer("dying", script: end.script), living = try TargetServer("living")
        let apus = try start([dying, living])
        for _ in 0..<4 { #expect(try apus.client().get("/warm").status == 200) }
        #expect(try sendTwo(apus, method, body: "x") == (method == "POST" ? [200, 502] : [200, 200]))
        let first = try #require(dying.connections.first?.requests.map(\.target))
        #expect(first.first == "/warm" && first.last?.hasPrefix("/dies") == true, "it had been used before: \(first)")
        #expect(Set(dead(dying)).count == dead(dying).count && Set(dead(living)).count == dead(living).count)
        #expect(dead(living).count == (method == "POST" ? 1 : 2))
    }

    @Test("A POST is retried when its target refuses the connection", arguments: [0, 1, 1_000_000])
    func refused(bodyCount: Int) throws {
        let living = try TargetServer("living", script: TargetScript.countBody)
        let nobody = Document.Address(port: try PortAllocator.port())
        var document = Document(living)
        document.groups[0].targets.append(nobody)
        document.groups[0].settings["healthCheckPort"] = JSON(living.port)
        document.runtime["workers"] = 1
        let apus = try ApusProcess.start(document)
        for number in 1...4 {
            let body = String(repeating: "b", count: bodyCount)
            let answer = try apus.client().exchange(request("POST", "/\(number)", body: body))
            #expect(answer.status == 200 && answer.text == "\(bodyCount)")
        }
        #expect(living.requests.count == 4)
        #expect(try apus.metric("apus_target_connect_failures_total") > 0)
    }

    @Test("Once a response has begun, its request is not retried")
    func answerHasBegun() throws {
        let gate = Gate()
        let dying = try TargetServer("dying") { connection in
            while let request = try connection.request() {
                if request.target.hasPrefix("/dies") {
                    try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
                    return gate.wait()
                }
                // If the target failed its health checks, the request would move before the response begins.
                try connection.respond(body: "dying\n")
            }
        }
        let living = try TargetServer("living")
        let apus = try start([dying, living])
        let cutCount = try (1...2).count { number in
            let client = try apus.client()
            try client.send(request("GET", "/dies-\(number)"))
            #expect(client.wire.receives("\r\n\r\n"), "it has begun")
            // The failing target's head must be forwarded before it ends the connection.
            if !dead(dying).isEmpty { gate.open() }
            return (try? client.response()) == nil
        }
        #expect(cutCount == 1)
        #expect(dead(dying).count == 1 && dead(living).count == 1)
        #expect(try apus.metric("apus_retries_total") == 0)
    }

    @Test("With no other target, the retry goes to the same one")
    func onlyTarget() throws {
        let isFirst = Locked(true)
        let target = try TargetServer { connection in
            while try connection.request() != nil {
                let dies = isFirst.withLock { first in
                    defer { first = false }
                    return first
                }
                if dies { return }
                try connection.respond(body: "second\n")
            }
        }
        let apus = try start([target])
        #expect(try apus.client().get("/again").text == "second\n")
        #expect(target.connections.count == 2)
    }

    // MARK: bodies

    /// The size of a body, the limit of bytes kept for a retry (nil: the default), and whether it is retried.
    static let bodyCases: [(count: Int, cap: Int?, isRepeated: Bool)] = [
        (1, nil, true), (60_000, nil, true), (65_536, nil, true), (65_537, nil, false), (2_000, 1_000, false),
        (900, 1_000, true), (1, 0, false),
    ]

    @Test("A retry has the complete body, or there is no retry", arguments: bodyCases)
    func bodySentAgain(count: Int, cap: Int?, isRepeated: Bool) throws {
        let dying = try TargetServer("dying", script: End.closed.script), living = try TargetServer("living")
        let apus = try start([dying, living], group: cap.map { ["apus.retry.body_bytes_max": JSON($0)] } ?? [:])
        let body = String((0..<count).map { Character(UnicodeScalar(UInt8(97 + $0 % 26))) })
        #expect(try sendTwo(apus, "PUT", body: body) == (isRepeated ? [200, 200] : [200, 502]))
        #expect(living.requests.allSatisfy { $0.text == body }, "nothing is missing or duplicated")
        #expect(living.requests.count == (isRepeated ? 2 : 1))
        if !isRepeated { expectLogged(by: apus, count: 1, status: 502) }
    }

    @Test("A chunked body is retried completely; one with trailers is not retried", arguments: [false, true])
    func chunkedBody(hasTrailers: Bool) throws {
        let dying = try TargetServer("dying", script: End.closed.script), living = try TargetServer("living")
        let apus = try start([dying, living])
        let statuses = try (1...2).map { number in
            let text =
                "PUT /dies-\(number) HTTP/1.1\r\nHost: a.b\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\(hasTrailers ? "X-Sum: 8\r\n" : "")\r\n"
            return try apus.client().exchange(text).status
        }
        #expect(statuses.sorted() == (hasTrailers ? [200, 502] : [200, 200]))
        #expect(living.requests.count == (hasTrailers ? 1 : 2))
        #expect(living.requests.allSatisfy { $0.text == "abcdefgh" && $0.trailers.count == (hasTrailers ? 1 : 0) })
    }

    @Test("A request with an incomplete body continues at the other target")
    func partOfABody() throws {
        // Ends connections after it has read the first bytes of a body.
        let dying = try TargetServer("dying") { connection in
            while let request = try connection.head() {
                guard request.target.hasPrefix("/dies") else { return try connection.respond(body: "dying\n") }
                _ = connection.wire.receives("first")
                return
            }
        }
        let living = try TargetServer("living")
        let apus = try start([dying, living])
        for number in 1...2 {
            let client = try apus.client()
            try client.send("PUT /dies-\(number) HTTP/1.1\r\nHost: a.b\r\nContent-Length: 11\r\n\r\nfirst")
            #expect(eventually { living.connections.contains { $0.requests.last?.target == "/dies-\(number)" } })
            try client.send("second")
            #expect(try client.response().text == "living\n")
        }
        #expect(dead(dying).count >= 1)
        #expect(living.requests.map(\.text) == ["firstsecond", "firstsecond"])
    }

    // MARK: how often

    @Test("A request that may have been processed is sent to two targets at most")
    func oneCopy() throws {
        let targets = try (1...5).map { try TargetServer("t\($0)", script: End.closed.script) }
        let apus = try start(targets)
        expectMadeHere(try apus.client().get("/dies"), 502)
        #expect(targets.map { dead($0).count }.sorted() == [0, 0, 0, 1, 1])
        #expect(try apus.metric("apus_retries_total") == 1)
        expectLogged(by: apus, "/dies", status: 502)
    }

    @Test("At most three targets are tried")
    func threeAttempts() throws {
        let checked = try TargetServer("checked")
        let nobody = try (1...5).map { _ in Document.Address(port: try PortAllocator.port()) }
        var document = Document(
            listeners: [.init(defaultAction: Document.forward("blue"))],
            groups: [.init("blue", nobody, settings: ["healthCheckPort": JSON(checked.port)])])
        document.runtime["workers"] = 1
        let apus = try ApusProcess.start(document)
        expectMadeHere(try apus.client().get("/nobody"), 502)
        #expect(try apus.metric("apus_target_connect_failures_total") == 3)
        #expect(try apus.metric("apus_retries_total") == 2)
        expectLogged(by: apus, "/nobody", status: 502)
    }

    @Test("Retry budget of a group: ten, or a share of the requests of the last ten seconds")
    func budget() throws {
        let targets = try (1...2).map { try TargetServer("t\($0)", script: End.closed.script) }
        let apus = try start(targets)
        let client = try apus.client()
        var reasons: [String] = []
        for number in 1...40 {
            let answer = try client.get("/dies-\(number)")
            #expect(answer.status == 502)
            reasons.append(answer["apus-reason"] ?? "")
        }
        #expect(
            targets.map { dead($0).count }.reduce(0, +) == 50, "40 requests, and the 10 retries that are always free")
        #expect(try apus.metric("apus_retries_total") == 10)
        #expect(reasons.first != reasons.last, "the reason code shows that the budget was used up: \(reasons)")
        #expect(reasons.last?.lowercased().contains("budget") == true, "\(reasons)")
    }

    @Test("A larger retry budget allows more retries, and a budget of zero none", arguments: [(100, 80), (0, 40)])
    func budgetPercent(percent: Int, attempts: Int) throws {
        let targets = try (1...2).map { try TargetServer("t\($0)", script: End.closed.script) }
        let apus = try start(targets, group: ["apus.retry.budget_percent": JSON(percent)])
        let client = try apus.client()
        for number in 1...40 { #expect(try client.get("/dies-\(number)").status == 502) }
        #expect(targets.map { dead($0).count }.reduce(0, +) == attempts)
    }
}
