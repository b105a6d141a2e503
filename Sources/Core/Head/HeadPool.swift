/// The heads of one worker that nobody uses, reused last in first out while they are warm in the cache.
///
/// Shape:  owned by one thread. Whoever takes a head owns it until it is put back; a head that is lost is only freed.
/// Limits: keeps `Limits.freeHeadsMax` heads of at most `Limits.freeHeadBytesMax` bytes each.
public final class HeadPool {
    private var heads: [Head] = []

    public init() { heads.reserveCapacity(Limits.freeHeadsMax) }

    /// How many heads wait.
    public var count: Int { heads.count }

    /// An empty head: the one that was used last, or a new one.
    public func take() -> Head { heads.popLast() ?? Head() }

    /// Lets all go.
    public func removeAll() { heads.removeAll(keepingCapacity: true) }

    /// Takes a head back, whatever is in it. It is let go if it has grown too large or enough are waiting.
    public func put(_ head: Head) {
        guard heads.count < Limits.freeHeadsMax, head.heldByteCount <= Limits.freeHeadBytesMax else { return }
        head.reset()
        heads.append(head)
    }
}
