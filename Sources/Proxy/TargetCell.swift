import Core
import Synchronization

/// What every worker knows about the health of one registered target. Control writes it, workers read it.
///
/// Shape: shared by reference; workers hold it in their `TargetPool` and retain it only when they adopt a snapshot.
public final class TargetCell: Sendable {
    private let healthy = Atomic<Bool>(false)

    public init() {}

    /// Whether the last verdict of the health checks was healthy.
    public var isHealthy: Bool {
        get { healthy.load(ordering: .acquiring) }
        set { healthy.store(newValue, ordering: .releasing) }
    }
}

/// Tells workers that the health of some target of a group has changed.
///
/// A flip costs control one store, and each worker one comparison per pick and one pass over the group after a flip.
public final class GroupCell: Sendable {
    private let flips = Atomic<UInt64>(0)

    public init() {}

    /// Grows with every flip. Workers compare it with the value they last acted on.
    public var epoch: UInt64 { flips.load(ordering: .acquiring) }

    /// Makes workers look at the group's targets again, at their next pick.
    public func flip() { flips.wrappingAdd(1, ordering: .acquiringAndReleasing) }
}
