import Core

/// A token bucket: limits events to a burst of `capacity` and a sustained rate per second.
struct TokenBucket: Sendable {
    private let capacity: Int
    private let nanosecondsPerToken: Nanoseconds
    private var tokens: Int
    /// The time up to which tokens were added.
    private var filledAt: Instant

    /// A full bucket. `perSecond` is at least one.
    init(capacity: Int, perSecond: Int, now: Instant) {
        precondition(capacity > 0 && perSecond > 0, "token bucket: it would allow no event")
        self.capacity = capacity
        nanosecondsPerToken = 1_000_000_000 / Nanoseconds(perSecond)
        tokens = capacity
        filledAt = now
    }

    /// Takes one token. Returns false if there is none.
    mutating func take(_ now: Instant) -> Bool {
        if now.since(filledAt) >= nanosecondsPerToken { fill(now) }
        guard tokens > 0 else { return false }
        tokens -= 1
        return true
    }

    /// Adds `count` tokens, up to the capacity.
    mutating func refund(_ count: Int) { tokens = min(capacity, tokens + count) }

    /// Adds tokens for the time that passed. The remainder that does not make a whole token is kept for the next call.
    private mutating func fill(_ now: Instant) {
        let earned = now.since(filledAt) / nanosecondsPerToken
        if earned >= Nanoseconds(capacity - tokens) {
            tokens = capacity
            filledAt = now
        } else {
            tokens += Int(earned)
            filledAt = filledAt + earned * nanosecondsPerToken
        }
    }
}
