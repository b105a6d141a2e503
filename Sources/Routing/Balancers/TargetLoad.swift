import Core
import Synchronization

/// What all workers have seen of one target's work: what is in flight, what failed, and how long answers take. Only the
/// algorithms that look at it have it counted, and a limit of what a target may have in flight.
///
/// Shape: part of the `TargetCell`.
public struct TargetLoad: ~Copyable, Sendable {
    /// Attempts in flight.
    let outstanding = SharedCount()
    /// How long answers take, and the share that failed.
    let latency = SharedLatency()
    private let answered = Atomic<UInt64>(0)
    private let failed = Atomic<UInt64>(0)
    private let failedInARow = Atomic<Int>(0)

    /// Counts an attempt that the target has answered, or that it has failed. Returns whether that was the last of
    /// `most` failures in a row, and again after so many more; never if `most` is 0.
    func count(isFailure: Bool, inARow most: Int = 0) -> Bool {
        guard isFailure else {
            answered.wrappingAdd(1, ordering: .relaxed)
            if most > 0 { endRow() }
            return false
        }
        failed.wrappingAdd(1, ordering: .relaxed)
        return most > 0 && failedInARow.wrappingAdd(1, ordering: .relaxed).newValue % most == 0
    }

    /// What fails next is the first of a row.
    public func endRow() {
        if failedInARow.load(ordering: .relaxed) != 0 { failedInARow.store(0, ordering: .relaxed) }
    }

    /// How long its answers take, as far as that is known, for the process that takes over.
    public var learnedLatency: LearnedLatency? {
        get { latency.learned }
        nonmutating set { latency.learned = newValue }
    }

    /// Attempts since the target was registered, as far as they are counted.
    public var counts: AttemptCounts {
        AttemptCounts(answered: answered.load(ordering: .relaxed), failed: failed.load(ordering: .relaxed))
    }
}

/// How many attempts a target has answered, and how many have failed.
public struct AttemptCounts: Equatable, Sendable {
    /// Attempts that were answered.
    public var answered: UInt64
    /// Attempts that failed.
    public var failed: UInt64

    /// So many.
    public init(answered: UInt64 = 0, failed: UInt64 = 0) {
        self.answered = answered
        self.failed = failed
    }

    /// What was added since `earlier`.
    public func since(_ earlier: AttemptCounts) -> AttemptCounts {
        AttemptCounts(answered: answered &- earlier.answered, failed: failed &- earlier.failed)
    }
}

/// What is counted of the attempts on a group's targets, beside what its algorithm looks at.
public struct AttemptWatch: Equatable, Sendable {
    /// Whether answers and failures are counted.
    public var countsAttempts = false
    /// After how many failures in a row control is told; 0 for never.
    public var failuresInARow = 0

    /// Nothing is counted.
    public init() {}
}

/// What is known of how long a target takes to answer.
public struct LearnedLatency: Equatable, Sendable {
    /// Microseconds.
    public var microseconds: UInt64
    /// The share of its answers that were failures, of 255.
    public var failures: UInt64
    /// When that was measured last.
    public var at: Instant

    /// So long, and so many failures.
    public init(microseconds: UInt64, failures: UInt64, at: Instant) {
        self.microseconds = microseconds
        self.failures = failures
        self.at = at
    }
}

/// A number to which all workers add.
struct SharedCount: ~Copyable, Sendable {
    private let count = Atomic<Int>(0)

    /// The number; never below zero, as one that is read between two changes may be.
    var value: Int { max(0, count.load(ordering: .sequentiallyConsistent)) }

    /// Adds to it.
    func add(_ difference: Int) { count.wrappingAdd(difference, ordering: .sequentiallyConsistent) }

    /// Adds one if it is below `limit`. Returns whether it was.
    func add(below limit: Int) -> Bool {
        var seen = count.load(ordering: .sequentiallyConsistent)
        while seen < limit {
            let (exchanged, original) = count.weakCompareExchange(
                expected: seen, desired: seen + 1, ordering: .sequentiallyConsistent)
            if exchanged { return true }
            seen = original
        }
        return false
    }
}

/// How long a target takes to answer, and what share of its answers are failures: a peak-sensitive moving average that
/// all workers write.
///
/// A longer time than the average replaces it at once; a shorter one counts the more the longer ago the last one was.
/// What nobody has measured for a while approaches what is usual in the group, so that a target is not avoided for ever
/// for what it did once.
///
/// Shape:  one word: 28 bits of microseconds, 8 bits for the share of failures, 28 bits for when, in ticks of 4 ms. Two
///         workers that write at once may lose one of two measurements.
/// Limits: 268 seconds; beyond, a measurement counts as that. After 13 days without one its age wraps.
/// Source: Finagle, "Peak EWMA" (github.com/twitter/finagle).
struct SharedLatency: ~Copyable, Sendable {
    /// What was known of a target at some time.
    struct Estimate: Equatable {
        /// Microseconds; 0 if nothing is known.
        var microseconds: UInt64
        /// Share of failures, of 255.
        var failures: UInt64
    }

