import Testing

@testable import Model

@Suite struct DefaultsTests {
    private func load(_ defaults: String, _ groups: String...) throws -> Document {
        let text = "defaults:\n  targetGroups:\n\(defaults)targetGroups:\n" + groups.joined()
        return try Document.load(yaml: text, file: "a.yaml")
    }

    private func mistakes(_ defaults: String, _ groups: String...) throws -> [String] {
        let text = "defaults:\n  targetGroups:\n\(defaults)targetGroups:\n" + groups.joined()
        let errors = #expect(throws: ConfigErrors.self) { try Document.load(yaml: text, file: "a.yaml") }
        return try #require(errors).all.map(\.description)
    }

    @Test func groupsHaveWhatTheyDoNotSay() throws {
        let defaults = """
                targetType: ip
                protocol: HTTP
                port: 80
                healthCheckPath: /health
                matcher: { httpCode: "200-299" }
                ipAddressType: ipv4
                attributes:
                  deregistration_delay.timeout_seconds: 5
                  apus.retry.budget_percent: 50

            """
        let document = try load(
            defaults, "  - name: a\n",
            """
              - name: b
                port: 81
                matcher: { httpCode: "204" }
                attributes: { apus.retry.budget_percent: 10 }
                targets: [ { id: 10.0.0.1 } ]

            """)
        let (first, second) = (document.targetGroups[0], document.targetGroups[1])
        #expect(first.port == 80 && first.targetType == .ip && first.healthCheck.path == "/health")
        #expect(first.healthCheck.matcher.httpCode.text == "200-299" && first.targets.isEmpty)
        #expect(first.attributes.deregistrationDelaySeconds == 5 && first.attributes.retryBudgetPercent == 50)
        #expect(first.withoutEffect == ["ipAddressType": "ipv4"])
        #expect(second.port == 81 && second.healthCheck.path == "/health" && second.targets.count == 1)
        #expect(second.healthCheck.matcher.httpCode.text == "204")
        #expect(second.attributes.deregistrationDelaySeconds == 5 && second.attributes.retryBudgetPercent == 10)
        #expect(try Document(document.encoded()) == document)
        #expect(document.encoded()["defaults"] == nil)
    }

    /// Every key of a group but its name and targets may be a default, and then is as if the group had it.
    @Test func everyKeyMayBeADefault() throws {
        let group = try Document.load(yaml: ConfTests.text("reference.yaml"), file: "").targetGroups[0]
        let written = group.encoded()
        let own = ["name", "targets"]
        var defaults = written
        for key in own { defaults[key] = nil }
        let document = try Document([
            "defaults": ["targetGroups": defaults],
            "targetGroups": [.object(written.members!.filter { own.contains($0.key) })],
        ])
        #expect(document.targetGroups == [group])
        #expect(defaults.members!.count >= 15)
    }

    /// The checks of network load balancers have other defaults, and some attributes belong to one kind of groups.
    @Test func defaultsAreForTheKindOfGroup() throws {
        let defaults = """
                healthCheckIntervalSeconds: 20
                attributes:
                  apus.retry.budget_percent: 50
                  proxy_protocol_v2.enabled: true
                  deregistration_delay.timeout_seconds: 7

            """
        let document = try load(
            defaults, "  - { name: a, protocol: HTTP, port: 80 }\n", "  - { name: b, protocol: TCP, port: 80 }\n")
        let (http, tcp) = (document.targetGroups[0], document.targetGroups[1])
        #expect(http.healthCheck.protocol == .http && http.healthCheck.intervalSeconds == 20)
        #expect(tcp.healthCheck.protocol == .tcp && tcp.healthCheck.timeoutSeconds == 10)
        #expect(http.attributes.retryBudgetPercent == 50 && !http.attributes.proxyProtocol)
        #expect(tcp.attributes.proxyProtocol && tcp.attributes.retryBudgetPercent == 20)
        #expect(http.attributes.deregistrationDelaySeconds == 7 && tcp.attributes.deregistrationDelaySeconds == 7)
    }

