import Core

/// One stream: the state that nghttp2 does not keep.
struct HTTP2Stream {
    /// The stream identifier; 0 means that the slot is free.
    var id: Int32 = 0
    /// Whether nghttp2 has it open.
    var isOpen = true
    /// The body given to `attach`: DATA is taken from its first `bodyCount` bytes.
    var body: Buffer?
    var bodyCount = 0
    /// Sent after the last DATA.
    var trailers: Head?
    /// Whether `body` is the last of the stream.
    var isLast = false
    /// Whether nghttp2 asked for DATA, got none, and has to be resumed when there is more.
    var isWaitingForData = false
    /// Whether an event has reported it, so that its end is reported too.
    var isAnnounced = false
    /// A client: whether the request is HEAD.
    var isHEAD = false
    /// A client: whether the final response has come, so that a further head is trailers.
    var hasFinalHead = false
    /// Bytes of DATA that were reported and not consumed.
    var unconsumedCount = 0
    /// Whether the other side has ended its direction.
    var hasEnded = false
    /// A server: whether the final response was queued.
    var isAnswered = false
    /// Whether our END_STREAM was written.
    var hasSentEnd = false
    /// Whether it is reset once our END_STREAM was written.
    var isResetAtEnd = false
    /// A client: whether GOAWAY came before its request was sent.
    var wasNotSent = false
    /// Who reset it, and why.
    var isResetByOtherSide = false
    var isResetByUs = false
    var fault: HTTP2StreamFault?
    /// Whether it was reset before it was reported, so that its events are removed.
    var isDead = false
    /// The call of `receive` that brought its head.
    var turn: UInt64 = 0
    /// What its head is charged: bytes in the head, and bytes of memory.
    var headByteCount = 0
    var headHeldByteCount = 0
}

/// The streams of one session, by slot.
///
/// Limits: grows to the largest number of streams that were open, or closed but not yet reported, at one time; nghttp2
/// caps the open ones.
struct StreamTable {
    private var streams: [HTTP2Stream] = []
    private var freeSlots: [Int] = []
    /// Streams that are open in nghttp2.
    private(set) var openCount = 0

    /// The stream at `slot`, which must be in use.
    subscript(slot: Int) -> HTTP2Stream {
        _read {
            precondition(streams[slot].id != 0, "stream table: slot \(slot) is free")
            yield streams[slot]
        }
        _modify {
            precondition(streams[slot].id != 0, "stream table: slot \(slot) is free")
            yield &streams[slot]
        }
    }

    /// Takes a slot for the stream with identifier `id`.
    mutating func open(_ id: Int32) -> Int {
        openCount += 1
        guard let slot = freeSlots.popLast() else {
            streams.append(HTTP2Stream(id: id))
            return streams.count - 1
        }
        streams[slot].id = id
        return slot
    }

    /// Records that nghttp2 has closed the stream; the slot stays in use until `free`.
    mutating func close(_ slot: Int) {
        openCount -= 1
        self[slot].isOpen = false
        self[slot].body = nil
        self[slot].bodyCount = 0
        self[slot].trailers = nil
    }

    /// The slots of all streams that are dead.
    var dead: [Int] { streams.indices.filter { streams[$0].isDead } }

    /// Frees the slot of a closed stream.
    mutating func free(_ slot: Int) {
        precondition(streams[slot].id != 0, "stream table: slot \(slot) is free already")
        streams[slot] = HTTP2Stream()
        freeSlots.append(slot)
    }
}