    private static let tickShift: UInt64 = 22
    /// Ticks after which a measurement counts as much as what was known before: some 10 seconds.
    private static let memory: UInt64 = 2500
    private static let microsecondsMax: UInt64 = (1 << 28) - 1
    private static let ticksMask: UInt64 = (1 << 28) - 1
    /// By how many ticks the clocks of two workers may differ: some 17 seconds, longer than any pass takes.
    private static let clockDifference: UInt64 = 4096

    private let word = Atomic<UInt64>(0)

    /// Records how long an answer took, or a failure.
    func record(_ duration: Nanoseconds, isFailure: Bool, now: Instant) {
        let measured = Self.microseconds(duration)
        guard let (last, age) = read(now: now) else {
            return write(Estimate(microseconds: measured, failures: isFailure ? 255 : 0), now: now)
        }
        var next = last
        next.failures = Self.faded(last.failures, to: 0, after: age)
        next.failures = isFailure ? (next.failures * 7 + 255) / 8 : next.failures * 7 / 8
        // How soon a target fails says nothing about how soon it answers.
        if !isFailure || measured > last.microseconds {
            next.microseconds = max(measured, Self.faded(last.microseconds, to: measured, after: age))
        }
        write(next, now: now)
    }

    /// Records an answer that has not come after `duration`.
    func recordAtLeast(_ duration: Nanoseconds, now: Instant) {
        let measured = Self.microseconds(duration)
        let last = read(now: now)?.0 ?? Estimate(microseconds: 0, failures: 0)
        guard measured > last.microseconds else { return }
        write(Estimate(microseconds: measured, failures: last.failures), now: now)
    }

    /// What is to be expected of the target now, where `typical` microseconds are usual; nil if nothing is known.
    func estimate(typical: UInt64, now: Instant) -> Estimate? {
        guard let (last, age) = read(now: now) else { return nil }
        return Estimate(
            microseconds: Self.faded(last.microseconds, to: typical, after: age),
            failures: Self.faded(last.failures, to: 0, after: age))
    }

    /// All of it; the clock is that of the host, and so the same in another process.
    var learned: LearnedLatency? {
        get {
            let now = Instant.now()
            guard let (last, age) = read(now: now) else { return nil }
            let measuredAt = Instant(nanoseconds: now.nanoseconds - min(now.nanoseconds, age << Self.tickShift))
            return LearnedLatency(microseconds: last.microseconds, failures: last.failures, at: measuredAt)
        }
        nonmutating set {
            guard let newValue else { return word.store(0, ordering: .relaxed) }
            let microseconds = min(newValue.microseconds, Self.microsecondsMax)
            write(Estimate(microseconds: microseconds, failures: min(newValue.failures, 255)), now: newValue.at)
        }
    }

    /// Microseconds as last recorded; nil if nothing is known.
    var recorded: UInt64? {
        let word = word.load(ordering: .relaxed)
        return word == 0 ? nil : word >> 36
    }

    /// Whether nothing was recorded for so long.
    func isOlder(than duration: Nanoseconds, now: Instant) -> Bool {
        guard let (_, age) = read(now: now) else { return true }
        return age << Self.tickShift > duration
    }

    private static func microseconds(_ duration: Nanoseconds) -> UInt64 {
        min(max(duration / 1000, 1), microsecondsMax)
    }

    /// `value` on its way to `goal`. Many short steps make an exponential curve; no table or library is needed.
    private static func faded(_ value: UInt64, to goal: UInt64, after age: UInt64) -> UInt64 {
        (value * memory + goal * age) / (memory + age)
    }

    private func read(now: Instant) -> (Estimate, age: UInt64)? {
        let word = word.load(ordering: .relaxed)
        guard word != 0 else { return nil }
        let age = ((now.nanoseconds >> Self.tickShift) &- word) & Self.ticksMask
        let estimate = Estimate(microseconds: word >> 36, failures: word >> 28 & 255)
        // Another worker, whose clock was read later, has written.
        return (estimate, age > Self.ticksMask - Self.clockDifference ? 0 : age)
    }

    private func write(_ estimate: Estimate, now: Instant) {
        let tick = now.nanoseconds >> Self.tickShift & Self.ticksMask
        word.store(estimate.microseconds << 36 | estimate.failures << 28 | tick, ordering: .relaxed)
    }
}
