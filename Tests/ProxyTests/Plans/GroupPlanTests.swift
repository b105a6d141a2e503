import Core
import Routing
import Testing

@testable import Proxy

@Suite struct GroupPlanTests {
    /// Flows find their target by this key on every worker: it depends on where the target is, and on nothing else.
    @Test func theKeyOfATargetIsItsAddressAndPort() {
        func target(_ id: Int, _ host: String, _ port: UInt16, weight: Int = 1) -> TargetPlan {
            TargetPlan(id: id, address: Plans.address(host, port), weight: weight, cell: TargetCell())
        }
        let one = target(0, "10.0.0.1", 80)
        #expect(one.flowKey == target(5, "10.0.0.1", 80, weight: 7).flowKey)
        let others = [target(0, "10.0.0.1", 81), target(0, "10.0.0.2", 80), target(0, "::1", 80)]
        #expect(Set(([one] + others).map(\.flowKey)).count == 4)
    }

    /// A group's plan is made anew where this says that a target is another one.
    @Test func aTargetIsTheSameWhereNothingOfItChanged() {
        let cell = TargetCell()
        func target(id: Int = 0, port: UInt16 = 80, weight: Int = 1, cell: TargetCell) -> TargetPlan {
            TargetPlan(id: id, address: Plans.address("10.0.0.1", port), weight: weight, cell: cell)
        }
        let one = target(cell: cell)
        #expect(one == target(cell: cell))
        #expect(one != target(id: 1, cell: cell) && one != target(port: 81, cell: cell))
        #expect(one != target(weight: 2, cell: cell) && one != target(cell: TargetCell()))
    }
}
