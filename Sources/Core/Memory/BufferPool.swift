/// The buffers of one worker, in four sizes. The last one released is reused first, since it is still in the
/// processor's cache.
///
/// Shape:  owned by one thread. Reads of HTTP/1 and of tunnels go into bulk buffers; bytes that wait longer than one
///         event move into the smallest buffer that holds them (`shrink`), so that a slow client (slow loris) occupies
///         little memory.
/// Limits: `bytesMax` bytes handed out at a time; `isExhausted` tells the owner to shed load (ARCHITECTURE.md,
/// "Memory").
public struct BufferPool {
    private var small = FreeList(capacity: Limits.smallBufferBytes)
    private var medium = FreeList(capacity: Limits.mediumBufferBytes)
    private var large = FreeList(capacity: Limits.largeBufferBytes)
    private var bulk = FreeList(capacity: Limits.bulkBufferBytes)
    /// Bytes in buffers that are handed out, and bytes that were charged.
    public private(set) var bytesHeld = 0
    /// Bytes that may be handed out before the owner has to shed load.
    public let bytesMax: Int

    public init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Whether the budget is used up. Acquiring still succeeds: what to shed is decided where work is accepted.
    public var isExhausted: Bool { bytesHeld >= bytesMax }

    /// Counts `bytes` that clients or targets made us hold outside of buffers against the budget. A negative number
    /// gives them back.
    public mutating func charge(_ bytes: Int) { bytesHeld += bytes }

    /// An empty buffer of `Limits.bulkBufferBytes`.
    public mutating func acquireBulk() -> Buffer {
        bytesHeld += Limits.bulkBufferBytes
        return bulk.take()
    }

    /// An empty buffer of `Limits.largeBufferBytes`.
    public mutating func acquireLarge() -> Buffer {
        bytesHeld += Limits.largeBufferBytes
        return large.take()
    }

    /// An empty buffer of `Limits.smallBufferBytes`.
    public mutating func acquireSmall() -> Buffer {
        bytesHeld += Limits.smallBufferBytes
        return small.take()
    }

    private mutating func acquireMedium() -> Buffer {
        bytesHeld += Limits.mediumBufferBytes
        return medium.take()
    }

    /// Returns a buffer to the pool; its content is dropped.
    public mutating func release(_ buffer: consuming Buffer) {
        buffer.removeAll()
        bytesHeld -= buffer.capacity
        switch buffer.capacity {
        case Limits.bulkBufferBytes: bulk.put(buffer)
        case Limits.largeBufferBytes: large.put(buffer)
        case Limits.mediumBufferBytes: medium.put(buffer)
        case Limits.smallBufferBytes: small.put(buffer)
        default: preconditionFailure("buffer pool: a buffer of \(buffer.capacity) bytes is not from here")
        }
    }

    /// Shrinks `buffer` for the time until the connection's next event. Nil if it is empty; else the smallest buffer
    /// that holds its content, which may be `buffer` itself.
    public mutating func shrink(_ buffer: consuming Buffer) -> Buffer? {
        if buffer.isEmpty {
            release(buffer)
            return nil
        }
        switch buffer.count {
        case ...Limits.smallBufferBytes:
            return buffer.capacity == Limits.smallBufferBytes ? buffer : move(buffer, to: acquireSmall())
        case ...Limits.mediumBufferBytes:
            return buffer.capacity == Limits.mediumBufferBytes ? buffer : move(buffer, to: acquireMedium())
        case ...Limits.largeBufferBytes:
            return buffer.capacity == Limits.largeBufferBytes ? buffer : move(buffer, to: acquireLarge())
        default: return buffer
        }
    }

    /// A buffer with the content of `buffer` and at least the large size: `buffer` itself, or a larger one, and
    /// `buffer` is released.
    public mutating func enlarge(_ buffer: consuming Buffer) -> Buffer {
        buffer.capacity >= Limits.largeBufferBytes ? buffer : move(buffer, to: acquireLarge())
    }

    /// Frees the buffers that are not handed out.
    public mutating func removeFree() {
        small.removeAll()
        medium.removeAll()
        large.removeAll()
        bulk.removeAll()
    }

    private mutating func move(_ buffer: consuming Buffer, to other: Buffer) -> Buffer {
        other.append(buffer.bytes)
        release(buffer)
        return other
    }
}

/// The free buffers of one size.
private struct FreeList {
    let capacity: Int
    private var buffers: [Buffer] = []

    init(capacity: Int) {
        self.capacity = capacity
        buffers.reserveCapacity(Limits.freeBuffersMax)
    }

    /// The free buffer that was used last, or a new one.
    mutating func take() -> Buffer { buffers.popLast() ?? Buffer(capacity: capacity) }

    /// Frees all of them.
    mutating func removeAll() { buffers.removeAll(keepingCapacity: true) }

    /// Keeps an empty buffer, or frees it if there are enough.
    mutating func put(_ buffer: consuming Buffer) {
        if buffers.count < Limits.freeBuffersMax { buffers.append(buffer) }
    }
}
