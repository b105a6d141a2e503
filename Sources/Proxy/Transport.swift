import Core

/// What carries one connection's octets: a socket, and what is known of its readiness.
///
/// Shape:  part of the object that a token names, so that an idle connection costs one allocation.
/// The poller reports changes of readiness once (edge-triggered), so readiness is remembered here: `isReadable` means
/// that the kernel may hold something, `isWritable` that it may take something.
struct Transport {
    let token: Token
    let socket: Socket
    /// Which of the two it is, for counting.
    let otherSide: OtherSide
    var isReadable = true
    var isWritable = true
    /// A read has returned the end of the stream, or failed.
    private(set) var isEnded = false
    /// A read has failed: the connection broke instead of being ended.
    private(set) var isBroken = false
    /// The poller has seen the end of the stream; reads go on until they return it.
    var isEndAnnounced = false
    /// We have ended our direction.
    private(set) var isShut = false
    /// Octets handed to the kernel since the connection began.
    private(set) var sentCount: UInt64 = 0
    /// Of `sentCount`, what the other side had taken when `hasTakenMore` last asked.
    private var takenAtLastLook: UInt64 = 0
    /// When the wheel will call, at the latest.
    var timer = Instant.distantFuture

    /// Who is at the other end.
    enum OtherSide { case client, target }

    /// What one read brought.
    enum Fill: Equatable {
        /// There is more in the buffer.
        case got
        /// Nothing now, or no room.
        case nothing
        /// The other side will send no more.
        case ended
        /// The connection is dead.
        case failed
    }

    /// What a write achieved.
    enum Flush: Equatable {
        /// Nothing waits any more.
        case done
        /// No more is taken now: an event will say when it is.
        case blocked
        /// The connection is dead.
        case failed
    }

    init(token: Token, socket: Socket, to otherSide: OtherSide) {
        self.token = token
        self.socket = socket
        self.otherSide = otherSide
    }

    /// Notes what the poller says.
    mutating func note(_ ready: Poller.Ready) {
        if ready.isReadable { isReadable = true }
        if ready.isWritable { isWritable = true }
        if ready.isEndOfStream { isEndAnnounced = true }
    }

    /// Octets of `sentCount` that the other side has taken. The kernel may hold megabytes of them, and says that
    /// there is room again only when much of it is free: a slow reader is judged by this. Costs a system call.
    var takenCount: UInt64 { sentCount - min(sentCount, socket.unacknowledgedByteCount) }

    /// Whether the other side goes on taking what the kernel holds for it. False if the kernel holds nothing.
    mutating func hasTakenMore() -> Bool {
        let taken = takenCount
        guard taken < sentCount, taken > takenAtLastLook else { return false }
        takenAtLastLook = taken
        return true
    }

    /// Reads once into the free space of `buffer`. A read that leaves room has emptied the kernel's buffer: the next
    /// edge will say when there is more, so no read is made to learn that there is none.
    mutating func receive(into buffer: Buffer, _ worker: inout Worker) -> Fill {
        guard isReadable else { return isEnded ? (isBroken ? .failed : .ended) : .nothing }
        let room = buffer.freeCount
        guard room > 0 else { return .nothing }
        switch socket.read(into: buffer) {
        case .bytes(let count):
            if count < room && !isEndAnnounced { isReadable = false }
            worker.countReceived(from: otherSide, count)
            return .got
        case .wouldBlock:
            isReadable = false
            return .nothing
        case .endOfStream:
            isReadable = false
            isEnded = true
            return .ended
        case .failed:
            isReadable = false
            isEnded = true
            isBroken = true
            return .failed
        }
    }

    /// Writes what waits in `buffer`, and consumes what was taken.
    mutating func send(_ buffer: Buffer, _ worker: inout Worker) -> Flush {
        guard !buffer.isEmpty else { return .done }
        guard isWritable else { return .blocked }
        switch socket.write(buffer) {
        case .bytes(let count):
            noteSent(count, &worker)
            if buffer.isEmpty { return .done }
            isWritable = false
            return .blocked
        case .wouldBlock:
            isWritable = false
            return .blocked
        case .failed: return .failed
        }
    }

    /// Writes what waits in `first` and then the first `count` octets of `body`, from where they lie, and consumes
    /// what was taken. False if the connection is dead.
    mutating func send(_ first: Buffer?, then body: Buffer, count: Int, _ worker: inout Worker) -> Bool {
        guard isWritable else { return true }
        let waiting = first?.count ?? 0
        let result: Socket.WriteResult
        if let first, waiting > 0 {
            result = socket.write(first, then: body, count: count)
        } else {
            result = socket.write(body, count: count)
        }
        switch result {
        case .bytes(let written):
            noteSent(written, &worker)
            if written < waiting + count { isWritable = false }
            return true
        case .wouldBlock:
            isWritable = false
            return true
        case .failed: return false
        }
    }

    /// Tells the other side, once, that no more comes; reading goes on.
    mutating func shutdownWrite() {
        guard !isShut else { return }
        isShut = true
        socket.shutdownWrite()
    }

    private mutating func noteSent(_ count: Int, _ worker: inout Worker) {
        sentCount += UInt64(count)
        worker.countSent(to: otherSide, count)
    }
}
