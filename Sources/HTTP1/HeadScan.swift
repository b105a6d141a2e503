/// Remembers how far the end of an unfinished head was looked for, so that a sender of single octets costs linear time.
public struct HeadScan: Sendable {
    private(set) var searchedCount = 0

    public init() {}

    /// Forgets the head that was being looked for.
    public mutating func reset() { self = HeadScan() }
}
