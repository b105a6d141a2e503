import Foundation
import Testing

/// Targets that neither accept nor refuse connections, like hosts that are gone: connections to several targets are
/// raced (happy eyeballs), and the first one gets the request.
@Suite struct ConnectRaceTests {
    /// Seconds within which a request must be answered although its first target is silent. The race begins after 0.25
    /// s; without a race the connect timeout is 10 s.
    private static let timeout = 3.0

    /// One worker. Health checks go to `checked`, which is healthy, so that only connections show the failure.
    private func document(
        _ targets: [Document.Address], checked: UInt16, group: [String: JSON] = [:]
    ) -> Document {
        var document = Document(
            listeners: [.init(defaultAction: Document.forward("blue"))],
            groups: [.init("blue", targets, attributes: group, settings: ["healthCheckPort": JSON(checked)])])
        document.runtime["workers"] = 1
        return document
    }

    /// The result of `work`, and the seconds that it took.
    private func timed<Value>(_ work: () throws -> Value) rethrows -> (value: Value, seconds: Double) {
        let began = Date()
        let value = try work()
        return (value, Date().timeIntervalSince(began))
    }

    @Test(
        "A request whose target does not accept the connection is answered by another target",
        arguments: ["GET", "POST"], 1...2)
    func firstConnected(method: String, silentCount: Int) throws {
        let living = try TargetServer("living")
        let full = try (0..<silentCount).map { _ in try FullTarget() }
        defer { full.forEach { $0.close() } }
        let apus = try ApusProcess.start(document(full.map(\.address) + [living.address], checked: living.port))
        for number in 1...6 {
            let length = method == "POST" ? "Content-Length: 1\r\n" : ""
            let body = method == "POST" ? "x" : ""
            let text = "\(method) /race-\(number) HTTP/1.1\r\nHost: a.b\r\n\(length)\r\n\(body)"
            let answer = try timed { try apus.client().exchange(text).text }
            #expect(answer.value == "living\n" && answer.seconds < Self.timeout, "request \(number): \(answer)")
        }
        #expect(living.requests.map(\.target).sorted() == (1...6).map { "/race-\($0)" }, "each was sent once")
        expectLogged(by: apus, "/race-1 ", status: 200, target: living.address.text)
    }

    @Test("The race begins after the group's head start")
    func startOfTheRace() throws {
        let living = try TargetServer("living")
        let full = try FullTarget()
        defer { full.close() }
        let apus = try ApusProcess.start(
            document(
                [full.address, living.address], checked: living.port,
                group: ["apus.target_connect_race.seconds": 1.5]))
        let answers = try (1...2).map { number in try timed { try apus.client().get("/\(number)").status } }
        #expect(answers.allSatisfy { $0.value == 200 })
        let waits = answers.map(\.seconds)
        #expect(waits.max() ?? 0 >= 1.5 && waits.max() ?? 0 < 1.5 + Self.timeout, "\(waits)")
        #expect(waits.min() ?? 9 < 1.5, "the other request used the responsive target first: \(waits)")
    }

    @Test("A connection that loses the race serves a later request")
    func lateConnection() throws {
        let late = try GatedTarget("late"), living = try TargetServer("living")
        let apus = try ApusProcess.start(document([late.address, living.address], checked: living.port))
        for number in 1...2 { #expect(try apus.client().get("/\(number)").text == "living\n") }
        late.open()
        #expect(
            eventually { (try? apus.metric("apus_target_connections_idle")) == 2 },
            "the late connection is kept, and so is that of the target that answered")
        #expect(eventually { (try? apus.client().get("/late").text) == "late\n" })
        #expect(late.acceptedCount == 1, "the request used the connection that was established late")
    }

    @Test("If no target accepts a connection, the request is answered at the connect timeout")
    func nobodyConnects() throws {
        let living = try TargetServer("living")
        let full = try (0..<2).map { _ in try FullTarget() }
        defer { full.forEach { $0.close() } }
        let apus = try ApusProcess.start(
            document(
                full.map(\.address), checked: living.port, group: ["apus.target_connect_timeout.seconds": 1]))
        let answer = try apus.client().get("/nobody")
        #expect([502, 504].contains(answer.status))
        expectMadeHere(answer, answer.status)
        #expect(try eventually { try apus.metric("apus_target_connections_active") == 0 }, "no connection is left")
    }

