import Core

/// How strongly counts speak for a larger share of hits at the new group than at the old one, at any time.
///
/// It looks at intervals in which both groups had requests. If a hit is as likely at either group, each hit of an
/// interval falls to the new one with the probability ρ, the new group's part of the interval's requests. If the odds
/// of a hit are ω times as high there, it does so with ωρ / (1 + (ω − 1)ρ). The product of these ratios over all hits
/// is a nonnegative supermartingale that begins with 1, whatever the share of hits does over time, as long as it does
/// the same at both groups. Hits of an interval are drawn without replacement, which only makes the expectation of ω to
/// the number of hits smaller (Hoeffding 1963, theorem 4). The mean over some ω is one too: so the probability that it
/// ever reaches 1/α is at most α (Ville's inequality), and it may be looked at as often as one likes.
///
/// Shape:  a value; what it has seen is in one sum for each ω.
/// Source: Lindon, Malek: "Anytime-Valid Inference for Multinomial Count Data", 2022. There the share is that of the
///         weights; here it is that of the requests which came, so cohorts and balancers may deviate from the weights.
struct ShareEvidence: Equatable, Sendable {
    /// The ratios of odds that are looked for, all with the same weight: from half more to "never before".
    private static let ratios: [Double] = [1.5, 2, 4, 8, 16, 64, 256, 4096]

    /// For each ratio, the logarithm of its likelihood ratio.
    private var logarithms = [Double](repeating: 0, count: ratios.count)

    /// Adds an interval.
    mutating func add(new: ShareCounts, old: ShareCounts) {
        let hits = Double(new.hits + old.hits)
        guard hits > 0, new.total > 0, old.total > 0 else { return }
        let part = Double(new.total) / Double(new.total + old.total)
        for (index, ratio) in Self.ratios.enumerated() {
            logarithms[index] +=
                Double(new.hits) * ratio.naturalLogarithm - hits * (1 + (ratio - 1) * part).naturalLogarithm
        }
    }

    /// The logarithm of the evidence: 0 before anything is known, `-log(α)` when chance is excluded but for α.
    var logarithm: Double { Double.logSum(of: logarithms) - Double(Self.ratios.count).naturalLogarithm }
}
