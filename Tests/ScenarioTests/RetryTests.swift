import Foundation
import Testing

/// What is sent to another target when one fails, and what is not: twice-processed POSTs are worse than a 502.
@Suite struct RetryTests {
    /// How a target ends a connection on which it has read a request.
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

    /// Sends two requests, of which at least one meets the target that dies; their statuses, the least first.
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
        "An idempotent request whose connection ended without an answer goes to another target",
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
        "A request that may not be repeated is never repeated once it was sent",
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

    @Test("The same on connections that have been used before", arguments: ["GET", "PUT", "POST"], End.allCases)
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

    @Test("A POST goes elsewhere when its target does not take the connection", arguments: [0, 1, 1_000_000])
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

    @Test("Once an answer has begun, its request is not repeated")
    func answerHasBegun() throws {
        let gate = Gate()
        let dying = try TargetServer("dying") { connection in
            while let request = try connection.request() {
                if request.target.hasPrefix("/dies") {
                    try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
                    return gate.wait()
                }
                // A target that fails its health checks would lose the request before it has begun to answer.
                try connection.respond(body: "dying\n")
            }
        }
        let living = try TargetServer("living")
        let apus = try start([dying, living])
        let cutCount = try (1...2).count { number in
            let client = try apus.client()
            try client.send(request("GET", "/dies-\(number)"))
            #expect(client.wire.receives("\r\n\r\n"), "it has begun")
            // Not before the dying target was asked: its head must be passed on before it ends the connection.
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

    /// A body's size, the cap on what is kept to be sent again (nil: the default), and whether it is sent again.
    static let bodyCases: [(count: Int, cap: Int?, isRepeated: Bool)] = [
        (1, nil, true), (60_000, nil, true), (65_536, nil, true), (65_537, nil, false), (2_000, 1_000, false),
        (900, 1_000, true), (1, 0, false),
    ]

    @Test("A body is sent again whole, or its request is not", arguments: bodyCases)
    func bodySentAgain(count: Int, cap: Int?, isRepeated: Bool) throws {
        let dying = try TargetServer("dying", script: End.closed.script), living = try TargetServer("living")
        let apus = try start([dying, living], group: cap.map { ["apus.retry.body_bytes_max": JSON($0)] } ?? [:])
        let body = String((0..<count).map { Character(UnicodeScalar(UInt8(97 + $0 % 26))) })
        #expect(try sendTwo(apus, "PUT", body: body) == (isRepeated ? [200, 200] : [200, 502]))
        #expect(living.requests.allSatisfy { $0.text == body }, "nothing is missing and nothing is there twice")
        #expect(living.requests.count == (isRepeated ? 2 : 1))
        if !isRepeated { expectLogged(by: apus, count: 1, status: 502) }
    }

    @Test("A chunked body is sent again whole; one with trailers is not sent again", arguments: [false, true])
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

    @Test("A body of which only a part has come goes on at the other target")
    func partOfABody() throws {
        // Ends connections with requests when it has read the first bytes of the body.
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

    @Test("What may have been processed is sent to two targets at most: a copy is not copied")
    func oneCopy() throws {
        let targets = try (1...5).map { try TargetServer("t\($0)", script: End.closed.script) }
        let apus = try start(targets)
        expectMadeHere(try apus.client().get("/dies"), 502)
        #expect(targets.map { dead($0).count }.sorted() == [0, 0, 0, 1, 1])
        #expect(try apus.metric("apus_retries_total") == 1)
        expectLogged(by: apus, "/dies", status: 502)
    }

    @Test("Three targets at most are connected to")
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

    @Test("A group has a budget of retries: ten, or a share of the requests of the last ten seconds")
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
        #expect(reasons.first != reasons.last, "the reason tells that the budget was exhausted: \(reasons)")
        #expect(reasons.last?.lowercased().contains("budget") == true, "\(reasons)")
    }

    @Test("A larger budget allows more retries, and none at all forbids them", arguments: [(100, 80), (0, 40)])
    func budgetPercent(percent: Int, attempts: Int) throws {
        let targets = try (1...2).map { try TargetServer("t\($0)", script: End.closed.script) }
        let apus = try start(targets, group: ["apus.retry.budget_percent": JSON(percent)])
        let client = try apus.client()
        for number in 1...40 { #expect(try client.get("/dies-\(number)").status == 502) }
        #expect(targets.map { dead($0).count }.reduce(0, +) == attempts)
    }
}
