/// Finds the targets of a group that fail more often than the others, and how much of their weight they keep.
///
/// A target is anomalous if its share of failures is well above that of the others together: by
/// `Limits.anomalyMargin`, and by more than chance explains. With mitigation its weight is halved at every look, down
/// to a sixteenth, by which it shows whether it has recovered; then it grows again by a sixteenth at every look.
///
/// Shape:  pure; control looks every `Limits.anomalyInterval`.
/// Limits: fewer than three targets are not compared. At most half of them are mitigated, those that have recovered and
///         grow again among them: were it more, the others would not carry the load. Beyond that they have all of their
///         weight.
/// Source: Application Load Balancer user guide, "Automatic Target Weights"; the thresholds are ours.
public enum AnomalyDetection {
    /// What is known of one target.
    public struct Target: Equatable, Sendable {
        /// Attempts of late; older ones count less.
        var attempts = 0.0
        /// Those of them that failed.
        var failures = 0.0
        /// Whether it fails more often than the others.
        public private(set) var isAnomalous = false
        /// How much of its weight it keeps, of `TargetCell.fullShare`.
        public private(set) var share = TargetCell.fullShare

        /// A target of which nothing is known.
        public init() {}

        /// Whether it has less than its weight says.
        public var isMitigated: Bool { share < TargetCell.fullShare }

        /// Adds what was counted since the last look.
        public mutating func count(_ counts: AttemptCounts) {
            attempts = attempts * Limits.anomalyMemory + Double(counts.answered + counts.failed)
            failures = failures * Limits.anomalyMemory + Double(counts.failed)
        }

        fileprivate mutating func judge(othersAttempts: Double, othersFailures: Double, margin: Double) {
            guard attempts >= Limits.anomalyAttemptsMin, othersAttempts >= Limits.anomalyAttemptsMin else {
                // Too little to judge by: what was found before holds until more has come, or all is forgotten.
                if failures < 0.5 { isAnomalous = false }
                return
            }
            let excess = failures / attempts - othersFailures / othersAttempts
            let all = (failures + othersFailures) / (attempts + othersAttempts)
            let variance = all * (1 - all) * (1 / attempts + 1 / othersAttempts)
            // Whoever is anomalous has to come well below the threshold, so that it does not flap.
            let factor = isAnomalous ? 0.5 : 1
            isAnomalous =
                excess > margin * factor
                && excess * excess > Limits.anomalyDeviations * Limits.anomalyDeviations * factor * variance
        }

        fileprivate mutating func mitigate(_ isWanted: Bool) {
            let step = TargetCell.fullShare / 16
            share = isWanted ? max(step, share / 2) : min(TargetCell.fullShare, share + step)
        }

        fileprivate mutating func restore() { share = TargetCell.fullShare }

        fileprivate mutating func reset() {
            isAnomalous = false
            restore()
        }
    }

    /// Looks at the healthy targets of a group, once what was counted is added; `mitigates` if it is configured so.
    /// `margin` is by how much of 1 a share of failures has to be above that of the others.
    public static func look(
        at targets: inout [Target], mitigates: Bool, margin: Double = Limits.anomalyMargin
    ) {
        guard targets.count >= Limits.anomalyTargetsMin else {
            for index in targets.indices { targets[index].reset() }
            return
        }
        let attempts = targets.reduce(0) { $0 + $1.attempts }
        let failures = targets.reduce(0) { $0 + $1.failures }
        for index in targets.indices {
            targets[index].judge(
                othersAttempts: attempts - targets[index].attempts, othersFailures: failures - targets[index].failures,
                margin: margin)
        }
        var room = targets.count / 2
        // Whoever is mitigated keeps its place before new ones, and those that have recovered come last.
        let places = targets.map { target -> Place in
            guard mitigates, target.isAnomalous else { return target.isMitigated ? Place.growing : .none }
            return target.isMitigated ? .kept : .new
        }
        for place in [Place.kept, .new, .growing] {
            for index in targets.indices where places[index] == place {
                if room > 0 { targets[index].mitigate(place != .growing) } else { targets[index].restore() }
                room -= 1
            }
        }
    }

    /// What a target has of the room for those that are mitigated.
    private enum Place { case none, kept, new, growing }
}
