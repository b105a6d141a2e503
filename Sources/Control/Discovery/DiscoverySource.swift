import Core
import Model
import Routing

/// Where the targets of one group are found: a source of discovery, which is followed until it is stopped.
///
/// A source never waits and never gives up: what it cannot read it reads again later, and until then what it heard last
/// stays. A kind of source has a file in this folder.
protocol DiscoverySource: AnyObject {
    /// What kind of source it is, as in `file`.
    var kind: String { get }
    /// Where it is, for people: a path, an address.
    var place: String { get }
    /// What it has heard, and how it is.
    var record: SourceRecord { get }
    /// Begins to follow the source; `observer` is told whenever it has heard something, or has failed to.
    func start(_ observer: any DiscoveryObserver, now: Instant)
    /// Ends that: nothing is told any more.
    func stop()
    /// Where targets were that have ended since this was asked last: nothing that waits for them is ever answered.
    func takeEnded() -> Set<EndedTarget>
    /// The containers that were told to end and have not, with when they were started: no list tells of that.
    var ending: [String: String] { get }
}

extension DiscoverySource {
    var ending: [String: String] { [:] }
    func takeEnded() -> Set<EndedTarget> { [] }
}

/// Where a target was that has ended.
struct EndedTarget: Hashable {
    /// Its group; nil for the one whose source tells it.
    let group: String?
    /// Its address and port there.
    let key: TargetKey
}

/// Told what sources hear.
protocol DiscoveryObserver: AnyObject {
    /// The record of `source` has changed.
    func changed(_ source: any DiscoverySource)
}

/// What a source has named, all at once.
struct FoundTargets: Equatable {
    /// The targets, in the order of the source.
    var targets: [Discovered.Target] = []
    /// What is said of the containers that targets run in; of those that are not here nothing is.
    var containers: [TargetKey: ContainerHealth] = [:]
    /// Which targets come before which: those of a higher number are used when none of a lower one is healthy. Empty
    /// if all are alike.
    var priorities: [TargetKey: Int] = [:]
    /// What containers ask for by their labels, and what is said of each.
    var claims: [FoundClaim] = []
    /// What cannot be a target, with the reason.
    var refusals: [Refusal] = []
    /// What is used and should be known; one of each kind.
    var remarks: [Remark] = []
    /// Whether the source has more that could not be read: what is not named may be there all the same.
    var isPartial = false

    /// Something at a source that cannot be a target.
    struct Refusal: Hashable {
        /// Its name there.
        var name: String
        /// What is wrong, and what to do about it.
        var mistake: ConfigError
    }

    /// An address that means something else on each host or network.
    struct Remark: Hashable {
        /// What addresses there are.
        var kind: LocalAddressKind
        /// The name of a target that has one.
        var name: String
        /// That address.
        var address: String

        /// In a sentence.
        var text: String {
            "\(name) has \(kind.rawValue) addresses, such as \(address). They are used: whoever answers for the name "
                + "chooses them."
        }
    }

    /// The targets, where those that come later by `priorities` have a weight of 0 while one before them is usable:
    /// they are registered and checked, so that they can take over at once.
    func targetsByPriority(isUsable: (TargetKey) -> Bool) -> [Discovered.Target] {
        guard !priorities.isEmpty else { return targets }
        let first = priorities.filter { isUsable($0.key) }.values.min() ?? priorities.values.min()
        return targets.map { one in
            guard let port = one.target.port, let priority = priorities[TargetKey(id: one.target.id, port: port)],
                priority != first
            else { return one }
            var other = one
            other.target.weight = 0
            return other
        }
    }

    /// What a container asks for.
    struct FoundClaim: Equatable {
        /// What it asks for, and the target that it is.
        var claim: Claim
        /// What is said of it.
        var health: ContainerHealth
    }

    /// Whether it names things and none of them can be a target: then something is wrong with all of it.
    var isAllRefused: Bool { targets.isEmpty && claims.isEmpty && !refusals.isEmpty }
}

/// How a source is, and what it has heard.
struct SourceRecord {
    /// How a source is.
    enum State: Equatable {
        /// It has not answered yet; leaves with the first answer, or the first failure.
        case starting
        /// What was heard is what there is; leaves when it fails.
        case following
        /// It does not answer, or not as it should; what was heard before stays. Leaves with the next good answer.
        case away(since: Instant, reason: String)
    }

    private(set) var state = State.starting
    /// What was heard last; nil before the first time.
    private(set) var found: FoundTargets?
    /// When that was, in nanoseconds since 1970.
    private(set) var heardAt: UInt64?
    /// How often it has failed.
    private(set) var failuresCount: UInt64 = 0

    /// The source has answered.
    mutating func heard(_ found: FoundTargets) {
        state = .following
        self.found = found
        heardAt = WallClock.now()
    }

    /// Some of what was heard is different, though the source does not answer in full yet.
    mutating func update(_ found: FoundTargets) { self.found = found }

    /// The source has failed, for a reason in whole words.
    mutating func failed(_ reason: String, now: Instant) {
        failuresCount += 1
        if case .away(let since, _) = state {
            state = .away(since: since, reason: reason)
        } else {
            state = .away(since: now, reason: reason)
        }
    }

    /// Why the source is away; nil if it is not.
    var reason: String? { if case .away(_, let reason) = state { reason } else { nil } }
}

/// When a source that has failed is tried again: after twice the time each time, and a random part of it, so that many
/// do not come at once.
struct Backoff {
    private var failuresCount = 0

    /// The source has answered: the next failure is the first.
    mutating func reset() { failuresCount = 0 }

    /// What answered at first has ended after `duration`. Only if that was long enough the next failure is the first:
    /// one that ends each time after a moment is asked as seldom as one that does not answer.
    mutating func ended(after duration: Nanoseconds) {
        if duration >= Limits.discoveryRetryMax { reset() }
    }

    /// The time to the next attempt.
    mutating func next() -> Nanoseconds {
        let longest = Limits.discoveryRetryMax
        let delay = min(longest, Limits.discoveryRetryMin << UInt64(min(failuresCount, 16)))
        failuresCount += 1
        return .random(in: delay / 2...delay)
    }
}
