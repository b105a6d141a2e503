import Testing

@testable import Model

@Suite struct DocumentRateLimitsTests {
    /// Rules of these priorities, each with a rate limit.
    private static func limited(_ priorities: ClosedRange<Int>) -> [Rule] {
        priorities.map { priority in
            var rule = Sample.rule(priority, Sample.answer(200))
            rule.rateLimit = RateLimit(requestsPerSecond: 1)
            return rule
        }
    }

    private static func listener(_ port: Int, _ rules: [Rule]) -> Listener {
        Listener(port: port, defaultActions: [Sample.answer(200)], rules: rules)
    }

    /// Two load balancers with as many rate limits as there may be, and a rule without one.
    private static let full: Document = {
        let one = limited(1...(Limits.rateLimitsMax - 2)) + [Sample.rule(9_999, Sample.answer(200))]
        return Document(loadBalancers: [
            LoadBalancer(name: "a", listeners: [listener(80, one)]),
            LoadBalancer(name: "b", listeners: [listener(81, limited(1...1)), listener(82, limited(1...1))]),
        ])
    }()

    private static let message =
        "at most 1000 rules in all may have apus.rateLimit, but found 1001. "
        + "Remove some, or let one rule with several path patterns limit what several rules limit now."

    @Test func theyAreCountedOverAllLoadBalancers() {
        #expect(Self.full.validate().isEmpty)
        var document = Self.full
        document.loadBalancers[1].listeners[0].rules = Self.limited(1...2)
        let errors = document.validate()
        #expect(errors.map(\.code) == [.tooManyRules])
        #expect(errors.first?.description == "loadBalancers: " + Self.message)
    }

    @Test(arguments: [
        Change.putRule(loadBalancer: "b", port: 82, limited(2...2)[0]),
        .putRule(loadBalancer: "a", port: 80, limited(9_999...9_999)[0]),
        .putListener(loadBalancer: "b", listener(81, limited(1...2))),
        .putListener(loadBalancer: "b", listener(83, limited(1...1))),
        .putLoadBalancer(LoadBalancer(name: "c", listeners: [listener(84, limited(1...1))])),
        .putLoadBalancer(LoadBalancer(name: "b", listeners: [listener(81, limited(1...3))])),
    ]) func aChangeThatBringsOneTooManyIsRefused(_ change: Change) {
        let error = #expect(throws: ConfigErrors.self) { try Self.full.applying(change) }
        #expect(error?.first.code == .tooManyRules)
        #expect(error?.description == Self.message)
    }

    @Test(arguments: [
        Change.putRule(loadBalancer: "b", port: 82, limited(1...1)[0]),
        .putRule(loadBalancer: "b", port: 82, Sample.rule(2, Sample.answer(200))),
        .putListener(loadBalancer: "b", listener(81, limited(7...7))),
        .putLoadBalancer(LoadBalancer(name: "b", listeners: [listener(81, limited(1...2))])),
    ]) func aChangeThatBringsNoMoreIsMade(_ change: Change) throws {
        #expect(try Self.full.applying(change).validate().isEmpty)
    }
}
