/// Every cap of this target: its unit, its value, why, and what happens there.
public enum Limits {
    /// Bytes of the longest access log line, line feed included: the caps below, each as often as it applies, and
    /// 1 KiB for numbers and names. So every line fits, and a hostile one shortens its own fields only.
    public static let logLineBytesMax = logURIBytesMax + logUserAgentBytesMax + 10 * logFieldBytesMax + 1024
    /// Bytes of the longest connection log line, line feed included: seven texts and 1 KiB for the rest.
    static let connectionLogLineBytesMax = 7 * logFieldBytesMax + 1024
    /// Bytes written of a path with its query, escapes included. What is longer is cut and ends in `...`. ALB takes
    /// request lines of 16 K (docs/elbv2.md, "HTTP connections"), so nothing is cut that has no escapes.
    public static let logURIBytesMax = 16 * 1024
    /// Bytes written of the user agent, escapes included. Source: docs/elbv2.md, "Access log". What is longer is cut.
    public static let logUserAgentBytesMax = 8 * 1024
    /// Bytes written of any other text, escapes included: method, host, names, trace, redirect. What is longer is cut.
    public static let logFieldBytesMax = 1024
    /// Bytes by which one worker may be ahead of the log writer; a power of two. Some 2,000 lines. When it is full,
    /// lines are dropped and counted.
    public static let logRingBytes = 1 << 20
    /// Bytes that may wait in a log that all threads share; a power of two. Some 800 lines of Apus's own log. When it
    /// is full, lines are dropped and counted.
    public static let sharedLogRingBytes = 1 << 17
    /// How long the log writer lets lines gather while they keep coming, in milliseconds. Longer means fewer and larger
    /// writes; a ring must not fill in the meantime, which takes 50,000 lines per second and worker here.
    public static let logGatherMilliseconds: Int32 = 20
    /// How long a stopping process waits for its last lines to be written, in milliseconds: a reader of standard output
    /// that has stopped reading must not keep us.
    public static let logStopMilliseconds: Int32 = 2000
}
