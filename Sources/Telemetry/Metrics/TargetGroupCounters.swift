/// What one worker counts about one target group. It hangs on the group's name and outlives snapshots.
///
/// Shape:  words inside one object of some 1.7 KB. The worker writes, any thread reads.
/// Source: docs/elbv2.md, "Metrics".
public final class TargetGroupCounters: Sendable {
    /// Requests for which a target of this group was chosen.
    public let requests = Counter()
    /// Requests of this group going on now.
    public let requestsActive = Gauge()
    /// Responses that targets of this group gave.
    public let responses = CounterSet<StatusClass>()
    /// From the last byte of the request sent to the first byte of the response read.
    public let responseTime = LatencyHistogram()
    /// Connections to targets of this group that could not be opened.
    public let connectionErrors = Counter()
    /// Connections passed on to targets of this group.
    public let flows = Counter()
    /// Those that are open now.
    public let flowsActive = Gauge()
    /// Requests sent, and connections passed on, while no target of the group was healthy.
    public let failOpenRequests = Counter()

    /// All at zero.
    public init() {}
}
