import Testing

@testable import Model

/// Changes that were made over one file and are laid over another, in which load balancers and groups are of other
/// kinds.
@Suite struct ChangesNetworkTests {
    static let names = ["blue", "green", "spare"]

    static func group(_ name: String, _ random: inout SeededGenerator) -> TargetGroup {
        let group = TrafficProtocol.allCases.randomElement(using: &random) ?? .http
        let isHTTP2 = group.kind == .application && Int.random(in: 0..<4, using: &random) == 0
        return TargetGroup(name: name, protocol: group, protocolVersion: isHTTP2 ? .http2 : .http1, port: 80)
    }

    static func action(_ random: inout SeededGenerator) -> Action {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return Sample.answer(200)
        case 1: return .redirect(Redirect(statusCode: .found, protocol: "HTTP", host: "a.example.com"))
        default:
            let groups = names.shuffled(using: &random).prefix(Int.random(in: 1...2, using: &random))
            let isSticky = Int.random(in: 0..<4, using: &random) == 0
            let weighted = groups.map { WeightedTargetGroup(targetGroupName: $0) }
            return .forward(
                ForwardAction(targetGroups: weighted, stickiness: TargetGroupStickiness(isEnabled: isSticky)))
        }
    }

    static func rule(_ random: inout SeededGenerator) -> Rule {
        let conditions: [Condition] = [
            .hostHeader(["a.example.com"]), .pathPattern(["/a"]), .serverName(["a.example.com"]),
            .sourceIP(["10.0.0.0/8"].compactMap(AddressBlock.init)),
        ]
        let condition = conditions.randomElement(using: &random) ?? conditions[0]
        return Rule(
            priority: Int.random(in: 1...2, using: &random), conditions: [condition], actions: [action(&random)])
    }

    static func listener(_ random: inout SeededGenerator) -> Listener {
        let spoken = TrafficProtocol.allCases.randomElement(using: &random) ?? .http
        let rules = Bool.random(using: &random) ? [rule(&random)] : []
        return Listener(
            protocol: spoken, port: Int.random(in: 80...81, using: &random), defaultActions: [action(&random)],
            rules: rules)
    }

    /// A change of any kind on few names, most of which fit nothing that is there.
    static func change(_ random: inout SeededGenerator) -> Change {
        let name = ["web", "edge"].randomElement(using: &random) ?? ""
        let kind = LoadBalancer.Kind.allCases.randomElement(using: &random) ?? .network
        let group = names.randomElement(using: &random) ?? ""
        let port = Int.random(in: 80...81, using: &random)
        switch Int.random(in: 0..<12, using: &random) {
        case 0, 1: return .putTargetGroup(Self.group(group, &random))
        case 2: return .deleteTargetGroup(name: group)
        case 3, 4: return .putLoadBalancer(LoadBalancer(name: name, type: kind, listeners: [listener(&random)]))
        case 5: return .deleteLoadBalancer(name: name)
        case 6, 7, 8: return .putListener(loadBalancer: name, listener(&random))
        case 9: return .deleteListener(loadBalancer: name, port: port)
        default: return .putRule(loadBalancer: name, port: port, rule(&random))
        }
    }

    /// The law: over whatever right file, what comes out is right, and only that is left out which does not fit.
    @Test(arguments: 0..<60) func changesOnTopOfAnotherFileAreValid(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var files: [Document] = []
        for _ in 0..<12 {
            var file = Document(targetGroups: Self.names.map { Self.group($0, &random) })
            for _ in 0..<60 { if let next = try? file.applying(Self.change(&random)) { file = next } }
            #expect(file.validate() == [], "seed \(seed)")
            files.append(file)
        }
        for base in files {
            var document = base
            var recorded = Changes()
            for _ in 0..<40 {
                let change = Self.change(&random)
                guard let next = try? document.applying(change) else { continue }
                document = next
                recorded.record(change, over: base)
            }
            for file in files {
                let (result, notApplicable) = recorded.apply(to: file)
                #expect(result.validate() == [], "seed \(seed): \(recorded.encoded().json())")
                #expect(file != base || (result == document && notApplicable == []), "seed \(seed)")
            }
        }
    }

    /// A rule for requests, put at run time, does not come into a listener that now passes bytes on.
    @Test func aRuleForRequestsIsLeftOut() throws {
        let rule = Sample.rule(30, Sample.forward(["green": 1]))
        let (_, recorded) = try ChangesTests.play(
            [.putRule(loadBalancer: "web", port: 80, rule)], over: Sample.document())
        var edited = Sample.document()
        for index in edited.targetGroups.indices { edited.targetGroups[index].protocol = .tcp }
        edited.loadBalancers[0].type = .network
        edited.loadBalancers[0].listeners = [
            Listener(protocol: .tcp, port: 80, defaultActions: [Sample.forward(["blue": 1])])
        ]
        let (document, notApplicable) = recorded.apply(to: edited)
        #expect(document == edited)
        #expect(
            notApplicable == [
                "The change \"put rule 30 of web:80\" no longer applies: conditions[0].field: a rule of a TCP listener "
                    + "must look at source-ip or apus.sni, but found path-pattern. Remove the condition, or the rule."
            ])
    }
}
