import Core
import Model

/// What containers have asked for until now: who asked first has it, and the group of containers that are all gone is
/// kept for a while, so that an update which stops one container before it starts the next takes no rule away.
///
/// Shape:  a value of the control thread.
/// Limits: `Limits.emptyClaimsMax` groups are kept without containers; of more the ones that were first empty go.
struct ClaimHistory {
    private struct Entry {
        /// Since when it is asked for without a pause.
        let since: String
        /// One who asked for it.
        let claim: Claim
        /// When the last container was gone; nil while there is one.
        var emptyAt: Instant?
    }

    private var entries: [ContainerLabels: Entry] = [:]

    /// A history in which `before` was asked for until now, as another process has heard it.
    init(_ before: [Claim]) {
        for claim in before { entries[claim.subject] = Entry(since: claim.since, claim: claim, emptyAt: nil) }
    }

    /// What containers ask for by `found`, with what is kept of those that are gone.
    mutating func take(_ found: [Claim], now: Instant) -> [Claim] {
        var firsts: [ContainerLabels: String] = [:]
        for claim in found { firsts[claim.subject] = min(firsts[claim.subject] ?? claim.since, claim.since) }
        for (subject, entry) in entries where firsts[subject] == nil && entry.emptyAt == nil {
            entries[subject]?.emptyAt = now
        }
        var claims = found
        for index in claims.indices {
            let subject = claims[index].subject
            let entry = entries[subject]
            // Whoever comes back after all were gone has to wait behind those who are there.
            let since = entry.flatMap { $0.emptyAt == nil ? $0.since : nil } ?? firsts[subject] ?? claims[index].since
            claims[index].since = since
            entries[subject] = Entry(since: since, claim: claims[index], emptyAt: nil)
        }
        forgetSurplus()
        return claims + empty.map(\.claim)
    }

    /// Forgets groups that have been without containers for long. Returns whether there were any.
    mutating func forgetEmpty(now: Instant) -> Bool {
        let before = entries.count
        entries = entries.filter { $0.value.emptyAt.map { now.since($0) < Limits.emptyClaimTime } ?? true }
        return entries.count != before
    }

    /// Has the time of all groups without containers begin now.
    mutating func holdEmpty(now: Instant) {
        for (subject, entry) in entries where entry.emptyAt != nil { entries[subject]?.emptyAt = now }
    }

    /// When the next one will have been so for long; nil if there is none.
    var nextEnd: Instant? { entries.values.compactMap(\.emptyAt).min().map { $0 + Limits.emptyClaimTime } }

    /// Those without containers, in the order in which that began.
    private var empty: [(subject: ContainerLabels, at: Instant, claim: Claim)] {
        let all = entries.compactMap { subject, entry in
            entry.emptyAt.map { at in
                var claim = entry.claim
                claim.target = nil
                return (subject: subject, at: at, claim: claim)
            }
        }
        return all.sorted { ($0.at.nanoseconds, $0.claim.group) < ($1.at.nanoseconds, $1.claim.group) }
    }

    private mutating func forgetSurplus() {
        let all = empty
        for one in all.prefix(max(0, all.count - Limits.emptyClaimsMax)) { entries[one.subject] = nil }
    }
}
