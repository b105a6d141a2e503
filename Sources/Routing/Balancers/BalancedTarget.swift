/// One target of a group on one worker, as balancers see it: whether it may be picked, and how busy it is.
///
/// Shape: one object for each registration and worker; the cell in it is what all workers share.
public final class BalancedTarget {
    /// Its health, and whether it is suspect.
    public let cell: TargetCell
    /// Attempts on it that have begun and have not ended, on this worker.
    public private(set) var inFlight = 0

    /// A target on which nothing is in flight.
    public init(_ cell: TargetCell) { self.cell = cell }

    /// An attempt on it has begun.
    public func began() { inFlight += 1 }

    /// An attempt on it has ended, and the connection or stream of it, if there was one.
    public func ended() {
        precondition(inFlight > 0, "balanced target: more attempts ended than began")
        inFlight -= 1
    }

    /// Whether it is one of these few.
    func isAmong(_ targets: [BalancedTarget]) -> Bool {
        for target in targets where target === self { return true }
        return false
    }
}
