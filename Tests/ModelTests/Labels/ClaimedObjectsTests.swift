import Testing

@testable import Model

/// What containers get by their labels, and who gets it where two ask for the same.
@Suite struct ClaimedObjectsTests {
    /// A file that allows hosts of example.com on web:80, web:81 and a listener that there is not.
    static func file(hosts: [String] = ["*.example.com"], listeners: [String] = ["web:80"]) -> Document {
        var labels = LabelDiscovery()
        labels.allowHosts = hosts
        labels.allowListeners = listeners.compactMap(ListenerName.init)
        let answer = [Sample.answer(404)]
        var document = Document(
            loadBalancers: [
                LoadBalancer(
                    name: "web",
                    listeners: [
                        Listener(
                            port: 80, defaultActions: answer,
                            rules: [
                                Sample.rule(10, Sample.answer(200)),
                                Rule(
                                    priority: 20, conditions: [.hostHeader(["File.example.com"])],
                                    actions: [Sample.answer(200)]),
                            ]), Listener(port: 81, defaultActions: answer),
                    ]),
                LoadBalancer(
                    name: "net", type: .network,
                    listeners: [
                        Listener(
                            protocol: .tcp, port: 9000,
                            defaultActions: [Sample.forward(["plain": 1])])
                    ]),
            ],
            targetGroups: [
                Sample.group("blue", []), TargetGroup(name: "plain", targetType: .ip, protocol: .tcp, port: 9000),
            ])
        document.discovery = DocumentDiscovery()
        document.discovery?.docker = labels
        return document
    }

    private static func claim(_ name: String, _ labels: [String: String], since: Int = 1) throws -> Claim {
        try ClaimTests.claim(name, labels, since: "2026-01-0\(since)T00:00:00")
    }

    private static func layers(_ claims: [Claim], over file: Document = file(), _ changes: Changes = Changes())
        -> Layers
    {
        let layers = changes.apply(to: file, Discovered(claims: claims))
        #expect(layers.document.validate().isEmpty)
        return layers
    }

    private static func rules(_ layers: Layers, port: Int = 80) -> [String] {
        let rules = layers.document.listener(ListenerName(loadBalancer: "web", port: port))?.rules ?? []
        return rules.compactMap { rule in
            guard case .forward(let forward) = rule.actions[0] else { return nil }
            return "\(rule.priority) \(forward.targetGroups[0].targetGroupName)"
        }
    }

    /// Each refusal: the container, then the message.
    private static func refusals(_ layers: Layers) -> [String] {
        layers.refusals.map { "\($0.name): \($0.mistake.message)" }
    }

    @Test func containersGetAGroupAndARule() throws {
        let labels = ["apus.group": "shop", "apus.host": "shop.example.com", "apus.path": "/api/*"]
        let layers = Self.layers([
            try Self.claim("c-1", labels.merging(["apus.weight": "3"]) { $1 }),
            try Self.claim("c-2", labels.merging(["apus.port": "81"]) { $1 }, since: 2),
        ])
        #expect(Self.refusals(layers) == [] && layers.notApplicable.isEmpty)
        let group = try #require(layers.document.targetGroups.first { $0.name == "shop" })
        #expect(group.targets.map { "\($0.id):\($0.port ?? 0)" } == ["10.0.0.1:80", "10.0.0.2:81"])
        #expect(group.targets[0].weight == 3 && group.targetType == .ip)
        #expect(Self.rules(layers) == ["40001 shop"])
        let rule = try #require(layers.document.loadBalancers[0].listeners[0].rules.last)
        #expect(rule.conditions == [.hostHeader(["shop.example.com"]), .pathPattern(["/api/*"])])
        #expect(layers.claimed.containers == ["shop": ["c-1", "c-2"]])
        #expect(layers.claimed.priorities(loadBalancer: "web", port: 80) == [40001: ["c-1", "c-2"]])
        // Without the key nobody looks at labels.
        var off = Self.file()
        off.discovery = nil
        #expect(Self.layers([try Self.claim("c-1", labels)], over: off).document == off)
    }

