import CLinux
import Glibc

/// A point on the monotonic clock. The event loop reads the clock once per pass and hands this down.
///
/// Units: nanoseconds since an arbitrary start; never the time of day (see `WallClock`).
/// Source: clock_gettime(2), `CLOCK_MONOTONIC`.
public struct Instant: Comparable, Hashable, Sendable {
    /// Nanoseconds since the arbitrary start.
    public let nanoseconds: UInt64

    @inlinable public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Reads the clock. Costs some 20 ns and no system call, thanks to the vDSO.
    public static func now() -> Instant { Instant(nanoseconds: readClock(CLOCK_MONOTONIC)) }

    /// Later than any deadline.
    @inlinable public static var distantFuture: Instant { Instant(nanoseconds: UInt64.max) }

    @inlinable public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The instant `interval` after `instant`; saturates at `distantFuture`.
    @inlinable public static func + (instant: Instant, interval: Nanoseconds) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(interval)
        return overflow ? Instant(nanoseconds: .max) : Instant(nanoseconds: sum)
    }

    /// The time from `earlier` to this instant; zero if `earlier` is later.
    @inlinable public func since(_ earlier: Instant) -> Nanoseconds {
        nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
    }
}

/// A length of time in the event loop, in nanoseconds. The configuration uses `Duration`.
public typealias Nanoseconds = UInt64

extension Nanoseconds {
    /// `seconds` as nanoseconds; negative and not-a-number count as zero, and what does not fit saturates.
    public init(seconds: Double) {
        let value = seconds * 1e9
        self = value >= 1.8e19 ? .max : value > 0 ? UInt64(value) : 0
    }
}

/// The time of day, for logs and headers only.
public enum WallClock {
    /// Nanoseconds since 1970-01-01T00:00:00Z. Source: clock_gettime(2), `CLOCK_REALTIME`.
    public static func now() -> UInt64 { readClock(CLOCK_REALTIME) }
}

private func readClock(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    let status = unsafe clock_gettime(clock, &time)
    precondition(status == 0, "clock_gettime failed")
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}
