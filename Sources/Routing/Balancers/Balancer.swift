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
    case flowHash(FlowHashing)

    /// Begins with these targets. `offset` is where those begin that take turns: each worker gets another one.
    public init(_ algorithm: BalancingAlgorithm, targets: [BalancedTarget], startingAt offset: Int) {
        switch algorithm {
        case .roundRobin: self = .roundRobin(RoundRobin(startingAt: offset))
        case .flowHash(let table): self = .flowHash(FlowHashing(table))
        }
        rebuild(targets)
    }

    /// Goes on with other targets, or by another algorithm. What an algorithm remembers of its turns is kept.
    public mutating func adopt(_ algorithm: BalancingAlgorithm, targets: [BalancedTarget]) {
        switch (algorithm, self) {
        case (.roundRobin, .roundRobin): rebuild(targets)
        case (.roundRobin, _), (.flowHash, _): self = Balancer(algorithm, targets: targets, startingAt: 0)
        }
    }

    /// The health of some of `targets` has changed, or whether one is suspect.
    public mutating func rebuild(_ targets: [BalancedTarget]) {
        switch consume self {
        case .roundRobin(var turns):
            turns.rebuild(targets)
            self = .roundRobin(turns)
        // Looks at the health of targets when it picks.
        case .flowHash(let hashing): self = .flowHash(hashing)
        }
    }

    /// The target for a request, or for a flow; nil if there is none that was not tried.
    public mutating func pick(_ request: PickRequest, from targets: [BalancedTarget]) -> Int? {
        switch consume self {
        case .roundRobin(var turns):
            let index = turns.pick(request, from: targets)
            self = .roundRobin(turns)
            return index
        case .flowHash(let hashing):
            let index = hashing.pick(request, from: targets)
            self = .flowHash(hashing)
            return index
        }
    }

    /// Whether some target is passed over because it is suspect, and may be tried now and then.
    public var hasSuspects: Bool {
        switch self {
        case .roundRobin(let turns): !turns.suspects.isEmpty
        // Each flow looks at its own target.
        case .flowHash: true
        }
    }

    /// Whether none of `targets` is healthy, so that all are used.
    public func isFailOpen(_ targets: [BalancedTarget]) -> Bool {
        switch self {
        case .roundRobin(let turns): turns.isFailOpen
        case .flowHash: !targets.isEmpty && targets.allSatisfy { !$0.cell.isHealthy }
        }
    }
}

/// Which algorithm picks a group's targets, with what control has made for it.
public enum BalancingAlgorithm: Sendable {
    /// One after the other.
    case roundRobin
    /// By the hash of a flow, which this table divides among the targets.
    case flowHash(MaglevTable)
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
