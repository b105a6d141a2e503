import Core

/// When a target is taken out for a while since it fails requests, and for how long.
///
/// Source: the names are those of Envoy's outlier detection; docs/health.md, "Ejection".
public struct EjectionRules: Equatable, Sendable {
    /// Failures in a row that eject; 0 for none.
    public var failuresInARow: Int
    /// By how much of 1 its share of failures has to be above that of the others; 0 for no look at that.
    public var margin: Double
    /// How long the first ejection takes; the second takes twice as long, and so on.
    public var time: Nanoseconds
    /// How long one takes at most.
    public var timeMax: Nanoseconds
    /// The largest share of the group that may be ejected at once, in percent.
    public var percentMax: Int

    /// Rules as configured.
    public init(failuresInARow: Int, margin: Double, time: Nanoseconds, timeMax: Nanoseconds, percentMax: Int) {
        self.failuresInARow = failuresInARow
        self.margin = margin
        self.time = time
        self.timeMax = timeMax
        self.percentMax = percentMax
    }

    /// Whether targets are ejected at all.
    public var isOn: Bool { failuresInARow > 0 || margin > 0 }

    /// Whether one more target may be ejected, where `ejected` of `registered` are, and `usable` are used of which
    /// `needed` must remain, or the group would fail open.
    public func allow(ejected: Int, of registered: Int, usable: Int, needed: Int) -> Bool {
        (ejected + 1) * 100 <= percentMax * registered && usable - 1 >= max(1, needed)
    }
}

/// Whether one target is ejected, and how often it was.
///
/// A target that is ejected gets no requests until its time is over. The time grows with every ejection, and for each
/// `EjectionRules.time` in which it was used it forgets one.
///
/// Shape:  a trivial value that control owns for each target; pure.
/// Errors: none. An event that does not fit the phase changes nothing: what workers report may be late.
public struct Ejection: Equatable, Sendable {
    /// Why a target is ejected.
    public enum Cause: CaseIterable, Sendable {
        /// So many attempts in a row have failed.
        case failuresInARow
        /// It fails more often than the others of its group.
        case errorShare

        /// Its word in events and metrics.
        public var label: StaticString {
            switch self {
            case .failuresInARow: "consecutive_failures"
            case .errorShare: "error_share"
            }
        }
    }

    /// Where it is.
    public enum Phase: Equatable, Sendable {
        /// In use, since then if it was ejected before.
        case used(since: Instant?)
        /// Taken out until its time is over.
        case ejected(until: Instant, because: Cause)
    }

    /// What happens to it.
    public enum Event: Equatable, Sendable {
        /// It fails, and may be ejected.
        case failed(Cause)
        /// Its time may be over.
        case timePassed
        /// It is needed, or nothing is known of it any more: it was registered again, or is not healthy.
        case released
    }

    /// What the caller must act on.
    public enum Effect: Equatable, Sendable {
        case nothing
        /// It was ejected for so long.
        case wasEjected(Nanoseconds)
        /// It is in use again.
        case returned
    }

    /// Where it is.
    public private(set) var phase = Phase.used(since: nil)
    /// Ejections that count for how long the next one takes.
    private(set) var count = 0

    /// A target that was never ejected.
    public init() {}

    /// Whether it is ejected.
    public var isEjected: Bool { if case .ejected = phase { true } else { false } }

    /// Moves to the next phase and says what the caller must do about it.
    public mutating func receive(_ event: Event, _ rules: EjectionRules, now: Instant) -> Effect {
        switch (phase, event) {
        case (.used(let since), .failed(let cause)):
            if let since, rules.time > 0 { count -= min(count, Int(clamping: now.since(since) / rules.time)) }
            count = min(count + 1, 1000)
            let time = min(rules.timeMax, rules.time * UInt64(count))
            phase = .ejected(until: now + time, because: cause)
            return .wasEjected(time)
        case (.ejected(let until, _), .timePassed) where until <= now, (.ejected(let until, _), .released):
            phase = .used(since: min(until, now))
            return .returned
        case (.ejected, .failed), (.ejected, .timePassed), (.used, .timePassed), (.used, .released):
            return .nothing
        }
    }
}
