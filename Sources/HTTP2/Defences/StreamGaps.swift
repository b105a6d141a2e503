/// The stream numbers that a client skipped. They count as closed, so a head on one of them is a connection error.
///
/// A head on a stream that we have reset may still be in flight and is not an error, so the two have to be
/// distinguished. nghttp2 ignores both. Source: RFC 9113 §5.1.1.
///
/// Limits: the last four gaps are kept. Clients usually skip no number; a head in an older gap is ignored.
struct StreamGaps {
    /// The first and the last number of each gap; 0 and 0 mean none. The oldest is replaced first.
    private var gaps: InlineArray<4, (first: UInt32, last: UInt32)> = .init(repeating: (0, 0))
    private var nextGap = 0
    /// The highest number of a request so far.
    private var highest: UInt32 = 0

    /// Records a head on `stream`. Returns false if the client skipped this number before.
    mutating func admit(_ stream: UInt32) -> Bool {
        // nghttp2 rejects even numbers and 0.
        guard stream % 2 == 1 else { return true }
        let expected = highest == 0 ? 1 : highest + 2
        guard stream < expected else {
            if stream > expected { record(expected, stream - 2) }
            highest = stream
            return true
        }
        for index in gaps.indices where gaps[index].first <= stream && stream <= gaps[index].last { return false }
        return true
    }

    private mutating func record(_ first: UInt32, _ last: UInt32) {
        gaps[nextGap] = (first, last)
        nextGap = (nextGap + 1) % gaps.count
    }
}
