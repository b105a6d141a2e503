/// How a guard of a rollout stands: the figures of both groups, and what they prove.
///
/// Units:  shares of 1, or the unit of the latency scale.
public struct GuardReading: Equatable, Sendable {
    /// A measure of one group: what was seen, and between what it lies but for the probability of error.
    public struct Figure: Equatable, Sendable {
        /// As it was seen.
        public let value: Double
        /// The least that it may be.
        public let lower: Double
        /// The most that it may be; infinity if too little was seen.
        public let upper: Double
    }

    /// Of the new group.
    public let new: Figure
    /// Of the old group, at the same time.
    public let old: Figure
    /// How much worse the new group looks: in the unit of `RolloutGuard.smallestEffect`, negative if it is better.
    public let effect: Double
    /// The logarithm of the evidence for the new group being worse.
    public let evidence: Double
    /// The evidence at which chance is excluded.
    public let evidenceLimit: Double
    /// Whether the new group is worse by an effect that matters, and chance is excluded.
    public let isWorse: Bool
    /// Whether it is proved that the new group is not worse by an effect that matters.
    public let isNotWorse: Bool
}