    @Test("A client that leaves during the race leaves nothing behind")
    func clientLeaves() throws {
        let living = try TargetServer("living")
        let full = try (0..<2).map { _ in try FullTarget() }
        defer { full.forEach { $0.close() } }
        let apus = try ApusProcess.start(
            document(
                full.map(\.address), checked: living.port, group: ["apus.target_connect_timeout.seconds": 2]))
        let client = try apus.client()
        try client.send("GET /leaves HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(
            try eventually { try apus.metric("apus_target_connections_active") == 2 },
            "connections to both are attempted")
        client.reset()
        #expect(try eventually { try apus.metric("apus_requests_active") == 0 })
        #expect(try eventually { try apus.metric("apus_target_connections_active") == 0 })
        expectLogged(by: apus, "/leaves", status: 460)
    }

    // MARK: what ends a wait

    @Test("Requests that wait for a connection go to another target when theirs is deregistered")
    func deregistered() throws {
        let full = try FullTarget(), living = try TargetServer("living")
        defer { full.close() }
        let apus = try ApusProcess.start(document([full.address], checked: living.port))
        let client = try apus.client()
        try client.send("GET /waits HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(try eventually { try apus.metric("apus_target_connections_active") == 1 })
        let path = "/v1/target-groups/blue"
        #expect(try apus.admin("POST", "\(path)/targets", ["targets": [living.address.json]]).status == 200)
        #expect(apus.target(living.address, becomes: "healthy"))
        #expect(try apus.admin("POST", "\(path)/deregister", ["targets": [full.address.json]]).status == 200)
        let answer = try timed { try client.response().text }
        #expect(answer.value == "living\n" && answer.seconds < Self.timeout, "\(answer)")
    }

    @Test("Requests that wait for a connection go to another target when theirs becomes unhealthy")
    func turnsUnhealthy() throws {
        let stalling = try GatedTarget("stalling"), living = try TargetServer("living")
        stalling.open()
        // The race is disabled, so only the health check ends the wait.
        let group: [String: JSON] = [
            "apus.target_connect_race.seconds": 60, "apus.target_connect_timeout.seconds": 60,
        ]
        var document = document([stalling.address, living.address], checked: 0, group: group)
        document.groups[0].settings["healthCheckPort"] = "traffic-port"
        let apus = try ApusProcess.start(document)
        try stalling.close()
        let clients = try (1...2).map { number in
            let client = try apus.client()
            try client.send("GET /waits-\(number) HTTP/1.1\r\nHost: a.b\r\n\r\n")
            return client
        }
        #expect(apus.target(stalling.address, becomes: "unhealthy"))
        for client in clients { #expect(try client.response().text == "living\n") }
        #expect(living.requests.count == 2, "each was sent once")
    }

    // MARK: tunnels

    @Test("Tunnels race connections too", arguments: 1...2)
    func tunnels(silentCount: Int) throws {
        let living = try StreamTarget(script: StreamTarget.naming("living"))
        let full = try (0..<silentCount).map { _ in try FullTarget() }
        defer { full.forEach { $0.close() } }
        var document = Document.network(living, settings: ["healthCheckPort": JSON(living.port)])
        document.groups[0].targets += full.map(\.address)
        document.runtime["workers"] = 1
        let apus = try ApusProcess.start(document)
        // The target of a flow is chosen by a hash: it is unlikely that all 8 flows choose the responsive one.
        for number in 1...8 {
            let client = try apus.client()
            let answer = timed { client.text() }
            #expect(answer.value == "living" && answer.seconds < Self.timeout, "connection \(number): \(answer)")
            client.endWriting()
        }
        #expect(try eventually { try apus.metric("apus_target_connections_active") == 0 }, "no connection is left")
    }
}
