import Testing

@testable import Model

@Suite struct ChangesTests {
    static let base = Sample.document()

    /// Applies and records changes, as control does.
    static func play(_ changes: [Change], over file: Document) throws -> (Document, Changes) {
        var document = file
        var recorded = Changes()
        for (index, change) in changes.enumerated() {
            try document.apply(change)
            recorded.record(change, over: file, at: index + 1)
        }
        return (document, recorded)
    }

    /// A change of any kind on few names, so that they often meet.
    static func change(_ random: inout SeededGenerator) -> Change {
        let group = ["blue", "green", "spare", "new"].randomElement(using: &random) ?? ""
        let loadBalancer = ["web", "other"].randomElement(using: &random) ?? ""
        let port = Int.random(in: 80...82, using: &random)
        let priority = [10, 20, 30].randomElement(using: &random) ?? 10
        let action =
            Bool.random(using: &random)
            ? Sample.forward(["blue": 3].merging([group: Int.random(in: 0...9, using: &random)]) { $1 })
            : Sample.answer(200)
        var listener = Listener(
            port: port, defaultActions: [action], rules: Bool.random(using: &random) ? [Sample.rule(10, action)] : [])
        if Int.random(in: 0..<4, using: &random) == 0 { listener.deny = [.list(list(&random).name)] }
        let targets = (0..<Int.random(in: 1...5, using: &random)).map { _ in
            TargetDescription(
                id: "10.0.0.\(Int.random(in: 1...4, using: &random))",
                port: [nil, 80, 8080].randomElement(using: &random) ?? nil)
        }
        switch Int.random(in: 0..<17, using: &random) {
        case 0: return .putTargetGroup(Sample.group(group, [("10.0.0.1", 80), ("10.0.2.1", nil)]))
        case 1: return .deleteTargetGroup(name: group)
        case 2: return .putLoadBalancer(LoadBalancer(name: loadBalancer, listeners: [listener]))
        case 3: return .deleteLoadBalancer(name: loadBalancer)
        case 4: return .putListener(loadBalancer: loadBalancer, listener)
        case 5: return .deleteListener(loadBalancer: loadBalancer, port: port)
        case 6, 7: return .putRule(loadBalancer: loadBalancer, port: port, Sample.rule(priority, action))
        case 8: return .deleteRule(loadBalancer: loadBalancer, port: port, priority: priority)
        case 9: return .setWeights(loadBalancer: loadBalancer, port: port, priority: nil, [group: 7])
        case 10: return .setWeights(loadBalancer: loadBalancer, port: port, priority: priority, [group: 8])
        case 11: return .registerTargets(group: group, targets)
        case 12: return .deregisterTargets(group: group, targets)
        case 13: return .putInstance(Instance(id: "i-\(port)", address: "10.0.0.\(priority)"))
        case 14: return .putPrefixList(list(&random))
        case 15: return .deletePrefixList(name: list(&random).name)
        default: return .deleteInstance(id: Bool.random(using: &random) ? "i-1" : "i-\(port)")
        }
    }

    /// A prefix list, which may name another one.
    private static func list(_ random: inout SeededGenerator) -> PrefixList {
        let names = ["office", "blocked", "more"]
        let entries = ["10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"] + names
        return PrefixList(
            name: names.randomElement(using: &random) ?? "",
            entries: entries.randomElement(using: &random).flatMap(AddressEntry.init).map { [$0] } ?? [])
    }

    /// The law: what was recorded, applied to the file, is what the changes gave one by one; and it survives the disk.
    @Test(arguments: 0..<300) func recordedIsApplied(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var document = Self.base
        var recorded = Changes()
        var applied = 0
        for _ in 0..<60 {
            let change = Self.change(&random)
            guard let next = try? document.applying(change) else { continue }
            document = next
            recorded.record(change, over: Self.base, at: applied + 1)
            applied += 1
            #expect(recorded.times.keys.allSatisfy { recorded.kept(of: $0) != nil }, "seed \(seed), after \(change)")
            let (again, notApplicable) = recorded.apply(to: Self.base)
            #expect(again == document, "seed \(seed), after \(change)")
            #expect(notApplicable.isEmpty)
            guard again == document else { return }
        }
        #expect(applied > 10 && document.validate().isEmpty)
        #expect(try Document(document.encoded()) == document)
        #expect(try Changes(Value.parse(json: recorded.encoded().json(pretty: true))) == recorded)
    }

    @Test func whatWasNeverInTheFileLeavesNothing() throws {
        let target = [TargetDescription(id: "10.0.0.7")]
        let listener = Listener(port: 81, defaultActions: [Sample.answer(200)])
        let changes: [Change] = [
            .registerTargets(group: "blue", target), .deregisterTargets(group: "blue", target),
            .putTargetGroup(Sample.group("new", [])), .registerTargets(group: "new", target),
            .deleteTargetGroup(name: "new"), .putListener(loadBalancer: "web", listener),
            .putRule(loadBalancer: "web", port: 81, Sample.rule(1, Sample.answer(200))),
            .deleteListener(loadBalancer: "web", port: 81),
            .putRule(loadBalancer: "web", port: 80, Sample.rule(1, Sample.answer(200))),
            .deleteRule(loadBalancer: "web", port: 80, priority: 1),
            .putLoadBalancer(LoadBalancer(name: "b")), .deleteLoadBalancer(name: "b"),
            .putInstance(Instance(id: "i-2", address: "10.0.0.1")), .deleteInstance(id: "i-2"),
        ]
        let (document, recorded) = try Self.play(changes, over: Self.base)
        #expect(document == Self.base && recorded.isEmpty)
    }

