/// The attributes of a target group that limit what a target has to do at once.
///
/// Source: ours, after HAProxy's `maxconn`, `maxqueue` and `timeout queue`.
public struct TargetLimitAttributes: Hashable, Sendable {
    /// `apus.target.max_requests`: requests in flight on one target, over all workers; 0 for any number.
    public var requestsMax = 0
    /// `apus.target.queue_max`: requests that may wait for a target of the group, over all workers.
    public var queueMax = 1024
    /// `apus.target.queue_timeout_seconds`: how long one may wait.
    public var queueTimeoutSeconds: Double = 10

    /// Every default.
    public init() {}
}

extension TargetGroupAttributes {
    /// The keys that limit what a target has to do at once.
    static let limitKeys: [Key<TargetGroupAttributes>] = [
        Key(
            "apus.target.max_requests", \.limits.requestsMax, .integer(0...1_000_000, unit: "requests"),
            "Requests that a target has at once, over all workers; more wait until it has answered one. 0 for any "
                + "number."
        ).of(.application),
        Key(
            "apus.target.queue_max", \.limits.queueMax, .integer(0...100_000, unit: "requests"),
            "Requests that may wait for a target of the group; one more is answered with 503. 0 for none."
        ).of(.application),
        Key(
            "apus.target.queue_timeout_seconds", \.limits.queueTimeoutSeconds, .number(0.01...3600, unit: "seconds"),
            "How long a request may wait for a target; then it is answered with 503."
        ).of(.application),
    ]
}

extension TargetLimitAttributes {
    /// Reports what is said about a queue that cannot be: without a limit nothing waits.
    func check(_ findings: inout Findings) {
        guard requestsMax == 0 else { return }
        let blank = TargetLimitAttributes()
        findings.misplaced(
            [
                ("apus.target.queue_max", queueMax != blank.queueMax),
                ("apus.target.queue_timeout_seconds", queueTimeoutSeconds != blank.queueTimeoutSeconds),
            ], belongTo: "groups with apus.target.max_requests", found: "it without a limit",
            remedy: "Write apus.target.max_requests, or remove it.")
    }
}
