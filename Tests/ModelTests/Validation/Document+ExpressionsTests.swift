import Testing

@testable import Model

@Suite struct DocumentExpressionsTests {
    private func document(_ conditions: Condition...) -> Document {
        var document = Sample.document()
        document.loadBalancers[0].listeners[0].rules = conditions.enumerated().map { index, condition in
            Rule(priority: index + 1, conditions: [condition], actions: [Sample.answer(200)])
        }
        return document
    }

    @Test func namesTheRuleOfWhatIsSlow() throws {
        let document = document(
            .pathPatternRegex(["^/v[0-9]+/"]), .httpHeaderRegex(name: "A", ["^a", "^(a+)+$"]), .hostHeader(["a"]))
        let warnings = document.warningsOfExpressions()
        #expect(warnings.count == 1)
        let warning = try #require(warnings.first)
        #expect(warning.loadBalancer == document.loadBalancers[0].name)
        #expect(warning.port == document.loadBalancers[0].listeners[0].port)
        #expect(
            warning.message.hasPrefix("Rule 2 of ") && warning.message.contains("\"^(a+)+$\"")
                && warning.message.hasSuffix("such requests are refused with 500 RegexLimit."))
    }

    @Test func eachIsTriedOnce() {
        let slow = (1...200).map { _ in Condition.hostHeaderRegex(["(a|aa)+$"]) }
        var document = document()
        document.loadBalancers[0].listeners[0].rules = slow.enumerated().map { index, condition in
            Rule(priority: index + 1, conditions: [condition], actions: [Sample.answer(200)])
        }
        #expect(document.warningsOfExpressions().count == 200)
    }

    @Test func goodOnesAreNotWarnedOf() {
        #expect(
            document(.hostHeaderRegex(["^api-[0-9]+\\.example$"]), .pathPattern(["/a"])).warningsOfExpressions() == [])
    }
}
