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

    @Test func aTransformHasItsOwnReason() throws {
        var document = document()
        var rule = Rule(priority: 1, conditions: [.pathPattern(["/*"])], actions: [Sample.answer(200)])
        rule.transforms = [.urlRewrite(RewriteConfig(regex: "^(a+)+$", replace: "/"))]
        document.loadBalancers[0].listeners[0].rules = [rule]
        let warning = try #require(document.warningsOfExpressions().first)
        #expect(warning.message.hasSuffix("500 TransformReplaceError."))
        #expect(!warning.remedy.contains("^"), "it begins with one")
    }

    @Test func whatIsNotTriedIsSaid() throws {
        let count = Limits.expressionsTriedMax
        let many = document(.pathPatternRegex((0...count).map { "^/a\($0)" }), .pathPatternRegex(["^(a+)+$"]))
        let warning = try #require(many.warningsOfExpressions().first)
        #expect(many.warningsOfExpressions().count == 1)
        #expect(warning.message == "2 regular expressions beyond the first \(count): not tried with hostile texts.")
    }

    @Test func goodOnesAreNotWarnedOf() {
        #expect(
            document(.hostHeaderRegex(["^api-[0-9]+\\.example$"]), .pathPattern(["/a"])).warningsOfExpressions() == [])
    }
}