    @Test func theLongerPlaceComesFirst() throws {
        let layers = Self.layers([
            try Self.claim("c-1", ["apus.group": "wide", "apus.host": "*.example.com"]),
            try Self.claim("c-2", ["apus.group": "short", "apus.host": "a.example.com"]),
            try Self.claim("c-3", ["apus.group": "long", "apus.host": "a.example.com", "apus.path": "/x/*"]),
            try Self.claim(
                "c-4", ["apus.group": "own", "apus.host": "b.example.com", "apus.priority": "40002"], since: 2),
        ])
        #expect(Self.refusals(layers) == [])
        #expect(Self.rules(layers) == ["40002 own", "40001 long", "40003 short", "40004 wide"])
    }

    static let conflicts: [([String: String], String)] = [
        (
            ["apus.host": "evil.org", "apus.listener": "web:80"],
            "apus.host must be allowed by allowHosts, but found evil.org."
        ),
        (["apus.host": "*", "apus.listener": "web:80"], "apus.host must be allowed by allowHosts, but found *."),
        (
            ["apus.path": "/x", "apus.listener": "web:80"],
            "a container must have the label apus.host, since allowHosts does not allow all"
        ),
        (
            ["apus.host": "b.example.com", "apus.listener": "web:82"],
            "must be allowed by allowListeners, but found web:82"
        ),
        (["apus.host": "b.example.com", "apus.listener": "web:99"], "a listener that there is, but found web:99"),
        (["apus.host": "b.example.com", "apus.listener": "net:9000"], "net:9000, which is of TCP"),
        (["apus.host": "b.example.com"], "as several are allowed"),
        (
            ["apus.host": "A.example.com", "apus.listener": "web:80", "apus.path": "/a", "apus.group": "b"],
            "found a.example.com with /a, which container c-1 has"
        ),
        (
            ["apus.host": "z.example.com,a.example.com", "apus.path": "/b,/a", "apus.listener": "web:80"],
            "found a.example.com with /a, which container c-1 has"
        ),
        (
            ["apus.host": "file.example.com", "apus.listener": "web:80"],
            "file.example.com with any path, which rule 20 has"
        ),
        (
            ["apus.host": "b.example.com", "apus.listener": "web:80", "apus.priority": "10"],
            "apus.priority must be free on web:80, but found 10, which a rule of the file"
        ),
        (
            ["apus.host": "b.example.com", "apus.listener": "web:80", "apus.priority": "77"],
            "found 77, which container c-1 has"
        ),
        (
            ["apus.host": "b.example.com", "apus.listener": "web:80", "apus.group": "blue"],
            "must not be the name of a target group of the file or of the socket, but found blue"
        ),
        (
            [
                "apus.host": "a.example.com", "apus.path": "/a", "apus.listener": "web:80", "apus.group": "shop",
                "apus.priority": "77", "apus.health.path": "/other",
            ],
            "label apus.health.path must be /health, as container c-1 of group shop has it, but found /other."
        ),
        (
            ["apus.host": "b.example.com", "apus.listener": "web:80", "apus.group": "shop"],
            "label apus.host must be a.example.com, as container c-1 of group shop has it, but found b.example.com."
        ),
        (
            ["apus.host": "b.example.com", "apus.listener": "web:80", "apus.protocolVersion": "GRPC"],
            "take only requests that came by HTTP/2"
        ),
    ]

