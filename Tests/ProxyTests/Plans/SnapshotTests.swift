import Routing
import Testing

@testable import Proxy

@Suite struct SnapshotTests {
    /// The default action comes after those of the rules and has no priority.
    @Test func namesThePriorityOfAnAction() {
        let plan = Plans.listener(rules: [(10, Plans.fixed(200)), (500, Plans.fixed(200))])
        #expect([0, 1, 2].map { plan.priority(ofAction: $0) } == [10, 500, nil])
    }

    @Test func plansThatDoNotFitTrap() async {
        await #expect(processExitsWith: .failure) { _ = ForwardPlan(groups: [], weights: []) }
        await #expect(processExitsWith: .failure) { _ = ForwardPlan(groups: [1, 2], weights: [1]) }
        await #expect(processExitsWith: .failure) {
            _ = ListenerPlan(
                id: 0, loadBalancer: "app/web", port: 80, settings: Plans.settings, rules: RuleTable([]),
                actions: [Plans.fixed(200)], priorities: [], defaultAction: Plans.fixed(404))
        }
    }
}
