/// The free heads of one worker. The last one returned is reused first, since it is still in the processor's cache.
///
/// Shape:  owned by one thread. A head that was taken belongs to the taker until it is put back; one that is never put
/// back is freed by ARC.
/// Limits: keeps `Limits.freeHeadsMax` heads of at most `Limits.freeHeadBytesMax` bytes each.
public final class HeadPool {
    private var heads: [Head] = []

    public init() { heads.reserveCapacity(Limits.freeHeadsMax) }

    /// How many heads are free.
    public var count: Int { heads.count }

    /// An empty head: the free one that was used last, or a new one.
    public func take() -> Head { heads.popLast() ?? Head() }

    /// Frees all of them.
    public func removeAll() { heads.removeAll(keepingCapacity: true) }

    /// Puts a head back and empties it. It is freed instead if it has grown too large or enough heads are free.
    public func put(_ head: Head) {
        guard heads.count < Limits.freeHeadsMax, head.heldByteCount <= Limits.freeHeadBytesMax else { return }
        head.reset()
        heads.append(head)
    }
}