    /// The one who was there first, and the file, keep what they have.
    @Test(arguments: conflicts) func whatIsRefusedTouchesNothing(labels: [String: String], text: String) throws {
        let file = Self.file(listeners: ["web:80", "web:81", "web:99", "net:9000"])
        let first = try Self.claim(
            "c-1",
            [
                "apus.host": "a.example.com", "apus.path": "/a", "apus.listener": "web:80", "apus.group": "shop",
                "apus.priority": "77", "apus.health.path": "/health",
            ], since: 2)
        let alone = Self.layers([first], over: file)
        #expect(Self.rules(alone) == ["77 shop"] && Self.refusals(alone) == [])
        // By its name it would come first.
        let both = Self.layers([try Self.claim("a-2", labels, since: 3), first], over: file)
        #expect(both.document == alone.document)
        let refusals = Self.refusals(both)
        #expect(refusals.count == 1 && refusals[0].hasPrefix("a-2: ") && refusals[0].contains(text), "\(refusals)")
        #expect(both.refusals.allSatisfy { $0.group == nil && !$0.mistake.remedy.isEmpty })
    }

    @Test func aRuleOnOneListenerIsRefusedAlone() throws {
        let file = Self.file(listeners: ["web:80", "web:81"])
        let layers = Self.layers(
            [
                try Self.claim("c-1", ["apus.host": "a.example.com", "apus.listener": "web:80", "apus.group": "one"]),
                try Self.claim(
                    "c-2", ["apus.host": "a.example.com", "apus.listener": "web:80,web:81", "apus.group": "two"],
                    since: 2),
            ], over: file)
        #expect(Self.rules(layers) == ["40001 one"] && Self.rules(layers, port: 81) == ["40001 two"])
        #expect(Self.refusals(layers).count == 1)
    }

    @Test func whoIsGoneKeepsAGroupUntilSomebodyAsks() throws {
        let gone = try ClaimTests.claim("c-1", ["apus.host": "a.example.com", "apus.group": "one"], isGone: true)
        let kept = Self.layers([gone])
        #expect(Self.rules(kept) == ["40001 one"])
        #expect(kept.document.targetGroups.last?.targets == [] && kept.claimed.containers == ["one": []])
        let taken = Self.layers([
            gone, try Self.claim("c-2", ["apus.host": "a.example.com", "apus.group": "two"], since: 9),
        ])
        #expect(Self.rules(taken) == ["40001 two"] && Self.refusals(taken) == [])
        #expect(!taken.document.targetGroups.contains { $0.name == "one" })
        let another = Self.layers([
            gone, try Self.claim("c-2", ["apus.host": "b.example.com", "apus.group": "one"], since: 9),
        ])
        #expect(Self.rules(another) == ["40001 one"] && Self.refusals(another) == [])
    }

    @Test func thereAreNoMoreRulesThanAListenerMayHave() throws {
        var file = Self.file()
        file.loadBalancers[0].listeners[0].rules = (1..<Limits.rulesPerListenerMax).map {
            Sample.rule($0, Sample.answer(200))
        }
        let claims = try (1...2).map { try Self.claim("c-\($0)", ["apus.host": "a\($0).example.com"]) }
        let layers = Self.layers(claims, over: file)
        #expect(Self.rules(layers).count == 1 && Self.refusals(layers).count == 1)
        #expect(layers.refusals[0].mistake.code == .tooManyRules)
    }

    @Test func aThousandContainersAreOnePass() throws {
        let claims = try (1...1000).map { number in
            try Self.claim("c-\(number % 250)", ["apus.host": "a\(number).example.com", "apus.port": "\(number)"])
        }
        let layers = Self.layers(claims)
        #expect(Self.rules(layers).count == 1000 && layers.refusals.isEmpty)
    }

    // MARK: Changes at run time

    private static let shop = ["apus.group": "shop", "apus.host": "shop.example.com"]

    private static func refusal(_ change: Change, _ layers: Layers) -> String {
        do throws(ConfigErrors) {
            try layers.claimed.check(change)
            return ""
        } catch { return "\(error.first)" }
    }

