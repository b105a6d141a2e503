import Core

/// The caps of this module. What strangers can make it hold is nothing: all of its memory is configuration.
public enum Limits {
    /// Bytes of a redirect's Location value. Reason: clients and caches refuse longer ones. A longer one is
    /// not written; the client gets 507. Source: docs/elbv2.md, "Status codes".
    public static let locationBytesMax = 8192

    /// Bytes of what `host-header-rewrite` makes. Reason: a name has 253 at most, and a port 6. Beyond it the transform
    /// fails: 500.
    static let transformedHostBytesMax = 320

    /// Bytes of what `url-rewrite` makes. Reason: as many as a request line may have. Beyond it the transform fails:
    /// 500.
    static let transformedURLBytesMax = 16 * 1024

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

    /// Targets that `least_outstanding_requests` looks at for one pick. Reason: each look is a word that other workers
    /// write, some 10 ns; with more targets than this the least of a window is as good as the least of all.
    static let outstandingLooksMax = 32

    /// What a target of `apus.consistent_hash` may have in flight whatever its bound. Reason: so few do not overload
    /// it, and a bound of one would send two requests for the same thing to two caches.
    static let hashBoundMin = 4

    /// Targets in a row that `apus.consistent_hash` looks at for one with room. Reason: a pick must not take longer the
    /// more targets there are; beyond them the least busy of those that were looked at is taken.
    static let boundLooksMax = 256

    /// Buckets of one rate limit: 256 KiB, of which only what is used takes memory. Reason: twice the keys that are
    /// held to the limit at once on a busy site; with more, keys displace each other, and are admitted too much.
    public static let rateLimitBuckets = 32_768

    /// Draws at random for a target that was not tried, before all are looked at in turn: at most two were tried.
    static let drawsMax = 8

    /// One of so many requests of `apus.least_latency` is a probe. Reason: less than 1 % of the requests of a group,
    /// so that a target that has become slow does not decide its 99th percentile.
    static let probeInterval = 64

    /// A target of which something was heard in that time is not probed: it need not be.
    static let probeAgeMin = Nanoseconds(1_000_000_000)

    /// How often the median of a group's latencies is found.
    static let medianInterval = Nanoseconds(1_000_000_000)

    /// Targets among which the median is found. Reason: sorting them takes a microsecond, and the median of 63 is
    /// near that of all.
    static let latencySampleMax = 63

    /// How often control looks for targets that fail more than the others. Source: docs/elbv2.md, "Target group
    /// attributes".
    public static let anomalyInterval = Nanoseconds(5_000_000_000)

    /// The fewest targets of a group that are compared. Reason: of two that differ it is unknown which one is unusual.
    static let anomalyTargetsMin = 3

    /// Attempts of a target below which it is not judged.
    static let anomalyAttemptsMin = 10.0

    /// How much of what was counted before still counts at the next look: half of it after 10 seconds.
    static let anomalyMemory = 0.7

    /// By how much a share of failures has to be above that of the others, of 1.
    public static let anomalyMargin = 0.05

    /// And by how many standard deviations: by chance once in some thousand looks.
    static let anomalyDeviations = 3.0

    /// The time in which `apus.health.max_removals_percent` of the targets may be taken out by health checks.
    static let removalWindow = Nanoseconds(60_000_000_000)

    /// How much of what a rollout's guard knows of the old group's latencies counts at the next look. Reason: with
    /// four looks a second it follows within minutes what the day does to latencies.
    static let rolloutMemory = 0.998

    /// Latencies of the old group that a guard needs before it judges by them. Reason: of fewer, a quantile says
    /// nothing; where it lies makes no difference to false alarms.
    static let rolloutLatenciesMin = 20.0

    /// The probability that a step ends although the new group is worse by an effect that matters.
    static let rolloutWrongPass = 0.05
}
