import Core
import Routing
import TLS

/// What carries one connection's bytes: a socket, what is known of its readiness, and the TLS session on it if any.
///
/// Shape:  part of the object that a token names, so that an idle connection costs one allocation.
/// The poller reports changes of readiness once (edge-triggered), so readiness is remembered here: `isReadable` means
/// that the kernel may hold something, `isWritable` that it may take something.
struct Transport {
    let token: Token
    let socket: Socket
    /// Which of the two it is, for counting.
    let otherSide: OtherSide
    /// Through which all bytes pass; nil on a connection without TLS.
    var tls: TLSSession?
    /// Ciphertext that the kernel did not take yet: at most what one seal makes.
    private var sealed: Buffer?
    /// Ciphertext that was read and not opened yet: the start of a record, or records that there was no room to open.
    private var unopened: Buffer?
    /// Whether what was read may have a whole record in it.
    private var mayOpen = false
    var isReadable = true
    var isWritable = true
    /// A read has returned the end of the stream, or failed.
    private(set) var isEnded = false
    /// A read has failed: the connection broke instead of being ended.
    private(set) var isBroken = false
    /// The other side has ended its direction by a FIN, or by TLS's own word, which carry its last acknowledgement, and
    /// not by a reset.
    private(set) var hasFIN = false
    /// Finds out whether a target's kernel acknowledges what is sent.
    private var watch = AcknowledgementWatch()
    /// The poller has seen the end of the stream; reads go on until they return it.
    var isEndAnnounced = false
    /// connect(2) has succeeded; of clients' connections always.
    private(set) var isConnected = false
    /// Whether a TLS session that ends without saying so counts as ended, and not as broken. So do connections that are
    /// passed on: what is spoken in them knows its own end, and many programs do not care for TLS's.
    var endsWithoutNotice = false
    /// We have ended our direction.
    private(set) var isShut = false
    /// TLS's word of that end still waits for the kernel, and the socket's own end behind it.
    private var isEndWaiting = false
    /// Bytes handed to the kernel since the connection began.
    private(set) var sentCount: UInt64 = 0
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

    /// Whether a read may bring something: from the kernel, or from what was read and not opened yet.
    var mayReceive: Bool { isReadable || mayOpen }

    /// What a read says that brings nothing.
    var quiet: Fill { isEnded ? (isBroken ? .failed : .ended) : .nothing }

    /// Notes what the poller says.
    mutating func note(_ ready: Poller.Ready) {
        if ready.isReadable { isReadable = true }
        if ready.isWritable { isWritable = true }
        if ready.isEndOfStream { isEndAnnounced = true }
    }

    /// Bytes of `sentCount` that the other side has taken. The kernel may hold megabytes of them, and says that
    /// there is room again only when much of it is free: a slow reader is judged by this. Costs a system call.
    var takenCount: UInt64 { sentCount - min(sentCount, socket.unacknowledgedByteCount) }

    /// Whether the other side goes on taking what the kernel holds for it: more than `last`, which then is what it has
    /// taken by now. False if the kernel holds nothing.
    func hasTakenMore(than last: inout UInt64) -> Bool {
        let taken = takenCount
        guard taken < sentCount, taken > last else { return false }
        last = taken
        return true
    }

    /// Reads once into the free space of `buffer`. A read that leaves room has emptied the kernel's buffer: the next
    /// edge will say when there is more, so no read is made to learn that there is none.
    mutating func receive(into buffer: Buffer, _ worker: inout Worker) -> Fill {
        if let tls { return receive(into: buffer, through: tls, &worker) }
        guard isReadable else { return quiet }
        guard buffer.freeCount > 0 else { return .nothing }
        return readSocket(into: buffer, most: buffer.freeCount, &worker)
    }

    private mutating func readSocket(into buffer: Buffer, most: Int, _ worker: inout Worker) -> Fill {
        switch socket.read(into: buffer, most: most) {
        case .bytes(let count):
            if count < most && !isEndAnnounced { isReadable = false }
            if otherSide == .target { watch.heard(sentCount, now: worker.now) }
            worker.countReceived(from: otherSide, count)
            return .got
        case .wouldBlock:
            isReadable = false
            return .nothing
        case .endOfStream:
            hasFIN = true
            return end(broken: false)
        case .failed: return end(broken: true)
        }
    }

    /// Reads once what the kernel holds, and leaves it there. Only before TLS.
    mutating func peek(into buffer: Buffer) -> Fill {
        guard isReadable else { return quiet }
        switch socket.read(into: buffer, peeks: true) {
        case .bytes: return .got
        case .wouldBlock:
            isReadable = false
            return .nothing
        case .endOfStream: return end(broken: false)
        case .failed: return end(broken: true)
        }
    }

    private mutating func end(broken: Bool) -> Fill {
        isReadable = false
        isEnded = true
        isBroken = broken
        return broken ? .failed : .ended
    }

    /// Writes what was taken from a buffer before and waits for the kernel.
    mutating func flush(_ worker: inout Worker) -> Flush { isFlushed ? .done : sendSealed(&worker) }

