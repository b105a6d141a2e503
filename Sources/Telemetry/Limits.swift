/// What Telemetry caps, why, and what happens at the cap.
public enum Limits {
    /// Bytes of the longest access log line, line feed included: the caps below, each as often as it applies, and 1 KiB
    /// for numbers and names. So every line fits, and an oversized field is truncated without affecting the others.
    public static let logLineBytesMax = logURIBytesMax + logUserAgentBytesMax + 10 * logFieldBytesMax + 1024
    /// Bytes of the longest connection log line, line feed included: seven texts and 1 KiB for the rest.
    static let connectionLogLineBytesMax = 7 * logFieldBytesMax + 1024
    /// Bytes written of a path with its query, escapes included. A longer one is truncated and ends in `...`. ALB
    /// accepts request lines of 16 K (docs/elbv2.md, "HTTP connections"), so only URIs with escapes can be truncated.
    public static let logURIBytesMax = 16 * 1024
    /// Bytes written of the user agent, escapes included. Source: docs/elbv2.md, "Access log". A longer one is
    /// truncated.
    public static let logUserAgentBytesMax = 8 * 1024
    /// Bytes written of any other text, escapes included: method, host, names, trace, redirect. A longer one is
    /// truncated.
    public static let logFieldBytesMax = 1024
    /// Bytes that one worker may have queued for the log writer; a power of two. Some 2,000 lines. When the ring is
    /// full, lines are dropped and counted.
    public static let logRingBytes = 1 << 20
    /// Bytes that may be queued in a log that all threads share; a power of two. Some 800 lines of Apus's own log. When
    /// it is full, lines are dropped and counted.
    public static let sharedLogRingBytes = 1 << 17
    /// How long the log writer waits to batch lines while they keep coming, in milliseconds. A longer time means fewer
    /// and larger writes, but a ring must not fill meanwhile. At this value that would take 50,000 lines per second and
    /// worker.
    public static let logGatherMilliseconds: Int32 = 20
    /// How long a stopping process waits for its last lines to be written, in milliseconds, since the reader of a pipe
    /// may have stopped reading.
    public static let logStopMilliseconds: Int32 = 2000
}
