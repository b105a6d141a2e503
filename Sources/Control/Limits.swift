import Core

/// Every cap of the control thread: its unit, its value, why, and what happens there.
enum Limits {
    /// How long the thread may be away before time-outs of health checks are put down to us instead of the target:
    /// half a second, well under the shortest usual time-out. Such a check is made again and counts for nothing.
    static let stall: Nanoseconds = 500_000_000
}
