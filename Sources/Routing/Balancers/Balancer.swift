import Core

/// Picks the targets of one group on one worker: an enum over the algorithms that there are, each of which has a file
/// here.
///
/// Targets are named by their index in the group's list, which every call is given. What is in flight on each is
/// counted in `BalancedTarget`.
///
/// Shape:  a worker owns its instance. Picking allocates nothing, but for the first pick after a change of health.
/// Source: docs/elbv2.md, "Target group attributes".
public enum Balancer: Sendable {
    case roundRobin(RoundRobin)
    case leastOutstanding(LeastOutstanding)
    case weightedRandom(WeightedRandom)
    case leastLatency(LeastLatency)
    case consistentHash(ConsistentHashing)
    case flowHash(FlowHashing)

    /// Begins with these targets. `seed` differs between workers, so that they do not march in step.
    public init(_ algorithm: BalancingAlgorithm, targets: [BalancedTarget], seed: Int) {
        switch algorithm {
        case .roundRobin(let slowStart): self = .roundRobin(RoundRobin(startingAt: seed, slowStart: slowStart))
        case .leastOutstanding: self = .leastOutstanding(LeastOutstanding(startingAt: seed))
        case .weightedRandom: self = .weightedRandom(WeightedRandom(seed: UInt64(seed)))
        case .leastLatency: self = .leastLatency(LeastLatency(seed: UInt64(seed)))
        case .consistentHash(let table, let boundPercent):
            self = .consistentHash(ConsistentHashing(table, boundPercent: boundPercent))
        case .flowHash(let table): self = .flowHash(FlowHashing(table))
        }
        rebuild(targets)
    }

    /// Goes on with other targets, or by another algorithm. What an algorithm remembers of its turns is kept.
    public mutating func adopt(_ algorithm: BalancingAlgorithm, targets: [BalancedTarget], seed: Int = 0) {
        switch (algorithm, consume self) {
        case (.roundRobin(let slowStart), .roundRobin(var turns)):
            turns.rebuild(targets, slowStart: slowStart)
            self = .roundRobin(turns)
        case (.leastOutstanding, .leastOutstanding(let least)):
            self = .leastOutstanding(least)
            rebuild(targets)
        case (.weightedRandom, .weightedRandom(let random)):
            self = .weightedRandom(random)
            rebuild(targets)
        case (.leastLatency, .leastLatency(let latency)):
            self = .leastLatency(latency)
            rebuild(targets)
        case (.roundRobin, _), (.leastOutstanding, _), (.weightedRandom, _), (.leastLatency, _), (.consistentHash, _),
            (.flowHash, _):
            self = Balancer(algorithm, targets: targets, seed: seed)
        }
    }

    /// The health of some of `targets` has changed, or their shares, or whether one is suspect.
    public mutating func rebuild(_ targets: [BalancedTarget]) {
        switch consume self {
        case .roundRobin(var turns):
            turns.rebuild(targets)
            self = .roundRobin(turns)
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

    /// The target for a request, or for a flow; nil if there is none that was not tried.
    public mutating func pick(_ request: PickRequest, from targets: [BalancedTarget]) -> Int? {
        let index: Int?
        switch consume self {
        case .roundRobin(var turns):
            index = turns.pick(request, from: targets)
            self = .roundRobin(turns)
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

    /// Whether some target is passed over because it is suspect, and may be tried now and then.
    public var hasSuspects: Bool {
        switch self {
        case .roundRobin(let turns): !turns.suspects.isEmpty
        case .leastOutstanding(let least): !least.eligible.suspects.isEmpty
        case .weightedRandom(let random): !random.eligible.suspects.isEmpty
        case .leastLatency(let latency): !latency.eligible.suspects.isEmpty
        case .consistentHash(let hashing): !hashing.eligible.suspects.isEmpty
        // Each flow looks at its own target.
        case .flowHash: true
        }
    }

    /// Whether none of `targets` is healthy, so that all are used.
    public func isFailOpen(_ targets: [BalancedTarget]) -> Bool {
        switch self {
        case .roundRobin(let turns): turns.isFailOpen
        case .leastOutstanding(let least): least.eligible.isFailOpen
        case .weightedRandom(let random): random.eligible.isFailOpen
        case .leastLatency(let latency): latency.eligible.isFailOpen
        case .consistentHash(let hashing): hashing.eligible.isFailOpen
        case .flowHash: !targets.isEmpty && targets.allSatisfy { !$0.cell.isHealthy }
        }
    }
}

/// What a balancer is asked.
public struct PickRequest {
    /// Tells a flow from others; 0 for a request.
    let hash: UInt64
    /// Targets that were tried before, which are not picked again.
    let tried: [BalancedTarget]
    /// Whether a suspect may be picked first, to find out whether it is back.
    let mayTrySuspect: Bool
    /// The time.
    let now: Instant

    /// A question about one attempt.
    public init(hash: UInt64, tried: [BalancedTarget], mayTrySuspect: Bool, now: Instant) {
        self.hash = hash
        self.tried = tried
        self.mayTrySuspect = mayTrySuspect
        self.now = now
    }
}
