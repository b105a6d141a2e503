import Core

/// How many requests of one group may be sent again: a share of those that came in the last ten seconds, so that a
/// group that is dying is not killed by what was meant to help.
///
/// Shape:  ten counts of a second each; a request costs one addition. One of each worker's group.
/// Limits: `percent` of the requests of the last 10 s, and at least `Limits.retriesMin`.
/// Source: B. Beyer et al., "Site Reliability Engineering", 2016, chapter 21, per-request and per-client retry budgets.
public struct RetryBudget: Sendable {
    private static let secondCount = 10
    private var requests: InlineArray<10, UInt32> = .init(repeating: 0)
    private var retries: InlineArray<10, UInt32> = .init(repeating: 0)
    private var second: UInt64 = 0

    /// A budget of which nothing is spent.
    public init() {}

    /// A request came in.
    public mutating func noteRequest(now: Instant) {
        advance(to: now)
        requests[Int(second % UInt64(Self.secondCount))] &+= 1
    }

    /// Whether another one may be sent again: `percent` of the requests, 0 for none at all.
    mutating func hasRoom(percent: Int, now: Instant) -> Bool {
        advance(to: now)
        return spent < allowed(percent: percent)
    }

    /// Whether most of it is left: then one retry more may be risked to find out whether a suspect target is back.
    public mutating func isHalfFull(percent: Int, now: Instant) -> Bool {
        advance(to: now)
        return spent * 2 < allowed(percent: percent)
    }

    /// Takes one retry, if there is one left.
    public mutating func take(percent: Int, now: Instant) -> Bool {
        guard hasRoom(percent: percent, now: now) else { return false }
        retries[Int(second % UInt64(Self.secondCount))] &+= 1
        return true
    }

    private var spent: Int { sum(retries) }

    private func allowed(percent: Int) -> Int {
        percent == 0 ? 0 : max(Limits.retriesMin, sum(requests) * percent / 100)
    }

    private func sum(_ counts: borrowing InlineArray<10, UInt32>) -> Int {
        var total = 0
        for index in 0..<Self.secondCount { total += Int(counts[index]) }
        return total
    }

    /// Forgets the seconds that are more than ten ago.
    private mutating func advance(to now: Instant) {
        let current = now.nanoseconds / 1_000_000_000
        guard current > second else { return }
        let passed = min(current - second, UInt64(Self.secondCount))
        for step in 0..<passed {
            let index = Int((current - step) % UInt64(Self.secondCount))
            requests[index] = 0
            retries[index] = 0
        }
        second = current
    }
}
