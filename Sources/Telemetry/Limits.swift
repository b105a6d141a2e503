/// Every cap of this target: its unit, its value, why, and what happens there.
public enum Limits {
    /// Longest access log line, in octets, line feed included. It fits in a `LogRing` many times over, and log readers
    /// take it. A longer line ends early: quoted fields are cut, and every field is still there.
    public static let logLineBytesMax = 16 * 1024
    /// Most octets written of the request line, escapes included. ALB's own limit for a request line is 16 K; half
    /// a line leaves room for the rest. What is longer is cut and ends in `...`.
    public static let logRequestLineBytesMax = 6 * 1024
    /// Most octets written of the user agent, escapes included. Source: elbv2.md §3.1, field 14: 8 KB at most; ours
    /// is lower because the whole line has a cap. What is longer is cut and ends in `...`.
    public static let logUserAgentBytesMax = 4 * 1024
    /// Most octets written of any other field, escapes included. What is longer is cut and ends in `...`.
    public static let logFieldBytesMax = 1024
    /// How much one worker may be ahead of the log writer, in octets; a power of two. At some 500 octets per line
    /// this is 2,000 lines. When it is full, lines are dropped and counted.
    public static let logRingBytes = 1 << 20
}
