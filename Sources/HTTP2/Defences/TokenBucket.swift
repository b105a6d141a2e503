import Core

/// Allows so many things at once and so many per second in the long run.
struct TokenBucket: Sendable {
    private let capacity: Int
    private let nanosecondsPerToken: Nanoseconds
    private var tokens: Int
    /// Up to when the time that passed was turned into tokens.
    private var filledAt: Instant

    /// A full bucket. `perSecond` is at least one.
    init(capacity: Int, perSecond: Int, now: Instant) {
        precondition(capacity > 0 && perSecond > 0, "token bucket: nothing would ever pass")
        self.capacity = capacity
        nanosecondsPerToken = 1_000_000_000 / Nanoseconds(perSecond)
        tokens = capacity
        filledAt = now
    }

    /// Takes one token, or says that there is none.
    mutating func take(_ now: Instant) -> Bool {
        if now.since(filledAt) >= nanosecondsPerToken { fill(now) }
        guard tokens > 0 else { return false }
        tokens -= 1
        return true
    }

    /// Puts `count` tokens in, as many as fit.
    mutating func give(_ count: Int) { tokens = min(capacity, tokens + count) }

    /// Turns the time that passed into tokens; what does not make a whole one is left for the next time.
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
