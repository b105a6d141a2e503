/// The buffers of one worker: four sizes, reused last in first out while they are warm in the cache.
///
/// Shape:  owned by one thread. Reads of HTTP/1 and of tunnels go into bulk buffers; what waits longer than one event
///         moves into the smallest that holds it (`settle`), so that a stranger who dribbles holds little.
/// Limits: `bytesMax` bytes out at a time; `isExhausted` tells the owner to shed (ARCHITECTURE.md, "Memory").
public struct BufferPool {
    private var small = FreeList(capacity: Limits.smallBufferBytes)
    private var medium = FreeList(capacity: Limits.mediumBufferBytes)
    private var large = FreeList(capacity: Limits.largeBufferBytes)
    private var bulk = FreeList(capacity: Limits.bulkBufferBytes)
    /// Bytes in buffers that are handed out, and others that were charged.
    public private(set) var bytesHeld = 0
    /// Bytes that may be handed out before the owner has to shed.
    public let bytesMax: Int

    public init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Whether the budget is used up. `acquire` still succeeds: whoever accepts work decides.
    public var isExhausted: Bool { bytesHeld >= bytesMax }

    /// Counts `bytes` that strangers made us hold outside of buffers; what was counted is taken back by a negative one.
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

    /// Takes a buffer back, whatever is in it.
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

    /// What a connection should keep of `buffer` until its next event: nothing if it is empty, else the rest in the
    /// smallest buffer that holds it, which may be `buffer` itself.
    public mutating func settle(_ buffer: consuming Buffer) -> Buffer? {
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

    /// A buffer with the content of `buffer` that is large at least: `buffer` itself, or another for which it is taken
    /// back.
    public mutating func enlarge(_ buffer: consuming Buffer) -> Buffer {
        buffer.capacity >= Limits.largeBufferBytes ? buffer : move(buffer, to: acquireLarge())
    }

    /// Lets go of the buffers that nobody uses.
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

/// Buffers of one size that nobody uses.
private struct FreeList {
    let capacity: Int
    private var buffers: [Buffer] = []

    init(capacity: Int) {
        self.capacity = capacity
        buffers.reserveCapacity(Limits.freeBuffersMax)
    }

    /// The one that was used last, or a new one.
    mutating func take() -> Buffer { buffers.popLast() ?? Buffer(capacity: capacity) }

    /// Lets all go.
    mutating func removeAll() { buffers.removeAll(keepingCapacity: true) }

    /// Keeps an empty buffer, or lets it go if there are enough.
    mutating func put(_ buffer: consuming Buffer) {
        if buffers.count < Limits.freeBuffersMax { buffers.append(buffer) }
    }
}
