import Core

/// One stream, as much of it as nghttp2 does not know.
struct HTTP2Stream {
    /// As the wire names it; 0: the slot is free.
    var id: Int32 = 0
    /// Whether nghttp2 has it open.
    var isOpen = true
    /// What `attach` lent: DATA is taken from the first `bodyCount` bytes of it.
    var body: Buffer?
    var bodyCount = 0
    /// Goes out after the last DATA.
    var trailers: Head?
    /// Whether nothing comes after what is in `body`.
    var isLast = false
    /// Whether nghttp2 asked for DATA, got none, and waits to be told of more.
    var isWaitingForData = false
    /// Whether the owner of the session knows of it: it hears of its end.
    var isAnnounced = false
    /// A client: whether the request is HEAD.
    var isHEAD = false
    /// A client: whether the final response has come, so that a further head is trailers.
    var hasFinalHead = false
    /// Bytes of DATA that the owner was told of and has not consumed.
    var unconsumedCount = 0
    /// Whether the other side has ended it.
    var hasEnded = false
    /// A server: whether the final response was handed in.
    var isAnswered = false
    /// Whether our own end was written.
    var hasSentEnd = false
    /// Whether it is to be reset once our end was written.
    var isResetAtEnd = false
    /// A client: its request could not be sent any more.
    var wasNotSent = false
    /// Who reset it, and why.
    var isResetByOtherSide = false
    var isResetByUs = false
    var fault: HTTP2StreamFault?
    /// Whether it was reset before its owner heard of it, so that the events about it are to be removed.
    var isDead = false
    /// The call of `receive` that brought its head.
    var turn: UInt64 = 0
    /// What its head is charged with: bytes in the head, and bytes of memory.
    var headByteCount = 0
    var headHeldByteCount = 0
}

/// The streams of one session, by slot.
///
/// Limits: as many slots as streams were ever open at once and ended but not yet reported; nghttp2 caps the former.
struct StreamTable {
    private var streams: [HTTP2Stream] = []
    private var freeSlots: [Int] = []
    /// Streams that nghttp2 has open.
    private(set) var openCount = 0

    /// The stream at `slot`, which is taken.
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

    /// Takes a slot for the stream that the wire names `id`.
    mutating func open(_ id: Int32) -> Int {
        openCount += 1
        guard let slot = freeSlots.popLast() else {
            streams.append(HTTP2Stream(id: id))
            return streams.count - 1
        }
        streams[slot].id = id
        return slot
    }

    /// Notes that nghttp2 has closed the stream; the slot stays taken until `free`.
    mutating func close(_ slot: Int) {
        openCount -= 1
        self[slot].isOpen = false
        self[slot].body = nil
        self[slot].bodyCount = 0
        self[slot].trailers = nil
    }

    /// The slots of all streams that are dead.
    var dead: [Int] { streams.indices.filter { streams[$0].isDead } }

    /// Gives the slot of a closed stream to the next.
    mutating func free(_ slot: Int) {
        precondition(streams[slot].id != 0, "stream table: slot \(slot) is free already")
        streams[slot] = HTTP2Stream()
        freeSlots.append(slot)
    }
}
