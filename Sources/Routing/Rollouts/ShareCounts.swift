/// Requests of one group, and how many of them are of a kind: those that failed, or those that were slow.
public struct ShareCounts: Equatable, Sendable {
    /// All requests.
    public var total: UInt64
    /// Those of the kind; `total` at most.
    public var hits: UInt64

    /// `hits` of `total` requests.
    public init(hits: UInt64 = 0, of total: UInt64 = 0) {
        self.total = total
        self.hits = min(hits, total)
    }

    /// The share of hits; 0 without requests.
    public var share: Double { total == 0 ? 0 : Double(hits) / Double(total) }

    /// Adds what was counted later.
    static func += (left: inout ShareCounts, right: ShareCounts) {
        left.total += right.total
        left.hits += right.hits
    }
}
