import Core

/// Between what bounds a share lies, at any time: a confidence sequence.
///
/// A share p is excluded when the mixture of the likelihoods of all shares, by Jeffreys' prior, is 1/α times that of p.
/// With probability 1 − α it never is for the true one, however often one looks (Robbins 1970; Ville's inequality).
///
/// Source: Howard, Ramdas: "Sequential Estimation of Quantiles with Applications to A/B Testing and Best-Arm
///         Identification", 2022 (the beta-binomial mixture); Robbins: "Statistical Methods Related to the Law of the
///         Iterated Logarithm", 1970.
struct ShareBounds: Equatable, Sendable {
    let lower: Double
    let upper: Double

    /// The bounds of the share that `counts` come from, one of which is wrong with the probability `error`. 0 and 1 if
    /// nothing was counted.
    init(_ counts: ShareCounts, error: Double) {
        let limit = -error.naturalLogarithm
        let share = counts.share
        lower = Self.excluded(counts, limit, from: share, to: 0)
        upper = Self.excluded(counts, limit, from: share, to: 1)
    }

    /// The hits that `total` requests have if a hit has the probability `share`, but for the probability `error` at any
    /// time: from the least number to the largest.
    static func hits(of total: UInt64, share: Double, error: Double) -> ClosedRange<UInt64> {
        let limit = -error.naturalLogarithm
        let expected = UInt64((Double(total) * share).rounded())
        func isExcluded(_ hits: UInt64) -> Bool {
            evidence(against: share, ShareCounts(hits: hits, of: total)) >= limit
        }
        let least = firstIndex(0...expected) { !isExcluded($0) } ?? expected
        let tooMany = firstIndex(expected...total, where: isExcluded)
        return least...max(least, tooMany.map { $0 - 1 } ?? total)
    }

    /// The logarithm of the evidence that `counts` give against `share`.
    static func evidence(against share: Double, _ counts: ShareCounts) -> Double {
        let hits = Double(counts.hits)
        let others = Double(counts.total - counts.hits)
        // 0 · log 0 is 0 here.
        let likelihood =
            (hits > 0 ? hits * share.naturalLogarithm : 0)
            + (others > 0 ? others * (1 - share).naturalLogarithm : 0)
        return logBeta(hits + 0.5, others + 0.5) - logBeta(0.5, 0.5) - likelihood
    }

    private static func logBeta(_ a: Double, _ b: Double) -> Double { a.logGamma + b.logGamma - (a + b).logGamma }

    /// The share between `inside`, which fits best, and `end` beyond which all are excluded.
    private static func excluded(_ counts: ShareCounts, _ limit: Double, from inside: Double, to end: Double) -> Double
    {
        guard evidence(against: end, counts) >= limit else { return end }
        var (near, far) = (inside, end)
        for _ in 0..<48 {
            let middle = (near + far) / 2
            if evidence(against: middle, counts) >= limit { far = middle } else { near = middle }
        }
        return far
    }

    /// The first number of a range for which `condition` holds, where it holds for all after it.
    private static func firstIndex(_ range: ClosedRange<UInt64>, where condition: (UInt64) -> Bool) -> UInt64? {
        var (low, high) = (range.lowerBound, range.upperBound)
        guard condition(high) else { return nil }
        while low < high {
            let middle = low + (high - low) / 2
            if condition(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
