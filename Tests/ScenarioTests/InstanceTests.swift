import Testing

/// Targets that are instances, resolved through the registry.
@Suite struct InstanceTests {
    private func document(_ servers: [TargetServer], instances: [String: String]) -> Document {
        let targets = servers.map { Document.Address(id: "i-1", port: $0.port) }
        return Document(
            listeners: [.init(defaultAction: Document.forward("blue"))],
            groups: [.init("blue", targets, settings: ["targetType": "instance"])], instances: instances)
    }

    @Test(
        "An unknown instance is unused with a reason, usable when it is set, and unused again when it is deleted"
    )
    func comesAlive() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(document([target], instances: [:]))
        let address = Document.Address(id: "i-1", port: target.port)
        let entry = try apus.admin("GET", "/v1/target-groups/blue/targets").json["targetHealthDescriptions"][0]
        #expect(entry["targetHealth"]["state"] == "unused")
        #expect(entry["targetHealth"]["reason"] == "Target.InvalidState")
        #expect(entry["targetHealth"]["description"].string?.isEmpty == false)
        expectMadeHere(try apus.client().get("/unknown"), 503)

        #expect(try apus.admin("PUT", "/v1/instances/i-1", ["address": "127.0.0.1"]).status < 300)
        #expect(apus.target(address, becomes: "healthy"))
        expectServes(apus)
        expectLogged(by: apus, "/still-serving", status: 200, target: "127.0.0.1:\(target.port)")

        #expect(try apus.admin("DELETE", "/v1/instances/i-1").status < 300)
        #expect(apus.target(address, becomes: "unused"))
        expectMadeHere(try apus.client().get("/gone"), 503)
        #expect(try apus.admin("GET", "/v1/instances/i-1").status == 404)
    }

    @Test("One instance serves on several ports at once")
    func severalPorts() throws {
        let servers = try ["a", "b"].map { try TargetServer($0) }
        let apus = try ApusProcess.start(document(servers, instances: ["i-1": "127.0.0.1"]))
        let report = LoadGenerator(port: apus.port, clients: 1, requests: 40).waitForEnd()
        #expect(report.count(of: "a\n") == 20)
        #expect(report.count(of: "b\n") == 20)
        expectLogged(by: apus, "/load/0-1 ", status: 200)
    }

    @Test("A target without a port of its own uses the group's")
    func groupPort() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [.init("blue", settings: ["port": JSON(target.port), "targets": [["id": "127.0.0.1"]]])]))
        #expect(apus.target(.init(port: target.port), becomes: "healthy"))
        expectServes(apus)
        expectLogged(by: apus, "/still-serving", status: 200, target: "127.0.0.1:\(target.port)")
    }
}
