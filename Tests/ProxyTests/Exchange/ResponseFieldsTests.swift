import Core
import Testing

@testable import Proxy

/// Fields that a listener sets or removes, as clients see them.
@Suite struct ResponseFieldsTests {
    private static func plan(_ name: String, _ value: String?) -> ResponseFieldPlan {
        ResponseFieldPlan(name: Array(name.utf8), value: value.map { Array($0.utf8) })
    }

    private func worker(_ fields: [ResponseFieldPlan], _ groups: [GroupPlan] = []) throws -> ServingWorker {
        var settings = Plans.settings
        settings.responseFields = fields
        let action = groups.isEmpty ? Plans.fixed(200) : Plans.forward([0], [1])
        return try ServingWorker(Plans.listener(settings: settings, defaultAction: action), groups)
    }

    /// What a client gets of a target's response with `fields`.
    private func passedOn(_ fields: String, _ plans: [ResponseFieldPlan], interim: String = "") throws -> String {
        let target = try LoopbackTarget()
        var worker = try worker(plans, [Plans.group(0, "blue", [target.plan])])
        let client = try worker.client(asking: "/")
        #expect(worker.serve { target.has(1) })
        target.connections[0].send("\(interim)HTTP/1.1 200 OK\r\n\(fields)Content-Length: 2\r\n\r\nok")
        #expect(worker.serve { client.has("\r\n\r\nok") })
        worker.stop()
        return client.text
    }

    @Test func aFieldIsSetOnceWhateverTheTargetSays() throws {
        let text = try passedOn(
            "X-FRAME-OPTIONS: ALLOW\r\nx-frame-options: SAMEORIGIN\r\nX-Other: kept\r\n",
            [Self.plan("X-Frame-Options", "DENY")])
        #expect(text.contains("\r\nX-Frame-Options: DENY\r\n") && text.contains("\r\nX-Other: kept\r\n"))
        #expect(!text.contains("ALLOW") && !text.contains("SAMEORIGIN"))
    }

    /// A name that only begins alike is another one.
    @Test func aFieldIsRemoved() throws {
        let text = try passedOn("Server: secret/1.0\r\nServer-Timing: a\r\n", [Self.plan("Server", nil)])
        #expect(!text.contains("secret") && text.contains("\r\nServer-Timing: a\r\n"))
    }

    @Test func interimResponsesAreLeftAlone() throws {
        let text = try passedOn(
            "", [Self.plan("X-Frame-Options", "DENY")], interim: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        let parts = text.split(separator: "HTTP/1.1 ")
        #expect(parts.count == 2 && !parts[0].contains("DENY") && parts[1].contains("DENY"))
    }

    @Test func ownResponsesAreChangedToo() throws {
        var worker = try worker([Self.plan("Server", nil), Self.plan("X-Frame-Options", "DENY")])
        let client = try worker.client(asking: "/")
        #expect(worker.serve { client.has("\r\n\r\n") })
        #expect(!client.text.contains("Server:") && client.text.contains("\r\nX-Frame-Options: DENY\r\n"))
        client.send("GET / HTTP/1.1\r\n\r\n")
        #expect(worker.serve { client.has("</html>") })
        let parts = client.text.split(separator: "HTTP/1.1 ")
        #expect(parts.count == 2 && parts[1].contains("X-Frame-Options: DENY") && !parts[1].contains("Server:"))
        worker.stop()
    }
}
