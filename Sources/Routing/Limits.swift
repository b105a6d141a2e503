import Core

/// The caps of this module. What strangers can make it hold is nothing: all of its memory is configuration.
public enum Limits {
    /// Bytes of a redirect's Location value. Reason: clients and caches refuse longer ones. A longer one is
    /// not written; the client gets 507. Source: docs/elbv2.md, "Status codes".
    public static let locationBytesMax = 8192

    /// Picks that `SmoothWeights` makes ahead of time to start in the middle of its cycle. Reason: keeps the
    /// cost of adopting a snapshot below a millisecond. A longer cycle is entered within its first part.
    static let startingPicksMax = 10_000

    /// Bytes of a path that may be read in other ways, times the ways that there are. Reason: a path of 16 KiB can have
    /// 18 of them, each of which costs as much as reading it, or, behind two slashes, as reading it twice and asking
    /// the rules four times; without those this is a tenth of a millisecond, and enough for 16 KiB of escapes. Beyond,
    /// the path counts as ambiguous: 400.
    static let readingBytesMax = 64 * 1024

    /// Targets of one `MaglevTable`. Reason: their indices are byte pairs, and each needs a place. Control lets no
    /// group have more than 10,000.
    static let flowTargetsMax = 60_000

    /// First health checks per second when many targets are registered together. Reason: a burst of new
    /// connections would overrun the listen queues of the targets' hosts and our own descriptors. More
    /// targets than that begin later, but never slower than their interval demands in the long run.
    static let firstChecksPerSecond: UInt64 = 1000

    /// Attempts of one exchange or flow, the first included. Reason: a request that fails three times in a row will
    /// fail the fourth time. Then 502, or 504 if the last one took too long.
    public static let attemptsMax = 3

    /// Retries in ten seconds that a group's budget always has, however few its requests are.
    static let retriesMin = 10

    /// How often a suspect target is tried by a request, of all workers together: once a second.
    public static let trialInterval = Nanoseconds(1_000_000_000)

    /// Places of a `MaglevTable` that a flow looks at for a healthy target, before all targets are looked at in turn:
    /// with half of them unhealthy one flow in 65,536 gets so far.
    static let flowLooksMax = 16
}
