/// Heads that nobody uses, with their memory: messages of HTTP/2 come interleaved, so each needs a head of its own.
///
/// Shape:  owned by one thread; the head used last comes first.
/// Limits: `Limits.freeHeadsMax` heads of at most `Limits.freeHeadBytesMax` octets each are kept.
public final class HeadPool {
    private var heads: [Head] = []

    public init() { heads.reserveCapacity(Limits.freeHeadsMax) }

    /// An empty head.
    public func take() -> Head { heads.popLast() ?? Head() }

    /// Takes a head back, whatever is in it. One that a giant message has grown goes back to the allocator.
    public func put(_ head: Head) {
        guard heads.count < Limits.freeHeadsMax, head.heldByteCount <= Limits.freeHeadBytesMax else { return }
        head.reset()
        heads.append(head)
    }
}
