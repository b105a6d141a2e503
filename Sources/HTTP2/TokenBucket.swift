import Core

/// Bounds how often something may happen: so often at once, and so often more in each second.
struct TokenBucket {
    private let burst: Int
    private let perSecond: Int
    private var tokens: Int
    private var filledAt: Instant

    init(burst: Int, perSecond: Int, now: Instant) {
        self.burst = burst
        self.perSecond = perSecond
        tokens = burst
        filledAt = now
    }

    /// Takes one token. False if there is none.
    mutating func take(now: Instant) -> Bool {
        let seconds = Int(now.since(filledAt) / 1_000_000_000)
        if seconds > 0 {
            tokens = min(burst, tokens + min(seconds, burst) * perSecond)
            filledAt = now
        }
        tokens -= 1
        return tokens >= 0
    }

    /// Gives one back, for progress.
    mutating func give() { tokens = min(burst, tokens + 1) }
}
