/// A rollout, as it is asked for: one target group takes over from another in a forward action, step by step, and is
/// compared with it meanwhile.
public struct Rollout: Hashable, Sendable {
    /// What a step needs to end, beside its time and its requests.
    public enum Advance: String, Hashable, Sendable, CaseIterable {
        /// Every guard has to be sure that the new group is not worse.
        case notWorse = "not-worse"
        /// No guard may be sure that it is worse.
        case time
    }

    /// What happens to it when the process is started again.
    public enum OnRestart: String, Hashable, Sendable, CaseIterable {
        /// It goes on with the step that it was at.
        case `continue`
        /// The old group gets everything.
        case abort
    }

    /// Differences at which the new group counts as worse, in percent; nil for what is not watched.
    public struct Guards: Hashable, Sendable {
        /// By how many percentage points more requests fail.
        public var errorSharePercent: Double? = 0.5
        /// By how many percent half of the answers take longer.
        public var p50Percent: Double?
        /// The same of nine in ten.
        public var p90Percent: Double?
        /// The same of 95 in a hundred.
        public var p95Percent: Double?
        /// The same of 99 in a hundred.
        public var p99Percent: Double? = 20

        /// The defaults.
        public init() {}
    }

    /// The load balancer whose listener has the action.
    public var loadBalancerName: String
    /// The listener's port.
    public var port: Int
    /// The rule whose action it is; nil for the listener's default action.
    public var priority: Int?
    /// The group that is in use.
    public var from: String
    /// The group that takes over.
    public var to: String
    /// What the new group gets in each step, in percent; ascending, the last 100.
    public var steps = [1, 5, 10, 25, 50, 100]
    /// What a step takes at least.
    public var stepTimeSeconds = 120.0
    /// What is watched.
    public var guards = Guards()
    /// The probability that a new group which is as good as the old one is called worse, over the whole rollout.
    public var falseAlarmPercent = 1.0
    /// Requests that the new group must have had in a step before the step ends.
    public var minimumRequests = 100
    /// What a step needs to end.
    public var advance = Advance.notWorse
    /// What happens to it when the process is started again.
    public var onRestart = OnRestart.continue

    /// A rollout with every default.
    public init(loadBalancerName: String, port: Int, priority: Int? = nil, from: String, to: String) {
        self.loadBalancerName = loadBalancerName
        self.port = port
        self.priority = priority
        self.from = from
        self.to = to
    }

    /// The action as the command line names it: `web:8080` or `web:8080/10`.
    public var action: String { "\(loadBalancerName):\(port)" + (priority.map { "/\($0)" } ?? "") }
}
