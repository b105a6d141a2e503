import Foundation
import Testing

/// Users instead of requests: `apus.cohorts`.
@Suite struct CohortTests {
    private static let users = (0..<60).map { "user-\($0)" }

    private struct Scene {
        let blue: TargetServer
        let green: TargetServer
        let apus: ApusProcess

        init() throws {
            (blue, green) = (try TargetServer("blue"), try TargetServer("green"))
            let action: JSON = [
                "type": "forward",
                "forwardConfig": [
                    "targetGroups": [
                        ["targetGroupName": "blue", "weight": 90], ["targetGroupName": "green", "weight": 10],
                    ], "apus.cohorts": ["key": "header X-User", "salt": "test", "pins": ["green": ["alice"]]],
                ],
            ]
            apus = try ApusProcess.start(
                Document(
                    listeners: [.init(defaultAction: action)],
                    groups: [.init("blue", servers: [blue]), .init("green", servers: [green])]))
        }

        /// Those of `users` whom the new group answers.
        func answeredByGreen(_ users: [String]) throws -> Set<String> {
            let client = try RawClient(port: apus.port)
            var found: Set<String> = []
            for user in users {
                try client.send("GET /of-\(user) HTTP/1.1\r\nHost: a\r\nX-User: \(user)\r\nApus-Cohort: mine\r\n\r\n")
                if String(decoding: try client.response().body, as: UTF8.self) == "green\n" { found.insert(user) }
            }
            return found
        }
    }

    @Test("More weight only adds users, over restarts too, and the target is told")
    func monotone() throws {
        let scene = try Scene()
        let first = try scene.answeredByGreen(Self.users)
        #expect((1...20).contains(first.count), "\(first.count) of 60")
        #expect(try scene.answeredByGreen(Self.users) == first, "nobody changes sides")
        #expect(try scene.answeredByGreen(["alice"]) == ["alice"])
        let action = "web:\(scene.apus.port)"
        var last = first
        for weight in [30, 60] {
            let words = ["blue=\(100 - weight)", "green=\(weight)"]
            #expect(try scene.apus.command("weights", action, words[0], words[1]).status == .exited(0))
            let now = try scene.answeredByGreen(Self.users)
            #expect(last.isSubset(of: now) && now.count > last.count, "\(weight) %: \(last.subtracting(now))")
            last = now
        }
        scene.apus.kill()
        try scene.apus.restart()
        #expect(try scene.answeredByGreen(Self.users) == last)
        let told = scene.green.requests.map { $0["apus-cohort"] ?? "none" }
        #expect(Set(told) == ["green"], "\(Set(told))")
        for user in Self.users.prefix(5) {
            let explained = try scene.apus.command(
                "explain", "http://a:\(scene.apus.port)/", "-H", "X-User: \(user)", "--json"
            ).output
            #expect(JSON(parsing: Array(explained.utf8))["cohort"].string == (last.contains(user) ? "green" : "blue"))
        }
        expectLogged(by: scene.apus, "/of-user-1", status: 200)
    }
}
