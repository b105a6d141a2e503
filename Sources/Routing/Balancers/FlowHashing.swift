import Core

/// Picks the targets of flows by their hashes: the algorithm of network load balancers.
///
/// All registered targets have their places in the table, whatever their health: a flow whose target is not healthy, or
/// suspect, looks further, by its hash again. So a target that fails moves its own flows and no other, evenly to the
/// rest, and has the same ones again when it is back. If none is healthy all are used.
/// A suspect is tried only by flows that would go elsewhere if it failed.
///
/// Source: Network Load Balancer user guide, "Target groups" (routing and health).
struct FlowHashing: Sendable {
    private let table: MaglevTable

    /// Picks by this table of the group's targets.
    init(_ table: MaglevTable) { self.table = table }

    /// The target for a flow.
    func pick(_ request: PickRequest, from targets: [BalancedTarget]) -> Int? {
        guard !targets.isEmpty, let first = table[request.hash] else { return nil }
        if request.mayTrySuspect, targets[first].cell.isHealthy, targets[first].cell.claimTrial(now: request.now) {
            return first
        }
        var next = FlowHash(request.hash)
        var index = first
        for _ in 0..<Limits.flowLooksMax {
            if targets[index].cell.isTrusted, !targets[index].isAmong(request.tried) { return index }
            next.add(request.hash)
            index = table[next.value] ?? first
        }
        if let trusted = inTurn(from: first, request, targets, where: \.isTrusted) { return trusted }
        if let healthy = inTurn(from: first, request, targets, where: \.isHealthy) { return healthy }
        if targets.contains(where: { $0.weight > 0 && $0.cell.isHealthy }) { return nil }
        return inTurn(from: first, request, targets) { _ in true }
    }

    private func inTurn(
        from first: Int, _ request: PickRequest, _ targets: [BalancedTarget], where isWanted: (TargetCell) -> Bool
    ) -> Int? {
        for offset in targets.indices {
            let index = (first + offset) % targets.count
            let target = targets[index]
            if target.weight > 0, isWanted(target.cell), !target.isAmong(request.tried) { return index }
        }
        return nil
    }
}
