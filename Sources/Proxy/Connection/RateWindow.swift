import Core

/// A minimum transfer rate against slow loris, slow post and slow read: checked per window while only the other side
/// limits the speed, without a total deadline, so that a large body on a slow line passes (docs/threats.md, "Slow
/// clients").
struct RateWindow {
    private var end = Instant.distantFuture
    private var passedAtStart: UInt64 = 0

    /// When the window under way ends; far away if none is.
    var deadline: Instant { end }

    /// Begins a window, unless one is under way. `passed` counts bytes since any fixed moment; one that is too small
    /// makes the first verdict lenient.
    mutating func begin(now: Instant, length: Nanoseconds, passed: UInt64) {
        guard end == .distantFuture else { return }
        end = now + length
        passedAtStart = passed
    }

    /// Ends the window without a verdict, since the delay was ours.
    mutating func cancel() { end = .distantFuture }

    /// At the window's end: whether at least `minimum` bytes passed. The next window begins.
    mutating func isFastEnough(now: Instant, length: Nanoseconds, passed: UInt64, minimum: UInt64) -> Bool {
        let verdict = passed >= passedAtStart + minimum
        end = now + length
        passedAtStart = passed
        return verdict
    }
}
