import Core
import Model
import Routing

/// The rate limit of a rule: whom a request counts for, and who counts.
public final class RateLimitPlan: Sendable {
    /// What of a request is counted.
    let key: RequestHashKey
    /// The buckets that all workers share.
    public let limiter: RateLimiter

    /// A limit of `limiter` for each value of `key`.
    public init(_ key: BalancingAttributes.HashKey, _ limiter: RateLimiter) {
        self.key = RequestHashKey(key)
        self.limiter = limiter
    }
}
