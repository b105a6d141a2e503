/// What one worker counts about one target group. Kept by the group's name, so it outlives snapshots.
///
/// Shape:  one object of some 4 KB. The worker writes, any thread reads.
/// Source: docs/elbv2.md, "Metrics".
public final class TargetGroupCounters: Sendable {
    /// Requests for which a target of this group was chosen.
    public let requests = Counter()
    /// Requests of this group in progress now.
    public let requestsActive = Gauge()
    /// Those of them that have ended, whoever ended them.
    public let requestsEnded = Counter()
    /// Those of them that failed: a status of 500 or more, whoever made it, a response that its target cut short, or a
    /// gRPC status that says that the server failed.
    public let requestsFailed = Counter()
    /// Those whose clients went away before the response began.
    public let requestsAbandoned = Counter()
    /// Responses of this group's targets.
    public let responses = CounterSet<StatusClass>()
    /// The time from the last byte of the request to the first byte of the response.
    public let responseTime = LatencyHistogram()
    /// Connections to targets of this group that could not be opened.
    public let connectionErrors = Counter()
    /// Flows relayed to targets of this group.
    public let flows = Counter()
    /// Flows of this group open now.
    public let flowsActive = Gauge()
    /// Requests and flows sent while too few targets of the group were healthy (fail open).
    public let failOpenRequests = Counter()

    /// What became of the cookies by which requests should stay with a target of this group.
    public let stickiness = CounterSet<StickinessResult>()
    /// Requests that wait until a target of this group takes them.
    public let queueLength = Gauge()
    /// How long those waited that a target took.
    public let queueTime = LatencyHistogram()
    /// Requests that waited too long.
    public let queueTimeouts = Counter()
    /// Requests that found as many waiting as may be.
    public let queueRejections = Counter()

    /// All at zero.
    public init() {}
}
