/// What one message may make us hold or examine, in bytes unless named otherwise.
///
/// A message beyond a cap is rejected with the `Violation` named here, and the connection is closed.
/// Source: docs/elbv2.md, "HTTP connections", for the first four; the others are ours.
public enum Limits {
    /// Request line without its end. Beyond: `requestLineTooLong`, 414.
    public static let requestLineBytesMax = 16 * 1024
    /// One field line without its end, and a status line. Beyond: `fieldTooLarge`, 413.
    public static let fieldLineBytesMax = 16 * 1024
    /// Request head, blank lines before and after it included. Beyond: `headTooLarge`, 413.
    public static let requestHeadBytesMax = 64 * 1024
    /// Response head. Beyond: `headTooLarge`.
    public static let responseHeadBytesMax = 32 * 1024
    /// Fields of a head or a trailer section. Beyond: `tooManyFields`, 413.
    public static let fieldCountMax = 256
    /// Empty lines before a request line that are ignored. Source: RFC 9112 §2.2. Beyond: `badRequestLine`, 400.
    public static let blankLineCountMax = 2
    /// Options in all Connection fields of a head, since each costs a search of all fields. Beyond: `badConnection`,
    /// 400.
    public static let connectionOptionCountMax = 32
    /// A chunk's size line without its end, most of it extension. Beyond: `chunkLineTooLong`, 400.
    public static let chunkLineBytesMax = 256
    /// Digits of a chunk size, leading zeros included. Beyond: `badChunkSize`, 400.
    public static let chunkSizeDigitsMax = 16
    /// Trailer section with its final empty line. A buffer that receives chunked bodies must be at least as large.
    /// Beyond: `trailersTooLarge`, 413.
    public static let trailerBytesMax = 8 * 1024
}