    @Test func tenThousandChangesOfOneTargetAreOne() throws {
        var recorded = Changes()
        let target = [TargetDescription(id: "10.0.0.7")]
        for _ in 0..<5_000 {
            recorded.record(.registerTargets(group: "blue", target), over: Self.base, at: 1)
            recorded.record(.deregisterTargets(group: "blue", target), over: Self.base, at: 2)
        }
        #expect(recorded.isEmpty)
    }

    /// What an orchestrator registered stays registered when the operator takes it out of the file.
    @Test func aRegistrationOutlivesTheFile() throws {
        let target = Self.base.targetGroups[0].targets[0]
        let (_, recorded) = try Self.play([.registerTargets(group: "blue", [target])], over: Self.base)
        var edited = Self.base
        edited.targetGroups[0].targets = []
        #expect(recorded.apply(to: edited).0.targetGroups[0].targets == [target])
    }

    @Test func editsOfTheFileShowThrough() throws {
        let changes: [Change] = [
            .registerTargets(group: "blue", [TargetDescription(id: "10.0.0.3")]),
            .deregisterTargets(group: "blue", [TargetDescription(id: "10.0.0.1")]),
            .setWeights(loadBalancer: "web", port: 80, priority: nil, ["blue": 0]),
        ]
        let (_, recorded) = try Self.play(changes, over: Self.base)
        var edited = Self.base
        edited.targetGroups[0].targets.append(TargetDescription(id: "10.0.0.4"))
        edited.targetGroups[0].healthCheck.path = "/health"
        edited.loadBalancers[0].attributes.idleTimeoutSeconds = 10
        let (document, notApplicable) = recorded.apply(to: edited)
        #expect(notApplicable.isEmpty)
        #expect(document.targetGroups[0].targets.map(\.id) == ["10.0.0.2", "10.0.0.4", "10.0.0.3"])
        #expect(document.targetGroups[0].healthCheck.path == "/health")
        #expect(document.loadBalancers[0].attributes.idleTimeoutSeconds == 10)
        #expect(document.loadBalancers[0].listeners[0].defaultActions == [Sample.forward(["blue": 0, "green": 10])])
    }

    @Test func saysWhatNoLongerApplies() throws {
        let changes: [Change] = [
            .deleteRule(loadBalancer: "web", port: 80, priority: 10),
            .registerTargets(group: "spare", [TargetDescription(id: "10.0.0.3", port: 81)]),
            .putRule(loadBalancer: "web", port: 80, Sample.rule(30, Sample.forward(["green": 1]))),
            .setWeights(loadBalancer: "web", port: 80, priority: nil, ["green": 20]),
        ]
        let (_, recorded) = try Self.play(changes, over: Self.base)
        var edited = Self.base
        edited.targetGroups = [Sample.group("blue", [])]
        edited.loadBalancers[0].listeners[0].defaultActions = [Sample.forward(["blue": 1])]
        edited.loadBalancers[0].listeners[0].rules = []
        let (document, notApplicable) = recorded.apply(to: edited)
        #expect(document == edited)
        #expect(
            notApplicable == [
                "The change \"register 10.0.0.3:81 in target group spare\" no longer applies: "
                    + "expected a target group, but found \"spare\". Known: blue.",
                "The change \"put rule 30 of web:80\" no longer applies: "
                    + "actions[0].forwardConfig.targetGroups[0].targetGroupName must name "
                    + "a target group, but found \"green\". Known: blue.",
                "The change \"set weights green=20 of web:80\" no longer applies: "
                    + "green: weights must name groups of this action, but found \"green\". Known: blue.",
            ])
    }

    @Test func aDeletedGroupThatTheFileNowUsesStays() throws {
        let (_, recorded) = try Self.play([.deleteTargetGroup(name: "spare")], over: Self.base)
        var edited = Self.base
        edited.loadBalancers[0].listeners[0].rules[0].actions = [Sample.forward(["spare": 1])]
        let (document, notApplicable) = recorded.apply(to: edited)
        #expect(document == edited)
        #expect(
            notApplicable == [
                "The change \"delete target group spare\" no longer applies: "
                    + "target group spare is in use by rule 10 of web:80. "
                    + "Take it out of that action first; a weight of 0 is not enough."
            ])
    }

    /// Each step is right, and so is the end, though half of it alone would not be.
    @Test func loadBalancersMayExchangeTheirPorts() throws {
        func balancer(_ name: String, _ port: Int) -> Change {
            .putLoadBalancer(
                LoadBalancer(name: name, listeners: [Listener(port: port, defaultActions: [Sample.answer(200)])]))
        }
        let (file, _) = try Self.play([balancer("a", 81), balancer("b", 82)], over: Self.base)
        let changes = [balancer("a", 83), balancer("b", 81), balancer("a", 82)]
        let (document, recorded) = try Self.play(changes, over: file)
        let (again, notApplicable) = recorded.apply(to: file)
        #expect(again == document && notApplicable.isEmpty)
    }

    @Test func conflictingChangesAreAppliedOneByOne() throws {
        let listener = Listener(port: 81, defaultActions: [Sample.answer(200)])
        let changes: [Change] = [
            .putListener(loadBalancer: "web", listener), .putTargetGroup(Sample.group("new", [])),
            .putRule(loadBalancer: "web", port: 80, Sample.rule(5, Sample.forward(["new": 1]))),
        ]
        let (_, recorded) = try Self.play(changes, over: Self.base)
        var edited = Self.base
        edited.loadBalancers.append(LoadBalancer(name: "b", listeners: [listener]))
        let (document, notApplicable) = recorded.apply(to: edited)
        #expect(notApplicable.count == 1 && notApplicable[0].contains("put listener web:81"))
        #expect(document.loadBalancers[0].listeners[0].rules.map(\.priority) == [10, 20, 5])
        #expect(document.validate().isEmpty)
    }
}
