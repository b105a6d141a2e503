/// Every way to pick targets but plain turns: an enum over the algorithms.
enum OtherBalancer: Sendable {
    /// Round robin, while weights differ or a target starts slowly.
    case weightedTurns(WeightedTurns)
    case leastOutstanding(LeastOutstanding)
    case weightedRandom(WeightedRandom)
    case leastLatency(LeastLatency)
    case consistentHash(ConsistentHashing)
    case flowHash(FlowHashing)

    /// Goes on as `last` did, if it was by the same algorithm. nil for round robin.
    init?(_ algorithm: BalancingAlgorithm, after last: OtherBalancer?, seed: UInt64) {
        switch (algorithm, last) {
        case (.roundRobin, _): return nil
        case (.leastOutstanding, .leastOutstanding(let least)?): self = .leastOutstanding(least)
        case (.weightedRandom, .weightedRandom(let random)?): self = .weightedRandom(random)
        case (.leastLatency, .leastLatency(let latency)?): self = .leastLatency(latency)
        case (.leastOutstanding, _): self = .leastOutstanding(LeastOutstanding(startingAt: Int(seed)))
        case (.weightedRandom, _): self = .weightedRandom(WeightedRandom(seed: seed))
        case (.leastLatency, _): self = .leastLatency(LeastLatency(seed: seed))
        case (.consistentHash(let table, let boundPercent), _):
            self = .consistentHash(ConsistentHashing(table, boundPercent: boundPercent))
        case (.flowHash(let table), _): self = .flowHash(FlowHashing(table))
        }
    }

    /// Whether it stands in the place of plain turns.
    var isWeightedTurns: Bool {
        if case .weightedTurns = self { true } else { false }
    }

    /// Whether the weights have become equal, so that turns may be plain.
    var isOver: Bool {
        if case .weightedTurns(let turns) = self { !turns.isNeeded } else { false }
    }

    /// The health of some of `targets` has changed, or their shares.
    mutating func rebuild(_ targets: [BalancedTarget]) {
        switch consume self {
        case .weightedTurns(let turns): self = .weightedTurns(turns)
        case .leastOutstanding(var least):
            least.rebuild(targets)
            self = .leastOutstanding(least)
        case .weightedRandom(var random):
            random.rebuild(targets)
            self = .weightedRandom(random)
        case .leastLatency(var latency):
            latency.rebuild(targets)
            self = .leastLatency(latency)
        case .consistentHash(var hashing):
            hashing.rebuild(targets)
            self = .consistentHash(hashing)
        // Looks at the health of targets when it picks.
        case .flowHash(let hashing): self = .flowHash(hashing)
        }
    }

    /// The same for weighted turns, beside plain ones that know it already.
    mutating func rebuild(_ targets: [BalancedTarget], as plain: RoundRobin) {
        guard case .weightedTurns(var turns) = consume self else {
            preconditionFailure("balancer: these are no turns")
        }
        turns.rebuild(targets, as: plain)
        self = .weightedTurns(turns)
    }

    /// The target for a request, or for a flow; nil if there is none that was not tried.
    mutating func pick(_ request: PickRequest, from targets: [BalancedTarget]) -> Int? {
        let index: Int?
        switch consume self {
        case .weightedTurns(var turns):
            index = turns.pick(request, from: targets)
            self = .weightedTurns(turns)
        case .leastOutstanding(var least):
            index = least.pick(request, from: targets)
            self = .leastOutstanding(least)
        case .weightedRandom(var random):
            index = random.pick(request, from: targets)
            self = .weightedRandom(random)
        case .leastLatency(var latency):
            index = latency.pick(request, from: targets)
            self = .leastLatency(latency)
        case .consistentHash(let hashing):
            index = hashing.pick(request, from: targets)
            self = .consistentHash(hashing)
        case .flowHash(let hashing):
            index = hashing.pick(request, from: targets)
            self = .flowHash(hashing)
        }
        return index
    }

    /// Those that may be picked, as of the last change; nil if no list of them is kept.
    var eligible: EligibleTargets? {
        switch self {
        case .weightedTurns(let turns): turns.eligible
        case .leastOutstanding(let least): least.eligible
        case .weightedRandom(let random): random.eligible
        case .leastLatency(let latency): latency.eligible
        case .consistentHash(let hashing): hashing.eligible
        case .flowHash: nil
        }
    }

    /// Whether some target is passed over because it is suspect, and may be tried now and then.
    var hasSuspects: Bool {
        // Each flow looks at its own target.
        eligible?.hasSuspects ?? true
    }

    /// Whether all of `targets` are used, since too few are healthy: as of the last change, where that is kept.
    func isFailOpen(_ targets: [BalancedTarget]) -> Bool {
        if case .flowHash(let hashing) = self { return hashing.isFailOpen(targets) }
        return eligible?.isFailOpen ?? false
    }
}
