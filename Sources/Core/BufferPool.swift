/// The buffers of one worker: two sizes, reused last in first out while they are warm in the cache.
///
/// Shape:  owned by one thread. Every read goes into a large buffer; what waits longer than one event moves into a
///         small one where it fits (`settle`), so that a stranger who dribbles holds little.
/// Limits: `bytesMax` octets out at a time; `isExhausted` tells the owner to shed (design.md §7).
public struct BufferPool {
    private var freeLarge: [Buffer] = []
    private var freeSmall: [Buffer] = []
    /// Octets in buffers that are handed out.
    public private(set) var bytesHeld = 0
    /// Octets that may be handed out before the owner has to shed.
    public let bytesMax: Int

    public init(bytesMax: Int) {
        self.bytesMax = bytesMax
        freeLarge.reserveCapacity(Limits.freeBuffersMax)
        freeSmall.reserveCapacity(Limits.freeBuffersMax)
    }

    /// Whether the budget is used up. `acquire` still succeeds: whoever accepts work decides.
    public var isExhausted: Bool { bytesHeld >= bytesMax }

    /// An empty buffer of `Limits.largeBufferBytes`.
    public mutating func acquireLarge() -> Buffer {
        bytesHeld += Limits.largeBufferBytes
        return freeLarge.popLast() ?? Buffer(capacity: Limits.largeBufferBytes)
    }

    /// An empty buffer of `Limits.smallBufferBytes`.
    public mutating func acquireSmall() -> Buffer {
        bytesHeld += Limits.smallBufferBytes
        return freeSmall.popLast() ?? Buffer(capacity: Limits.smallBufferBytes)
    }

    /// Takes a buffer back, whatever is in it.
    public mutating func release(_ buffer: Buffer) {
        buffer.removeAll()
        bytesHeld -= buffer.capacity
        if buffer.capacity == Limits.largeBufferBytes {
            if freeLarge.count < Limits.freeBuffersMax { freeLarge.append(buffer) }
        } else {
            if freeSmall.count < Limits.freeBuffersMax { freeSmall.append(buffer) }
        }
    }

    /// What a connection should keep of `buffer` until its next event: nothing if it is empty, a small buffer if the
    /// rest fits in one, else the buffer itself.
    public mutating func settle(_ buffer: Buffer) -> Buffer? {
        if buffer.isEmpty {
            release(buffer)
            return nil
        }
        guard buffer.capacity > Limits.smallBufferBytes, buffer.count <= Limits.smallBufferBytes / 2 else {
            return buffer
        }
        let small = acquireSmall()
        small.append(buffer.bytes)
        release(buffer)
        return small
    }

    /// A large buffer with the content of `buffer`, which is taken back.
    public mutating func enlarge(_ buffer: Buffer) -> Buffer {
        if buffer.capacity == Limits.largeBufferBytes { return buffer }
        let large = acquireLarge()
        large.append(buffer.bytes)
        release(buffer)
        return large
    }
}
