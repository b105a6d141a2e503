import Foundation
import Glibc
import Testing

/// Reload of the configuration file.
@Suite struct ReloadTests {
    private func document(_ groups: [TargetServer], forward: String) -> Document {
        Document(
            listeners: [.init(defaultAction: Document.forward(forward))],
            groups: groups.map { .init($0.name, servers: [$0]) })
    }

    @Test("A changed file takes effect by SIGHUP and by command, and cuts no connection", arguments: [true, false])
    func changedFile(bySignal: Bool) throws {
        let blue = try TargetServer("blue")
        let green = try TargetServer("green")
        let apus = try ApusProcess.start(document([blue, green], forward: "blue"))
        let client = try apus.client()
        #expect(try client.get("/one").text == "blue\n")
        let load = LoadGenerator(port: apus.port, clients: 2)
        try apus.write(document([blue, green], forward: "green"))
        if bySignal {
            apus.process.signal(SIGHUP)
        } else {
            #expect(try apus.command("reload").status == .exited(0))
        }
        #expect(try eventually { try client.get("/two").text == "green\n" })
        #expect(load.finish().badCount == 0)
        #expect(try apus.metric("apus_connections_cut_by_configuration_total") == 0)
        expectLogged(by: apus, "/two", status: 200, target: "127.0.0.1:\(green.port)")
    }

    @Test(
        "An invalid file changes nothing, and the error names file, line and remedy",
        arguments: [
            "loadBalancers: [", "loadBalancers: []\nnonsense: 1\n", "targetGroups:\n  - name: blue\n    port: many\n",
            "loadBalancers: [ { name: web, addresses: [127.0.0.1], listeners: 7 } ]",
        ])
    func badFile(text: String) throws {
        let blue = try TargetServer("blue")
        let apus = try ApusProcess.start(document([blue], forward: "blue"))
        let before = try apus.admin("GET", "/v1/config").text
        try apus.write(text: text)
        let refused = try apus.command("reload")
        #expect(refused.status == .exited(1))
        #expect(refused.errors.contains("apus.yaml:"), "\(refused.errors)")
        apus.process.signal(SIGHUP)
        #expect(eventually { apus.errors.contains("apus.yaml:") })
        #expect(try apus.admin("GET", "/v1/config").text == before)
        expectServes(apus)
        expectLogged(by: apus, "/still-serving", status: 200)

        try apus.write(document([blue], forward: "blue"))
        #expect(try apus.command("reload").status == .exited(0))
    }

    @Test("A missing or unreadable file is rejected too")
    func missingFile() throws {
        let blue = try TargetServer("blue")
        let apus = try ApusProcess.start(document([blue], forward: "blue"))
        try FileManager.default.removeItem(atPath: apus.configurationPath)
        let answer = try apus.admin("POST", "/v1/reload")
        #expect((400..<600).contains(answer.status))
        #expect(answer.json["error"]["message"].string?.contains("apus.yaml") == true, "\(answer.text)")
        expectServes(apus)
    }

    @Test("Changes at run time are applied again on top, and those that no longer apply are reported")
    func changesOnTop() throws {
        let blue = try TargetServer("blue")
        let green = try TargetServer("green")
        let extra = try TargetServer("extra")
        let apus = try ApusProcess.start(document([blue, green], forward: "blue"))
        let address = Document.Address(port: extra.port)
        for group in ["blue", "green"] {
            let path = "/v1/target-groups/\(group)/targets"
            #expect(try apus.admin("POST", path, ["targets": [address.json]]).status == 200)
        }
        // The new file lacks the group `green`, so one registration no longer applies.
        try apus.write(document([blue], forward: "blue"))
        let answer = try apus.admin("POST", "/v1/reload")
        #expect(answer.status == 200)
        #expect(answer.text.contains("green"), "what no longer applies is named: \(answer.text)")
        #expect(try apus.states(of: "blue")[address.text] != nil)
        #expect(try apus.admin("GET", "/v1/target-groups/green/targets").errorCode == "TargetGroupNotFound")
        #expect(apus.target(address, becomes: "healthy"))
        #expect(LoadGenerator(port: apus.port, requests: 40).waitForEnd().count(of: "extra\n") > 10)
        expectLogged(by: apus, "/load/0-1 ", status: 200)
    }

    @Test("Health survives a reload: healthy targets stay healthy")
    func healthSurvives() throws {
        let blue = try TargetServer("blue")
        let apus = try ApusProcess.start(document([blue], forward: "blue"))
        blue.healthStatus.withLock { $0 = nil }
        #expect(try apus.command("reload").status == .exited(0))
        #expect(try apus.states(of: "blue")["127.0.0.1:\(blue.port)"] == "healthy")
    }
}
