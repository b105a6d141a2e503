import Glibc

/// The instant by which something must have happened, on the monotonic clock.
struct Deadline: Sendable {
    private let instant: ContinuousClock.Instant

    /// So many seconds from now.
    static func after(_ seconds: Double) -> Deadline {
        Deadline(instant: .now + .seconds(seconds))
    }

    /// Whether it is over.
    var hasPassed: Bool { ContinuousClock.now >= instant }

    /// What poll(2) wants: milliseconds from now, rounded up, at least 0.
    var millisecondsLeft: Int32 {
        let left = ContinuousClock.now.duration(to: instant)
        return Int32(
            clamping: max(0, left.components.seconds * 1_000 + left.components.attoseconds / 1_000_000_000_000_000 + 1))
    }
}

/// Polls `condition` until it holds. Returns `false` after `seconds`.
///
/// The only place in the scenarios that lets time pass. The pause grows from 1 ms to 20 ms, so that a wait costs
/// little of the two cores that the program under test needs.
func eventually(within seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = Deadline.after(seconds)
    var pause: UInt32 = 1_000
    while true {
        // On a busy machine the time may have passed without a poll, so one more is made.
        let isLastLook = deadline.hasPassed
        if try condition() { return true }
        if isLastLook { return false }
        usleep(pause)
        pause = min(pause * 2, 20_000)
    }
}

/// Polls `produce` until it returns a value. Returns `nil` after `seconds`.
func eventually<Value>(within seconds: Double = 10, produce: () throws -> Value?) rethrows -> Value? {
    var value: Value?
    _ = try eventually(within: seconds) {
        value = try produce()
        return value != nil
    }
    return value
}

/// Whether `condition` holds all the time for `seconds`: the shape of "and nothing more happens".
func always(for seconds: Double, _ condition: () throws -> Bool) rethrows -> Bool {
    try !eventually(within: seconds) { try !condition() }
}