    /// A mistake in them is told once, at its place, whether there are groups or not.
    @Test func mistakesAreToldWhereTheyStand() throws {
        let groups = ["a", "b", "c"].map { "  - { name: \($0), protocol: HTTP, port: 80 }\n" }.joined()
        for groups in [groups, "  []\n"] {
            let found = try mistakes(
                "    healthCheckPath: health\n    attributes:\n      slow_start.duration_second: 30\n", groups)
            #expect(found.count == 2, "\(found)")
            #expect(found[0].hasPrefix("a.yaml:3:22: healthCheckPath must be a path"), "\(found)")
            #expect(found[1].hasPrefix("a.yaml:5:7: expected a key of the attributes of a target group"), "\(found)")
            #expect(found[1].hasSuffix("Did you mean slow_start.duration_seconds?"), "\(found)")
        }
        // What is wrong only in a group is told at the value that makes it so.
        let unfit = try mistakes("    healthCheckTimeoutSeconds: 60\n", groups)
        #expect(unfit.count == 1 && unfit[0].hasPrefix("a.yaml:3:32: healthCheckTimeoutSeconds must be at most"))
        let ofOne = try mistakes(
            "    healthCheckTimeoutSeconds: 20\n",
            groups + "  - { name: d, protocol: HTTP, port: 80, healthCheckIntervalSeconds: 10 }\n")
        #expect(ofOne.count == 1 && ofOne[0].hasPrefix("a.yaml:3:32: "), "\(ofOne)")
        // What a group says itself cannot be made wrong by them.
        let own = try load(
            "    healthCheckTimeoutSeconds: 60\n",
            "  - { name: d, protocol: HTTP, port: 80, healthCheckTimeoutSeconds: 1 }\n")
        #expect(own.targetGroups[0].healthCheck.timeoutSeconds == 1)
    }

    @Test(arguments: ["name: a", "targets: []", "vpcId: x"]) func someKeysAreEachGroupsOwn(_ key: String) throws {
        let found = try mistakes("    \(key)\n", "  - { name: a, protocol: HTTP, port: 80 }\n")
        #expect(found.count == 1 && found[0].hasPrefix("a.yaml:3:5: "), "\(found)")
    }

    static let shapes: [(String, String)] = [
        ("defaults: 1\n", "a.yaml:1:11: defaults must be the defaults, an object with keys, but found 1."),
        ("defaults: { groups: {} }\n", "a.yaml:1:13: expected a key of the defaults, but found \"groups\"."),
        ("defaults: { targetGroups: [] }\n", "a.yaml:1:27: targetGroups must be the defaults of target groups"),
        (
            "defaults: { targetGroups: { attributes: 1 } }\ntargetGroups: [ { name: a, protocol: HTTP, port: 1 } ]\n",
            "a.yaml:1:41: attributes must be the attributes of a target group"
        ),
    ]

    @Test(arguments: shapes) func otherShapesAreRefused(_ text: String, _ message: String) throws {
        let error = #expect(throws: ConfigErrors.self) { try Document.load(yaml: text, file: "a.yaml") }
        #expect(error?.all.count == 1 && error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }

    /// Groups without what they need are told so at their own place, and odd ones stay as they are.
    @Test func oddGroupsAreToldAsBefore() throws {
        let found = try mistakes("    healthCheckPath: /\n", "  - { name: a, protocol: HTTP }\n", "  - 1\n")
        #expect(found.count == 2 && found[0].hasPrefix("a.yaml:5:5: a target group must have the key port"))
        #expect(found[1].hasPrefix("a.yaml:6:5: "))
        let attributes = try mistakes(
            "    attributes: { slow_start.duration_seconds: 30 }\n",
            "  - { name: a, protocol: HTTP, port: 80, attributes: 1 }\n")
        #expect(attributes.count == 1 && attributes[0].hasPrefix("a.yaml:5:"), "\(attributes)")
    }

    /// A thousand unknown keys are reported once each, not once for every group.
    @Test func unknownKeysStayInTheirPlace() throws {
        let text = (1...1000).map { "    key\($0): 1\n" }.joined()
        let groups = (1...100).map { "  - { name: g\($0), protocol: HTTP, port: 80 }\n" }.joined()
        #expect(try mistakes(text, groups).count == 1000)
    }

    /// What is there for aliases is not read, nor kept.
    @Test func keysForAnchorsAreNotRead() throws {
        let text = "x-a: &a { healthCheckPath: /h }\ntargetGroups: [ { name: a, protocol: HTTP, port: 80, <<: *a } ]\n"
        let document = try Document.load(yaml: text, file: "a.yaml")
        #expect(document.targetGroups[0].healthCheck.path == "/h")
        #expect(throws: ConfigErrors.self) {
            try Document.load(yaml: text.replacing("x-a:", with: "xa:"), file: "a.yaml")
        }
        #expect(throws: ConfigErrors.self) { try Document.load(yaml: "targetGroups: [ { x-a: 1 } ]\n", file: "a") }
    }

    @Test func theSchemaHasThem() throws {
        let schema = try Value.parse(json: Schema.json())
        #expect(schema["properties"]?["defaults"]?["$ref"] == "#/$defs/Defaults")
        let keys = try #require(schema["$defs"]?["TargetGroupDefaults"]?["properties"]?.members).map(\.key)
        let ofGroup = try #require(schema["$defs"]?["TargetGroup"]?["properties"]?.members).map(\.key)
        #expect(keys == ofGroup.filter { !["name", "targets", "discovery"].contains($0) })
        #expect(schema["$defs"]?["TargetGroupDefaults"]?["required"] == nil)
        #expect(schema["patternProperties"]?["^x-"] != nil)
    }
}
