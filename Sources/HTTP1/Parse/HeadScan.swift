import Core

/// Remembers how far an incomplete head was searched for its end, so that a client that sends single bytes (slow loris)
/// costs linear time.
///
/// The first bytes are parsed at once, as most heads arrive complete. After that only new bytes are searched, and the
/// head is parsed again when the first line or the head is complete, or a limit is exceeded.
/// Shape: one per connection, beside its buffer. No bytes may be removed from the buffer until the head is complete or
/// rejected.
public struct HeadScan: Sendable {
    /// How many bytes have been searched; `0 ≤ lineStart ≤ searchedCount`.
    private var searchedCount = 0
    /// Where the incomplete line begins.
    private var lineStart = 0
    /// Complete lines before it, without leading empty ones.
    private var lineCount = 0

    public init() {}

    /// Begins a new head.
    public mutating func reset() { self = HeadScan() }

    /// Records that all of `input` was parsed without a verdict, and that its last line begins at `lineStart`.
    mutating func suspend(_ input: Span<UInt8>, lineStart: Int, lineCount: Int) {
        searchedCount = input.count
        self.lineStart = lineStart
        self.lineCount = lineCount
    }

    /// Whether parsing `input` again may give a verdict.
    mutating func isWorthParsing(_ input: Span<UInt8>, bytesMax: Int) -> Bool {
        guard searchedCount > 0 else { return true }
        precondition(input.count >= searchedCount, "head scan: bytes of an unfinished head were taken away")
        while let lineFeed = input.firstLineFeed(from: searchedCount) {
            let isBlank = lineFeed == lineStart || lineFeed == lineStart + 1 && input[lineStart] == .carriageReturn
            guard !isBlank, lineCount > 0, lineCount <= Limits.fieldCountMax else { return true }
            lineStart = lineFeed + 1
            lineCount += 1
            searchedCount = lineStart
        }
        searchedCount = input.count
        return input.count > bytesMax || input.count - lineStart > Limits.fieldLineBytesMax
    }
}