    /// Writes what waits in `buffer`, and consumes what was taken.
    mutating func send(_ buffer: Buffer, _ worker: inout Worker) -> Flush {
        if let tls { return send(buffer, count: buffer.count, through: tls, &worker) }
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

    /// Writes what waits in `first` and then the first `count` bytes of `body`, from where they lie, and consumes
    /// what was taken. False if the connection is dead.
    mutating func send(_ first: Buffer?, then body: Buffer, count: Int, _ worker: inout Worker) -> Bool {
        if let tls {
            if let first, send(first, count: first.count, through: tls, &worker) != .done { return !isBroken }
            return send(body, count: count, through: tls, &worker) != .failed
        }
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
    mutating func shutdownWrite(_ worker: inout Worker) {
        guard !isShut else { return }
        isShut = true
        if let tls {
            tls.close()
            // Ended now, the socket would take no more, and what it holds would be lost to the reset that follows.
            isEndWaiting = sendSealed(&worker) == .blocked
        }
        if !isEndWaiting { socket.shutdownWrite() }
    }

    /// Closes the socket and gives back what is held.
    mutating func close(reset: Bool = false, _ worker: inout Worker) {
        if let tls, !reset, !isShut {
            tls.close()
            _ = sendSealed(&worker)
        }
        worker.buffers.charge(-(tls?.heldByteCount ?? 0))
        if let sealed = sealed.take() { worker.buffers.release(consume sealed) }
        if let unopened = unopened.take() { worker.buffers.release(consume unopened) }
        if reset { socket.closeWithReset() } else { socket.close() }
    }

    /// Bytes of buffers held.
    var heldByteCount: Int { (sealed?.capacity ?? 0) + (unopened?.capacity ?? 0) + (tls?.heldByteCount ?? 0) }
    /// Whether nothing waits for the kernel.
    var isFlushed: Bool { sealed == nil }

    private mutating func noteSent(_ count: Int, _ worker: inout Worker) {
        sentCount += UInt64(count)
        if otherSide == .target { watch.sent(sentCount, now: worker.now) }
        worker.countSent(to: otherSide, count)
    }

    // MARK: Silence

    /// Since when a byte was not acknowledged by the other side's kernel, as far as is known without asking; far away
    /// if all were. Only of targets.
    var unacknowledgedSince: Instant { watch.unacknowledgedSince }

    /// All that was sent before has been answered: another request begins.
    mutating func restartWatch() { watch.restart() }

    /// For how long the other side's kernel was silent though it owes an acknowledgement; nil if it was not for
    /// `limit`. Costs a system call or two.
    mutating func silence(limit: Nanoseconds, now: Instant) -> Nanoseconds? {
        watch.silence(socket, sentCount: sentCount, limit: limit, now: now)
    }

    // MARK: Connecting

    /// How opening a connection goes.
    enum Connect {
        case waiting, connected
        case failed(AttemptOutcome.Ending)
    }

    /// Goes on with connecting to a target, and with the handshake behind it.
    mutating func connect(_ ready: Poller.Ready, _ worker: inout Worker) -> Connect {
        if !isConnected {
            if ready.isDead {
                return .failed(socket.takeError() == timedOutError ? .connectTimedOut : .connectFailed)
            }
            guard ready.isWritable else { return .waiting }
            isConnected = true
        }
        note(ready)
        guard let tls else { return .connected }
        switch shakeHands(tls, &worker) {
        case .waiting: return .waiting
        case .failed(let failure):
            worker.countTLSFailure(failure, at: .target)
            return .failed(.handshakeFailed)
        case .closed:
            worker.counters.targetTLSFailures.add(.connectionClosed)
            return .failed(.handshakeFailed)
        case .done:
            worker.counters.targetTLSHandshakes.add(tls.isResumed ? .resumed : .full)
            return .connected
        }
    }

    // MARK: TLS

    /// How a handshake goes.
    enum Handshake {
        case done
        /// Until an event.
        case waiting
        case failed(TLSFailure)
        /// The other side has gone.
        case closed
    }

    /// Goes on with the handshake as far as it goes without waiting.
    mutating func shakeHands(_ tls: TLSSession, _ worker: inout Worker) -> Handshake {
        let incoming = takeUnopened(&worker)
        defer { keepUnopened(incoming, &worker) }
        while true {
            let result = tls.handshake(incoming)
            let isAlive = sendSealed(&worker) != .failed
            switch result {
            case .done:
                // The first request may have come with the end of the handshake.
                mayOpen = !incoming.isEmpty
                return isAlive ? .done : .closed
            case .failed(let failure): return .failed(failure)
            case .needsMore: if !isAlive { return .closed }
            }
            guard isReadable else { return isEnded ? .closed : .waiting }
            incoming.compact()
            switch readSocket(into: incoming, most: incoming.freeCount, &worker) {
            case .got: continue
            case .nothing: return .waiting
            case .ended, .failed: return .closed
            }
        }
    }

    /// Goes on without TLS: what was said in the handshake is all that is said by it.
    mutating func endTLS(_ worker: inout Worker) {
        worker.buffers.charge(-(tls?.heldByteCount ?? 0))
        tls = nil
    }

    /// The scratch of the worker with what was read and not opened.
    private mutating func takeUnopened(_ worker: inout Worker) -> Buffer {
        let incoming = worker.ciphertext
        incoming.removeAll()
        if let waiting = unopened.take() {
            incoming.append(waiting.bytes)
            worker.buffers.release(consume waiting)
        }
        return incoming
    }

    private mutating func keepUnopened(_ incoming: Buffer, _ worker: inout Worker) {
        guard !incoming.isEmpty else { return }
        let rest = worker.buffers.acquireLarge()
        rest.append(incoming.bytes)
        unopened = worker.buffers.settle(consume rest)
    }

    private mutating func receive(into buffer: Buffer, through tls: TLSSession, _ worker: inout Worker) -> Fill {
        guard buffer.freeCount > 0 else { return .nothing }
        let incoming = takeUnopened(&worker)
        defer { keepUnopened(incoming, &worker) }
        if mayOpen {
            let result = open(incoming, into: buffer, tls, &worker)
            if result != .nothing { return result }
        }
        while isReadable {
            incoming.compact()
            // No more than the plaintext has room for: what is read can be opened at once.
            let result = readSocket(into: incoming, most: min(incoming.freeCount, buffer.freeCount), &worker)
            switch result {
            case .got:
                let result = open(incoming, into: buffer, tls, &worker)
                if result != .nothing { return result }
            case .nothing: return .nothing
            // Without close_notify a message that ends with its connection may have been cut. RFC 9112 §9.8.
            case .ended: return otherSide == .target && !endsWithoutNotice ? end(broken: true) : .ended
            case .failed: return .failed
            }
        }
        return quiet
    }

    private mutating func open(
        _ incoming: Buffer, into buffer: Buffer, _ tls: TLSSession, _ worker: inout Worker
    ) -> Fill {
        let result = tls.open(incoming, into: buffer)
        mayOpen = false
        if sendSealed(&worker) == .failed { return end(broken: true) }
        switch result {
        case .bytes:
            // Behind data may be more of it, or the word of how the session has ended.
            mayOpen = !incoming.isEmpty || tls.hasMore
            return .got
        case .nothing: return .nothing
        case .closed:
            hasFIN = true
            return end(broken: false)
        case .failed(let failure):
            worker.countTLSFailure(failure, at: otherSide)
            return end(broken: true)
        }
    }

    /// Seals and writes the first `count` bytes of `buffer`, and consumes what was taken.
    private mutating func send(_ buffer: Buffer, count: Int, through tls: TLSSession, _ worker: inout Worker) -> Flush {
        var rest = count
        while true {
            let flushed = sendSealed(&worker)
            if flushed != .done { return flushed }
            if rest == 0 { return .done }
            guard isWritable else { return .blocked }
            let piece = min(rest, TLS.Limits.sealedBytesMax)
            guard tls.seal(buffer.bytes.extracting(0..<piece)) else { return .failed }
            buffer.consume(piece)
            rest -= piece
        }
    }

    /// Writes what the session has left to be sent, and keeps what the kernel does not take.
    private mutating func sendSealed(_ worker: inout Worker) -> Flush {
        let outgoing = worker.wire.outgoing
        if let waiting = sealed {
            // Only alerts and the like can come on top of what waits.
            if !outgoing.isEmpty {
                let larger = worker.buffers.enlarge(waiting)
                larger.compact()
                sealed = larger
                guard larger.freeCount >= outgoing.count else {
                    outgoing.removeAll()
                    return .failed
                }
                larger.append(outgoing.bytes)
                outgoing.removeAll()
            }
            guard isWritable, let waiting = sealed else { return .blocked }
            guard write(waiting, &worker) else { return .failed }
            guard waiting.isEmpty else { return .blocked }
            sealed = nil
            worker.buffers.release(waiting)
            if isEndWaiting {
                isEndWaiting = false
                socket.shutdownWrite()
            }
            return .done
        }
        if outgoing.isEmpty { return .done }
        guard write(outgoing, &worker) else {
            outgoing.removeAll()
            return .failed
        }
        if outgoing.isEmpty { return .done }
        let rest = worker.buffers.acquireLarge()
        while !outgoing.isEmpty, rest.freeCount > 0 {
            let count = min(outgoing.count, rest.freeCount)
            rest.append(outgoing.bytes.extracting(0..<count))
            outgoing.consume(count)
        }
        guard outgoing.isEmpty else {
            outgoing.removeAll()
            worker.buffers.release(consume rest)
            return .failed
        }
        sealed = rest
        return .blocked
    }

    /// Writes once. False if the connection is dead.
    private mutating func write(_ buffer: Buffer, _ worker: inout Worker) -> Bool {
        guard isWritable else { return true }
        switch socket.write(buffer) {
        case .bytes(let count):
            noteSent(count, &worker)
            if !buffer.isEmpty { isWritable = false }
            return true
        case .wouldBlock:
            isWritable = false
            return true
        case .failed: return false
        }
    }
}
