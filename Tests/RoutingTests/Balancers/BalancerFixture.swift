import Core

@testable import Routing

/// Healthy targets of these weights, as an algorithm sees them.
func healthyTargets(_ weights: [Int], _ algorithm: BalancingAlgorithm, in group: GroupCell) -> [BalancedTarget] {
    weights.map { weight in
        let target = BalancedTarget(TargetCell())
        target.cell.isHealthy = true
        target.adopt(weight: weight, algorithm, in: group)
        return target
    }
}
