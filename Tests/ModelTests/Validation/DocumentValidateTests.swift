import Testing

@testable import Model

/// What a document made by the program is told; the messages, with places, are in `DocumentLoadTests`.
@Suite struct DocumentValidateTests {
    @Test func aRightDocumentHasNoMistakes() {
        #expect(Sample.document().validate().isEmpty && Document().validate().isEmpty)
    }

    @Test func pathsSayWhere() {
        var document = Sample.document()
        document.targetGroups.removeAll { $0.name == "green" }
        document.targetGroups[0].targets.append(TargetDescription(id: "10.0.0.1", port: 80))
        let errors = document.validate()
        #expect(
            errors.map(\.path) == [
                "targetGroups[0].targets[2]",
                "loadBalancers[0].listeners[0].defaultActions[0].forwardConfig.targetGroups[1].targetGroupName",
                "loadBalancers[0].listeners[0].rules[0].actions[0].forwardConfig.targetGroups[0].targetGroupName",
            ])
        #expect(errors.map(\.code) == [.invalidTarget, .targetGroupNotFound, .targetGroupNotFound])
    }

    @Test func listenersAreCountedOverAllLoadBalancers() {
        func balancer(_ name: String, _ ports: ClosedRange<Int>) -> LoadBalancer {
            LoadBalancer(name: name, listeners: ports.map { Listener(port: $0, defaultActions: [Sample.answer(200)]) })
        }
        let most = Limits.listenersMax
        var document = Document(loadBalancers: [balancer("a", 1...(most - 1)), balancer("b", most...most)])
        #expect(document.validate().isEmpty)
        document.loadBalancers[1] = balancer("b", most...(most + 1))
        #expect(document.validate().map(\.code) == [.tooManyListeners])
    }

    /// Spelling is compared only for mistakes that are shown, or a large wrong file would take minutes.
    @Test func manyDanglingNamesAreCheap() {
        var document = Sample.document()
        document.targetGroups += (0..<2_000).map { Sample.group("group-number-\($0)", []) }
        document.loadBalancers[0].listeners[0].rules = (1...5_000).map {
            Sample.rule($0, Sample.forward(["gruop-nubmer-\($0)": 1]))
        }
        let errors = document.validate()
        #expect(errors.count == 5_000)
        let unsearched = "Add a target group of this name first."
        #expect(errors.firstIndex { $0.remedy == unsearched } == Limits.errorsShownMax)
        #expect(errors[Limits.errorsShownMax...].allSatisfy { $0.remedy == unsearched })
    }
}