    @Test func whatLabelsSayIsChangedByLabels() throws {
        let layers = Self.layers([try Self.claim("c-1", Self.shop)])
        let group = try #require(layers.document.targetGroups.last)
        let rule = try #require(layers.document.loadBalancers[0].listeners[0].rules.last)
        let changes: [Change] = [
            .putTargetGroup(group), .deleteTargetGroup(name: "shop"),
            .putRule(loadBalancer: "web", port: 80, rule),
            .deleteRule(loadBalancer: "web", port: 80, priority: 40001),
            .setWeights(loadBalancer: "web", port: 80, priority: 40001, ["shop": 0]),
        ]
        for change in changes { #expect(Self.refusal(change, layers).contains("labels of its containers (c-1)")) }
        let others: [Change] = [
            .deleteTargetGroup(name: "blue"), .deleteRule(loadBalancer: "web", port: 80, priority: 10),
            .deleteRule(loadBalancer: "web", port: 81, priority: 40001),
            .registerTargets(group: "shop", [TargetDescription(id: "10.0.0.9")]),
        ]
        for change in others { #expect(Self.refusal(change, layers) == "") }
    }

    @Test func whatIsPutAgainDoesNotKeepThem() throws {
        let (file, claims) = (Self.file(), [try Self.claim("c-1", Self.shop)])
        let layers = Self.layers(claims, over: file)
        let shown = layers.document.loadBalancers[0]
        var changes = Changes()
        for change: Change in [.putListener(loadBalancer: "web", shown.listeners[0]), .putLoadBalancer(shown)] {
            changes.record(layers.claimed.removingRules(from: change), over: file)
            let after = Self.layers(claims, over: file, changes)
            #expect(after.document == layers.document)
            #expect(Self.rules(Self.layers([], over: file, changes)) == [])
        }
    }

    @Test func targetsAreRegisteredAndDeregistered() throws {
        let (file, claims) = (Self.file(), [try Self.claim("c-1", Self.shop), try Self.claim("c-2", Self.shop)])
        let layers = Self.layers(claims, over: file)
        var found = Discovered(claims: claims)
        found.grant(layers.claimed)
        var changes = Changes()
        let base = layers.claimed.adding(to: file)
        changes.record(
            .deregisterTargets(group: "shop", [TargetDescription(id: "10.0.0.1", port: 80)]), over: base, found)
        changes.record(
            .registerTargets(group: "shop", [TargetDescription(id: "10.0.0.9", port: 80)]), over: base, found)
        let after = changes.apply(to: file, found)
        #expect(after.document.targetGroups.last?.targets.map(\.id) == ["10.0.0.9", "10.0.0.2"])
        let kept = changes.layers(of: try #require(after.document.targetGroups.last), file: file, found)
        #expect(kept[TargetKey(id: "10.0.0.2", port: 80)] == .discovered(name: "c-2"))
        #expect(kept[TargetKey(id: "10.0.0.9", port: 80)] == .runTime)
        changes.forgetTargets(of: "shop")
        #expect(changes.isEmpty)
    }

    /// Whatever is put later over the socket wins, as the file does.
    @Test func theSocketGoesBeforeLabels() throws {
        let (file, claims) = (Self.file(), [try Self.claim("c-1", Self.shop)])
        var changes = Changes()
        changes.record(.putTargetGroup(Sample.group("shop", [("10.9.9.9", nil)])), over: file)
        let named = Self.layers(claims, over: file, changes)
        #expect(named.document.targetGroups.last?.targets.map(\.id) == ["10.9.9.9"] && named.refusals.count == 1)
        var rule = Sample.rule(40001, Sample.answer(200))
        var placed = Changes()
        placed.record(.putRule(loadBalancer: "web", port: 80, rule), over: file)
        #expect(Self.rules(Self.layers(claims, over: file, placed)) == ["40002 shop"])
        rule.conditions = [.hostHeader(["shop.example.com"])]
        placed.record(.putRule(loadBalancer: "web", port: 80, rule), over: file)
        #expect(Self.rules(Self.layers(claims, over: file, placed)) == [])
    }
}
