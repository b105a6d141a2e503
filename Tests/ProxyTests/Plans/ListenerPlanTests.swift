import Testing

@testable import Proxy

@Suite struct ListenerPlanTests {
    /// The default action comes after those of the rules and has no priority.
    @Test func namesThePriorityOfAnAction() {
        let plan = Plans.listener(rules: [(10, Plans.fixed(200)), (500, Plans.fixed(200))])
        #expect([0, 1, 2].map { plan.priority(ofAction: $0) } == [10, 500, nil])
    }
}
