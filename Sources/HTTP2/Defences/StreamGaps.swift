/// The stream numbers that a client passed over: they count as used, and a head on one of them is a mistake.
///
/// Heads on streams that were open once may still be under way when we have ended them, so the two must be told apart.
/// nghttp2 remembers neither, and passes both over. Source: RFC 9113 §5.1.1.
///
/// Limits: the last four gaps are known. Clients leave none as a rule; a head in an older one is passed over.
struct StreamGaps {
    /// The first and the last number of each gap; 0 and 0: none. The oldest is replaced first.
    private var gaps: InlineArray<4, (first: UInt32, last: UInt32)> = .init(repeating: (0, 0))
    private var nextGap = 0
    /// The highest number of a request so far.
    private var highest: UInt32 = 0

    /// Takes note of a head on `stream`. False: it was passed over before, which no client may come back to.
    mutating func admit(_ stream: UInt32) -> Bool {
        // nghttp2 refuses even numbers, and 0.
        guard stream % 2 == 1 else { return true }
        let expected = highest == 0 ? 1 : highest + 2
        guard stream < expected else {
            if stream > expected { note(expected, stream - 2) }
            highest = stream
            return true
        }
        for index in gaps.indices where gaps[index].first <= stream && stream <= gaps[index].last { return false }
        return true
    }

    private mutating func note(_ first: UInt32, _ last: UInt32) {
        gaps[nextGap] = (first, last)
        nextGap = (nextGap + 1) % gaps.count
    }
}
