import Core
import Routing
import TLS
import Telemetry

/// What carries one connection's bytes: a socket, what is known of its readiness, and the TLS session on it if any.
///
/// The poller reports changes of readiness once (edge-triggered), so readiness is remembered here: `isReadable` means
/// that the kernel may hold something, `isWritable` that it may take something. The owner of a transport hands it each
/// event (`noteReady`, or `continueConnecting` until that says `.connected`), calls `receive` until it says `.nothing`,
/// and calls `send` again after `.blocked` once `isWritable` is set.
///
/// Shape:  part of the object that a token names, so that an idle connection costs one allocation. Knows no worker:
///         memory, time and counters are its caller's `Resources`.
/// Limits: of ciphertext it holds one large buffer each way at most.
/// Errors: outcomes that the other side causes are cases of the results. After `.failed` only `close` may be called.
package struct Transport {
    /// Names the connection to the poller.
    package let token: Token
    /// Open until `close`.
    package let socket: Socket
    /// Which of the two it is, for counting.
    package let otherSide: OtherSide
    /// Through which all bytes pass; nil on a connection without TLS.
    package var tls: TLSSession?
    /// Ciphertext that the kernel did not take yet: at most what one seal makes.
    private var sealed: Buffer?
    /// Ciphertext that was read and not opened yet: the start of a record, or records that there was no room to open.
    private var unopened: Buffer?
    /// Whether what was read may have a whole record in it.
    private var mayOpen = false
    /// The kernel may hold something to read.
    package var isReadable = true
    /// The kernel may take something.
    package var isWritable = true
    /// A read has returned the end of the stream, or failed.
    package private(set) var isEnded = false
    /// A read has failed: the connection broke instead of being ended.
    package private(set) var isBroken = false
    /// The other side has ended its direction by a FIN, or by TLS's own word, which carry its last acknowledgement, and
    /// not by a reset.
    package private(set) var hasFIN = false
    /// The poller has told of a reset, or of an error such as a host that cannot be reached.
    package private(set) var isDead = false
    /// Finds out whether a target's kernel acknowledges what is sent.
    private var acknowledgements = AcknowledgementWatch()
    /// A write has failed since the other side has reset the connection.
    private var isReset = false
    /// The poller has seen the end of the stream; reads go on until they return it.
    package var isEndAnnounced = false
    /// connect(2) has succeeded; of clients' connections always.
    package private(set) var isConnected = false
    /// Whether a TLS session that ends without saying so counts as ended, and not as broken. So do connections that are
    /// passed on: what is spoken in them knows its own end, and many programs do not care for TLS's.
    package var endsWithoutNotice = false
    /// We have ended our direction.
    package private(set) var isShut = false
    /// TLS's close_notify still waits for the kernel, and the socket's FIN after it.
    private var isEndWaiting = false
    /// Bytes handed to the kernel since the connection began.
    package private(set) var sentCount: UInt64 = 0
    /// When the wheel will call, at the latest.
    var timer = Instant.distantFuture

    /// `socket` was accepted from a client, or is connecting to a target. `token` names the connection to the poller.
    package init(token: Token, socket: Socket, to otherSide: OtherSide) {
        self.token = token
        self.socket = socket
        self.otherSide = otherSide
        guard otherSide == .target else { return }
        // It is still connecting: the poller will say when it can be written to.
        isReadable = false
        isWritable = false
    }

    /// Whether a read may bring something: from the kernel, or from what was read and not opened yet.
    package var mayReceive: Bool { isReadable || mayOpen }

    /// What a read says that brings nothing.
    var resultWithoutRead: ReadResult { isEnded ? (isBroken ? .failed : .ended) : .nothing }

    /// Notes what the poller says.
    package mutating func noteReady(_ ready: Poller.Ready) {
        if ready.isReadable { isReadable = true }
        if ready.isWritable { isWritable = true }
        if ready.isEndOfStream { isEndAnnounced = true }
        if ready.isDead { isDead = true }
    }

    /// Bytes of `sentCount` that the other side has taken. The kernel may hold megabytes of them, and says that
    /// there is room again only when much of it is free: a slow reader is judged by this. Costs a system call.
    var takenCount: UInt64 { sentCount - min(sentCount, socket.unacknowledgedByteCount) }

    /// Whether the other side still takes bytes that the kernel holds for it: more than `last`, which then is what it
    /// has taken by now. False if the kernel holds nothing.
    func hasTakenMore(than last: inout UInt64) -> Bool {
        let taken = takenCount
        guard taken < sentCount, taken > last else { return false }
        last = taken
        return true
    }

    /// Reads once into the free space of `buffer`. A read that leaves room has emptied the kernel's buffer: the next
    /// edge will say when there is more, so no read is made to learn that there is none.
    package mutating func receive(into buffer: Buffer, _ resources: inout Resources) -> ReadResult {
        if let tls { return receive(into: buffer, through: tls, &resources) }
        guard isReadable else { return resultWithoutRead }
        guard buffer.freeCount > 0 else { return .nothing }
        return readSocket(into: buffer, most: buffer.freeCount, &resources)
    }

    private mutating func readSocket(into buffer: Buffer, most: Int, _ resources: inout Resources) -> ReadResult {
        switch socket.read(into: buffer, most: most) {
        case .bytes(let count):
            if count < most && !isEndAnnounced { isReadable = false }
            if otherSide == .target { acknowledgements.heard(sentCount, now: resources.now) }
            resources.countReceived(from: otherSide, count)
            return .got
        case .wouldBlock:
            isReadable = false
            return .nothing
        case .endOfStream:
            hasFIN = !isReset
            return endReading(broken: isReset)
        case .failed: return endReading(broken: true)
        }
    }

    /// Reads once what the kernel holds, and leaves it there. Only before TLS.
    mutating func peek(into buffer: Buffer) -> ReadResult {
        guard isReadable else { return resultWithoutRead }
        switch socket.read(into: buffer, peeks: true) {
        case .bytes: return .got
        case .wouldBlock:
            isReadable = false
            return .nothing
        case .endOfStream: return endReading(broken: isReset)
        case .failed: return endReading(broken: true)
        }
    }

    /// A write that meets a reset takes it from the kernel, and reads then say that the stream has ended: what ends
    /// with its connection would pass for whole. With EPIPE it had ended before. Source: tcp_reset in Linux.
    private mutating func noteDeadWrite(_ code: Int32) { isReset = isReset || code != brokenPipeError }

    private mutating func endReading(broken: Bool) -> ReadResult {
        isReadable = false
        isEnded = true
        isBroken = broken
        return broken ? .failed : .ended
    }

    /// Writes what was taken from a buffer before and waits for the kernel.
    package mutating func flushSealed(_ resources: inout Resources) -> WriteResult {
        isFlushed ? .done : sendSealed(&resources)
    }

    /// Writes what waits in `buffer`, and consumes what was taken.
    package mutating func send(_ buffer: Buffer, _ resources: inout Resources) -> WriteResult {
        if let tls { return send(buffer, count: buffer.count, through: tls, &resources) }
        guard !buffer.isEmpty else { return .done }
        guard isWritable else { return .blocked }
        switch socket.write(buffer) {
        case .bytes(let count):
            noteSent(count, &resources)
            if buffer.isEmpty { return .done }
            isWritable = false
            return .blocked
        case .wouldBlock:
            isWritable = false
            return .blocked
        case .failed(let code):
            noteDeadWrite(code)
            return .failed
        }
    }

    /// Writes what waits in `first` and then the first `count` bytes of `body`, from where they lie, and consumes
    /// what was taken. False if the connection is dead.
    package mutating func send(_ first: Buffer?, then body: Buffer, count: Int, _ resources: inout Resources) -> Bool {
        if let tls {
            if let first, send(first, count: first.count, through: tls, &resources) != .done { return !isBroken }
            return send(body, count: count, through: tls, &resources) != .failed
        }
        guard isWritable else { return true }
        let waiting = first?.count ?? 0
        let result: Socket.WriteResult
        if let first, waiting > 0 {
            result = socket.write(first, then: body, count: count)
        } else {
            result = socket.write(body, count: count)
        }
        return noteWrite(result, of: waiting + count, &resources)
    }

    /// Ends our direction, once; reading continues.
    package mutating func shutdownWrite(_ resources: inout Resources) {
        guard !isShut else { return }
        isShut = true
        if let tls {
            tls.close()
            // Ended now, the socket would take no more, and what it holds would be lost to the reset that follows.
            isEndWaiting = sendSealed(&resources) == .blocked
        }
        if !isEndWaiting { socket.shutdownWrite() }
    }

    /// Closes the socket and gives back what is held.
    package mutating func close(reset: Bool = false, _ resources: inout Resources) {
        if let tls, !reset, !isShut {
            tls.close()
            _ = sendSealed(&resources)
        }
        resources.buffers.charge(-(tls?.heldByteCount ?? 0))
        if let sealed = sealed.take() { resources.buffers.release(consume sealed) }
        if let unopened = unopened.take() { resources.buffers.release(consume unopened) }
        if reset { socket.closeWithReset() } else { socket.close() }
    }

    /// Bytes of buffers held.
    package var heldByteCount: Int { (sealed?.capacity ?? 0) + (unopened?.capacity ?? 0) + (tls?.heldByteCount ?? 0) }
    /// Whether nothing waits for the kernel.
    package var isFlushed: Bool { sealed == nil }

    private mutating func noteSent(_ count: Int, _ resources: inout Resources) {
        sentCount += UInt64(count)
        if otherSide == .target { acknowledgements.sent(sentCount, now: resources.now) }
        resources.countSent(to: otherSide, count)
    }

    // MARK: Silence

    /// Since when a byte was not acknowledged by the other side's kernel, as far as is known without asking; far away
    /// if all were. Only of targets.
    var unacknowledgedSince: Instant { acknowledgements.unacknowledgedSince }

    /// All that was sent before has been answered: another request begins.
    mutating func restartWatch() { acknowledgements.restart() }

    /// For how long the other side's kernel was silent though it owes an acknowledgement; nil if it was not for
    /// `limit`. Costs a system call or two.
    mutating func silenceDuration(limit: Nanoseconds, now: Instant) -> Nanoseconds? {
        acknowledgements.silence(socket, sentCount: sentCount, limit: limit, now: now)
    }

    // MARK: Connecting

    /// What has run out when a connection to a target was not made in time.
    var connectTimeoutKind: TimeoutKind { isConnected ? .targetTLSHandshake : .targetConnect }

    /// Continues connecting to a target, and the handshake after it.
    package mutating func continueConnecting(_ ready: Poller.Ready, _ resources: inout Resources) -> ConnectStep {
        if !isConnected {
            if ready.isDead {
                return .failed(socket.takeError() == timedOutError ? .connectTimedOut : .connectFailed)
            }
            guard ready.isWritable else { return .waiting }
            isConnected = true
        }
        noteReady(ready)
        guard let tls else { return .connected }
        switch handshake(tls, &resources) {
        case .waiting: return .waiting
        case .failed(let failure):
            resources.countTLSFailure(failure, at: .target)
            return .failed(.handshakeFailed)
        case .closed:
            resources.counters.targetTLSFailures.add(.connectionClosed)
            return .failed(.handshakeFailed)
        case .done:
            resources.counters.targetTLSHandshakes.add(tls.isResumed ? .resumed : .full)
            return .connected
        }
    }

    // MARK: TLS

    /// Continues the handshake as far as possible without waiting.
    package mutating func handshake(_ tls: TLSSession, _ resources: inout Resources) -> HandshakeStep {
        let incoming = takeUnopened(&resources)
        defer { keepUnopened(incoming, &resources) }
        while true {
            let result = tls.handshake(incoming)
            let isAlive = sendSealed(&resources) != .failed
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
            switch readSocket(into: incoming, most: incoming.freeCount, &resources) {
            case .got: continue
            case .nothing: return .waiting
            case .ended, .failed: return .closed
            }
        }
    }

    /// Continues without TLS: nothing more is sent or received over it after the handshake.
    mutating func endTLS(_ resources: inout Resources) {
        resources.buffers.charge(-(tls?.heldByteCount ?? 0))
        tls = nil
    }

    /// The scratch of the worker with what was read and not opened.
    private mutating func takeUnopened(_ resources: inout Resources) -> Buffer {
        let incoming = resources.ciphertext
        incoming.removeAll()
        if let waiting = unopened.take() {
            incoming.append(waiting.bytes)
            resources.buffers.release(consume waiting)
        }
        return incoming
    }

    private mutating func keepUnopened(_ incoming: Buffer, _ resources: inout Resources) {
        guard !incoming.isEmpty else { return }
        let rest = resources.buffers.acquireLarge()
        rest.append(incoming.bytes)
        unopened = resources.buffers.shrink(consume rest)
    }

    private mutating func receive(into buffer: Buffer, through tls: TLSSession, _ resources: inout Resources)
        -> ReadResult
    {
        guard buffer.freeCount > 0 else { return .nothing }
        let incoming = takeUnopened(&resources)
        defer { keepUnopened(incoming, &resources) }
        if mayOpen {
            let result = open(incoming, into: buffer, tls, &resources)
            if result != .nothing { return result }
        }
        while isReadable {
            incoming.compact()
            // No more than the plaintext has room for: what is read can be opened at once.
            let result = readSocket(into: incoming, most: min(incoming.freeCount, buffer.freeCount), &resources)
            switch result {
            case .got:
                let result = open(incoming, into: buffer, tls, &resources)
                if result != .nothing { return result }
            case .nothing: return .nothing
            // Without close_notify a message that ends with its connection may have been cut. RFC 9112 §9.8.
            case .ended: return otherSide == .target && !endsWithoutNotice ? endReading(broken: true) : .ended
            case .failed: return .failed
            }
        }
        return resultWithoutRead
    }

    private mutating func open(
        _ incoming: Buffer, into buffer: Buffer, _ tls: TLSSession, _ resources: inout Resources
    ) -> ReadResult {
        let result = tls.open(incoming, into: buffer)
        mayOpen = false
        if sendSealed(&resources) == .failed { return endReading(broken: true) }
        switch result {
        case .bytes:
            // Behind data may be more of it, or the word of how the session has ended.
            mayOpen = !incoming.isEmpty || tls.hasMore
            return .got
        case .nothing: return .nothing
        case .closed:
            hasFIN = true
            return endReading(broken: false)
        case .failed(let failure):
            resources.countTLSFailure(failure, at: otherSide)
            return endReading(broken: true)
        }
    }

    /// Seals and writes the first `count` bytes of `buffer`, and consumes what was taken.
    private mutating func send(_ buffer: Buffer, count: Int, through tls: TLSSession, _ resources: inout Resources)
        -> WriteResult
    {
        var rest = count
        while true {
            let flushed = sendSealed(&resources)
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
    private mutating func sendSealed(_ resources: inout Resources) -> WriteResult {
        let outgoing = resources.wire.outgoing
        if let waiting = sealed {
            // Only alerts and the like can come on top of what waits.
            if !outgoing.isEmpty {
                let larger = resources.buffers.enlarge(waiting)
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
            guard write(waiting, &resources) else { return .failed }
            guard waiting.isEmpty else { return .blocked }
            sealed = nil
            resources.buffers.release(waiting)
            if isEndWaiting {
                isEndWaiting = false
                socket.shutdownWrite()
            }
            return .done
        }
        if outgoing.isEmpty { return .done }
        guard write(outgoing, &resources) else {
            outgoing.removeAll()
            return .failed
        }
        if outgoing.isEmpty { return .done }
        let rest = resources.buffers.acquireLarge()
        while !outgoing.isEmpty, rest.freeCount > 0 {
            let count = min(outgoing.count, rest.freeCount)
            rest.append(outgoing.bytes.extracting(0..<count))
            outgoing.consume(count)
        }
        guard outgoing.isEmpty else {
            outgoing.removeAll()
            resources.buffers.release(consume rest)
            return .failed
        }
        sealed = rest
        return .blocked
    }

    /// Writes once. False if the connection is dead.
    private mutating func write(_ buffer: Buffer, _ resources: inout Resources) -> Bool {
        guard isWritable else { return true }
        let count = buffer.count
        return noteWrite(socket.write(buffer), of: count, &resources)
    }

    /// Notes what a write of `count` bytes came to. False if the connection is dead.
    private mutating func noteWrite(
        _ result: Socket.WriteResult, of count: Int, _ resources: inout Resources
    ) -> Bool {
        switch result {
        case .bytes(let written):
            noteSent(written, &resources)
            if written < count { isWritable = false }
            return true
        case .wouldBlock:
            isWritable = false
            return true
        case .failed(let code):
            noteDeadWrite(code)
            return false
        }
    }
}
