import Testing

@testable import Model

@Suite struct DocumentWarningsTests {
    @Test func nothingIsWarnedOfWithoutReason() {
        #expect(Sample.document().warnings().isEmpty)
    }

    @Test func weightsThatAddUpToZeroAreToldOfEachAction() throws {
        var document = Sample.document()
        document.loadBalancers[0].listeners[0].defaultActions = [Sample.forward(["blue": 0, "green": 0])]
        document.loadBalancers[0].listeners[0].rules.append(Sample.rule(30, Sample.forward(["spare": 0])))
        document.loadBalancers.append(
            LoadBalancer(
                name: "flows", type: .network,
                listeners: [Listener(protocol: .tcp, port: 81, defaultActions: [Sample.forward(["tcp": 0])])]))
        let warnings = document.warnings()
        #expect(
            warnings.map(\.message) == [
                "The weights of the default action of web:80 add up to 0: its requests are answered with 503.",
                "The weights of rule 30 of web:80 add up to 0: its requests are answered with 503.",
                "The weights of the default action of flows:81 add up to 0: it passes nothing on.",
            ])
        #expect(warnings.allSatisfy { $0.remedy == "Give one of its target groups a weight above 0." })
        #expect(document.warnings(loadBalancer: "flows").count == 1)
        #expect(document.warnings(loadBalancer: "web", port: 81).isEmpty)
    }

    @Test func aPortWithRulesBySNIWaitsForItsClients() {
        let rule = Rule(
            priority: 1, conditions: [.serverName(["db.example.com"])], actions: [Sample.forward(["blue": 1])])
        let other = Rule(priority: 1, conditions: [.sourceIP([])], actions: [Sample.forward(["blue": 1])])
        func listener(_ port: Int, _ rules: [Rule]) -> Listener {
            Listener(protocol: .tcp, port: port, defaultActions: [Sample.forward(["blue": 1])], rules: rules)
        }
        let document = Document(loadBalancers: [
            LoadBalancer(name: "db", type: .network, listeners: [listener(25, [rule]), listener(26, [other])])
        ])
        let warnings = document.warnings()
        #expect(warnings.count == 1)
        #expect(warnings.first?.message.hasPrefix("db:25 has rules by apus.sni") == true)
        #expect(warnings.first?.description.contains("default action") == true)
    }
}
