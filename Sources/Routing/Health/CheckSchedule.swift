import Core

/// When health checks happen, so that many targets never come at once.
///
/// Units:  all times in nanoseconds; intervals above zero.
/// Source: docs/elbv2.md, "Health checks", for the interval; the spreading is ours.
public enum CheckSchedule {
    /// How long after registration target `index` of `count` registered together is checked first.
    ///
    /// Few targets share the first second (or the interval, if that is shorter), so they are soon healthy. Many
    /// begin at `Limits.firstChecksPerSecond`, or at the pace that their interval demands anyway if that is
    /// faster. The first one never waits.
    public static func firstDelay(index: Int, of count: Int, interval: Nanoseconds) -> Nanoseconds {
        precondition(index >= 0 && index < count, "checks: target \(index) of \(count)")
        let second: Nanoseconds = 1_000_000_000
        let ramp = UInt64(count) * (second / Limits.firstChecksPerSecond)
        let window = max(min(interval, second), min(ramp, interval))
        let product = window.multipliedFullWidth(by: UInt64(index))
        return UInt64(count).dividingFullWidth(product).quotient
    }

    /// How long after one check the next one begins: `interval` ± 10 %, so that targets which happen to be in
    /// step fall out of it. `random` is any 64 random bits.
    public static func nextDelay(interval: Nanoseconds, random: UInt64) -> Nanoseconds {
        let tenth = interval / 10
        return interval - tenth + random.multipliedFullWidth(by: 2 * tenth + 1).high
    }
}
