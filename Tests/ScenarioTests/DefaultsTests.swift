import Foundation
import Testing

/// What a file says once: `defaults` and aliases.
@Suite struct DefaultsTests {
    /// A file with two groups that share a health check, by an alias, and the rest by `defaults`; `more` stands in
    /// these.
    private func text(_ apus: ApusProcess, _ targets: [TargetServer], more: String = "") -> String {
        """
        x-files: &log { path: \(apus.accessLogPath), format: alb }
        admin: { socket: \(apus.socketPath) }
        runtime: { stateDirectory: \(apus.statePath), workers: 2 }
        logs: { access: *log }
        loadBalancers:
          - name: web
            addresses: [127.0.0.1]
            listeners:
              - protocol: HTTP
                port: \(apus.port)
                defaultActions: [ { type: forward, targetGroupName: one } ]
                rules:
                  - priority: 1
                    conditions: [ { field: path-pattern, values: ["/two*"] } ]
                    actions: [ { type: forward, targetGroupName: two } ]
        defaults:
          targetGroups:
            targetType: ip
            protocol: HTTP
            healthCheckIntervalSeconds: 0.5
            healthCheckTimeoutSeconds: 0.4
            attributes: { deregistration_delay.timeout_seconds: 7 }
            \(more)
        targetGroups:
          - &group
            name: one
            port: \(targets[0].port)
            healthCheckPath: /check
            targets: [ { id: 127.0.0.1 } ]
          - <<: *group
            name: two
            port: \(targets[1].port)
            attributes: { apus.retry.budget_percent: 50 }

        """
    }

    private func start() throws -> (ApusProcess, [TargetServer]) {
        let targets = try [TargetServer("one"), TargetServer("two")]
        let action: JSON = ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "200"]]
        let apus = try ApusProcess.start(Document(listeners: [.init(defaultAction: action)], groups: []))
        try apus.write(text: text(apus, targets))
        let reloaded = try apus.command("reload")
        #expect(reloaded.status == .exited(0), "\(reloaded.errors)")
        return (apus, targets)
    }

    private func group(_ name: String, of apus: ApusProcess) throws -> JSON {
        try apus.admin("GET", "/v1/config").json["targetGroups"].elements.first { $0["name"] == .string(name) } ?? .null
    }

    @Test("Groups have what the file says once, and the configuration that is in force says all of it")
    func groupsHaveIt() throws {
        let (apus, targets) = try start()
        #expect(apus.target(targets[0].address, in: "one", becomes: "healthy"))
        #expect(apus.target(targets[1].address, in: "two", becomes: "healthy"))
        let client = try apus.client()
        #expect(try client.get("/").text == "one\n" && client.get("/two").text == "two\n")
        let two = try group("two", of: apus)
        #expect(two["healthCheckPath"] == "/check" && two["healthCheckIntervalSeconds"] == 0.5, "\(two.text)")
        #expect(two["attributes"]["deregistration_delay.timeout_seconds"] == 7)
        #expect(two["attributes"]["apus.retry.budget_percent"] == 50)
        // It needs no defaults to be read again.
        let config = try apus.admin("GET", "/v1/config").json
        #expect(config["defaults"] == .null)
        let copy = "\(apus.folder)/copy.yaml"
        try config.text.write(toFile: copy, atomically: true, encoding: .utf8)
        #expect(try apus.command("check", copy, "--file-only").status == .exited(0))
        try apus.write(text: config.text)
        let same = try apus.command("reload", "--json")
        #expect(same.status == .exited(0) && same.json["changes"] == [], "\(same.output)\(same.errors)")
    }

    @Test("A reload with other defaults changes the groups of the file, not those of the socket")
    func otherDefaults() throws {
        let (apus, targets) = try start()
        let body: JSON = ["name": "three", "protocol": "HTTP", "port": 80, "targetType": "ip"]
        #expect(try apus.admin("PUT", "/v1/target-groups/three", body).status < 300)
        #expect(try group("three", of: apus)["healthCheckIntervalSeconds"] == 30, "the vocabulary's default")
        try apus.write(text: text(apus, targets, more: "healthyThresholdCount: 3"))
        #expect(try apus.command("reload").status == .exited(0))
        #expect(try ["one", "two", "three"].map { try group($0, of: apus)["healthyThresholdCount"] } == [3, 3, 5])
    }

    @Test("A mistake in defaults is told once, with its line, by check and by reload; what is in force stays")
    func mistakes() throws {
        let (apus, targets) = try start()
        let before = try apus.admin("GET", "/v1/config").text
        for (more, words) in [
            ("healthyThresholdCount: 30", "apus.yaml:23:28: healthyThresholdCount must be an integer from 1 to 10"),
            ("healthCheckGracePeriod: 1", "apus.yaml:23:5: expected a key of the defaults of target groups"),
            ("matcher: { httpCode: \"500\" }", "apus.yaml:23:26: httpCode must be status codes from 200 to 499"),
            ("matcher: *none", "apus.yaml:23:14: expected an anchor &none before this alias"),
        ] {
            try apus.write(text: text(apus, targets, more: more))
            let refused = try apus.command("reload")
            #expect(refused.status == .exited(1) && refused.errors.contains(words), "\(refused.errors)")
            let told = try apus.command("check", apus.configurationPath).errors
            #expect(told.contains(words), "\(told)")
            #expect(told.split(separator: "\n").count == 1, "\(told)")
        }
        #expect(try apus.admin("GET", "/v1/config").text == before)
    }

    @Test("Aliases that stand for billions of values are refused at once")
    func bomb() throws {
        let (apus, targets) = try start()
        #expect(apus.target(targets[0].address, in: "one", becomes: "healthy"))
        var text = "x-0: &a0 [x]\n"
        for level in 1...30 {
            text += "x-\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", "))]\n"
        }
        try apus.write(text: text)
        let refused = try apus.command("check", apus.configurationPath)
        #expect(refused.status == .exited(1))
        #expect(refused.errors.contains("what aliases stand for must be at most"), "\(refused.errors)")
        #expect(try apus.command("reload").status == .exited(1))
        #expect(try apus.client().get("/").text == "one\n")
    }
}
