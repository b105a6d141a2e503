import Testing

@testable import Proxy

@Suite struct ActionPlanTests {
    @Test func plansThatDoNotFitTrap() async {
        await #expect(processExitsWith: .failure) { _ = ForwardPlan(groups: [], weights: []) }
        await #expect(processExitsWith: .failure) { _ = ForwardPlan(groups: [1, 2], weights: [1]) }
    }
}
