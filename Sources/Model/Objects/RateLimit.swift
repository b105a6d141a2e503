/// How many requests a client may bring by a rule, or whoever else a key names.
public struct RateLimit: Hashable, Sendable {
    /// What of a request is counted.
    public var key = BalancingAttributes.HashKey.sourceIP
    /// Requests a second for each value of the key.
    public var requestsPerSecond: Double
    /// Requests that may come at once; nil for those of a second.
    public var burst: Int?

    /// A limit for each client address.
    public init(requestsPerSecond: Double) { self.requestsPerSecond = requestsPerSecond }

    /// Requests that may come at once: at least one.
    public var burstOrDefault: Int { burst ?? max(1, Int(requestsPerSecond.rounded(.up))) }
}
