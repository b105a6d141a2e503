import Core

/// Picks the targets of flows by their hashes: the algorithm of network load balancers.
///
/// All registered targets have their places in the table, whatever their health: a flow whose target is not healthy, or
/// suspect, looks further, by its hash again. So a target that fails moves its own flows and no other, evenly to the
/// rest, and has the same ones again when it is back. If too few are healthy all are used.
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
        let last: TargetUse = targets[first].isInGroupThatFailsOpen ? .lastResort : .ready
        if request.mayTrySuspect, targets[first].use <= last, targets[first].cell.claimTrial(now: request.now) {
            return first
        }
        var next = FlowHash(request.hash)
        var index = first
        for _ in 0..<Limits.flowLooksMax {
            if targets[index].use <= last, !targets[index].cell.isSuspect, !targets[index].isAmong(request.tried) {
                return index
            }
            next.add(request.hash)
            index = table[next.value] ?? first
        }
        return inTurn(from: first, request, targets) { $0.use <= last && !$0.cell.isSuspect }
            ?? inTurn(from: first, request, targets) { $0.use <= .otherZone && !$0.cell.isSuspect }
            ?? inTurn(from: first, request, targets) { $0.use <= max(last, .otherZone) }
            ?? (targets.contains { $0.use <= .otherZone } ? nil : inTurn(from: first, request, targets) { _ in true })
    }

    /// Whether all of `targets` are used, since too few are healthy.
    func isFailOpen(_ targets: [BalancedTarget]) -> Bool {
        guard let first = targets.first, targets.contains(where: { $0.use != .never }) else { return false }
        return first.isInGroupThatFailsOpen || !targets.contains { $0.use <= .otherZone }
    }

    private func inTurn(
        from first: Int, _ request: PickRequest, _ targets: [BalancedTarget], where isWanted: (BalancedTarget) -> Bool
    ) -> Int? {
        for offset in targets.indices {
            let index = (first + offset) % targets.count
            let target = targets[index]
            if target.weight > 0, isWanted(target), !target.isAmong(request.tried) { return index }
        }
        return nil
    }
}
