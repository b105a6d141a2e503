import Core

/// Remembers how far the end of an unfinished head was looked for, so that a sender of single bytes costs linear time.
///
/// The first bytes are parsed at once, as most heads come whole. After that only what is new is searched, and
/// parsing happens again when the first line or the head is complete, or a limit is passed.
/// Shape: one per connection, beside its buffer; what waits only grows until the head is complete or refused.
public struct HeadScan: Sendable {
    /// How many bytes have been searched; `0 ≤ lineStart ≤ searchedCount`.
    private var searchedCount = 0
    /// Where the unfinished line begins.
    private var lineStart = 0
    /// Finished lines before it, leading empty ones not included.
    private var lineCount = 0

    public init() {}

    /// Forgets the head that was being looked for.
    public mutating func reset() { self = HeadScan() }

    /// Notes that all of `input` was parsed and is undecided, its last line beginning at `lineStart`.
    mutating func suspend(_ input: Span<UInt8>, lineStart: Int, lineCount: Int) {
        searchedCount = input.count
        self.lineStart = lineStart
        self.lineCount = lineCount
    }

    /// Whether parsing `input` may tell more than the last time.
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
