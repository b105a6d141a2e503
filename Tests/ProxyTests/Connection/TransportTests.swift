import Core
import Telemetry
import Testing

@testable import Proxy

/// A connection over loopback whose other end the test holds.
@Suite struct TransportTests {
    private final class Pair {
        var resources = Resources(counters: WorkerCounters(), bufferBytesMax: 1 << 20, now: Instant.now())
        var transport: Transport
        let sockets: SocketPair
        var isClosed = false
        var isOtherClosed = false

        init(to otherSide: Transport.OtherSide = .client) throws {
            sockets = try SocketPair()
            transport = Transport(token: .none, socket: sockets.own, to: otherSide)
            transport.isReadable = true
            transport.isWritable = true
        }

        /// Reads until something comes, or the end.
        func receive(into input: Buffer) -> Transport.ReadResult {
            while true {
                transport.isReadable = true
                let result = transport.receive(into: input, &resources)
                if result != .nothing { return result }
            }
        }

        /// Writes `much` again and again until the kernel takes no more; returns how many bytes were taken.
        func fillKernel(from much: Buffer) -> Int {
            var count = 0
            while transport.isWritable && transport.isFlushed {
                while much.freeCount > 0 { much.append(UInt8(0x61)) }
                let before = much.count
                _ = transport.send(much, &resources)
                count += before - much.count
                much.compact()
            }
            return count
        }

        deinit {
            if !isOtherClosed { sockets.other.close() }
            if !isClosed { sockets.own.close() }
        }

        var other: Socket { sockets.other }

        /// The other end has said all, and wants nothing more.
        func closeOther() {
            sockets.other.close()
            isOtherClosed = true
        }

        /// The other end breaks the connection.
        func resetOther() {
            sockets.other.closeWithReset()
            isOtherClosed = true
        }
    }

    private func buffer(_ text: StaticString, capacity: Int = 64) -> Buffer {
        let buffer = Buffer(capacity: capacity)
        buffer.append(text)
        return buffer
    }

    @Test func aReadThatLeavesRoomIsTheLastUntilTheNextEdge() throws {
        let pair = try Pair()
        #expect(pair.other.write(buffer("hello")) == .bytes(5))
        let input = Buffer(capacity: 64)
        let first = pair.transport.receive(into: input, &pair.resources)
        #expect(first == .got && input.count == 5 && !pair.transport.isReadable)
        let second = pair.transport.receive(into: input, &pair.resources)
        #expect(second == .nothing)
        #expect(pair.resources.counters.clientBytesReceived.value == 5)
    }

    @Test func withoutRoomNothingIsRead() throws {
        let pair = try Pair()
        let full = buffer("1234", capacity: 4)
        let result = pair.transport.receive(into: full, &pair.resources)
        #expect(result == .nothing && pair.transport.isReadable, "the kernel was not asked")
    }

    @Test func theEndIsToldAgainAndAgain() throws {
        let pair = try Pair()
        pair.other.shutdownWrite()
        let input = Buffer(capacity: 8)
        var result = pair.transport.receive(into: input, &pair.resources)
        while result == .nothing {
            pair.transport.isReadable = true
            result = pair.transport.receive(into: input, &pair.resources)
        }
        #expect(result == .ended && pair.transport.isEnded && !pair.transport.isBroken)
        let again = pair.transport.receive(into: input, &pair.resources)
        #expect(again == .ended)
    }

    @Test func writesBothPiecesAndCountsThem() throws {
        let pair = try Pair()
        let head = buffer("head ")
        let body = buffer("body and more")
        let isAlive = pair.transport.send(head, then: body, count: 4, &pair.resources)
        #expect(isAlive && head.isEmpty && body.count == 9)
        #expect(pair.transport.sentCount == 9 && pair.resources.counters.clientBytesSent.value == 9)
    }

    @Test func aFullKernelBlocksUntilThePollerSpeaks() throws {
        let pair = try Pair()
        let much = Buffer(capacity: 1 << 16)
        var written = pair.fillKernel(from: much)
        let rest = buffer("the rest")
        let blocked = pair.transport.send(rest, &pair.resources)
        #expect(blocked == .blocked && rest.count == 8)
        let isAlive = pair.transport.send(rest, then: much, count: much.count, &pair.resources)
        #expect(isAlive && rest.count == 8, "a blocked connection is alive, and takes nothing")
        let input = Buffer(capacity: 1 << 16)
        var received = 0
        while received < written + 8 {
            input.removeAll()
            if case .bytes(let count) = pair.other.read(into: input) { received += count }
            pair.transport.isWritable = true
            if pair.transport.send(rest, &pair.resources) == .failed { break }
        }
        written += 8
        #expect(rest.isEmpty && received == written && pair.transport.sentCount == UInt64(written))
    }

    /// With TLS what is consumed may still wait, sealed: it is not flushed before the kernel has it, and it gets there.
    @Test func whatIsSealedAndWaitsIsNotForgotten() throws {
        let pair = try Pair()
        let client = try secure(pair)
        let written = pair.fillKernel(from: Buffer(capacity: 1 << 16))
        let early = pair.transport.flushSealed(&pair.resources)
        #expect(early == .blocked)
        var last = early
        while last != .done {
            client.read()
            pair.transport.isWritable = true
            last = pair.transport.flushSealed(&pair.resources)
        }
        while client.receivedCount < written { client.read() }
        #expect(client.receivedCount == written)
    }

    /// An end that the kernel does not take now comes behind what it has, and not instead of it.
    @Test func anEndBehindAFullKernelWaits() throws {
        let pair = try Pair()
        let client = try secure(pair)
        let written = pair.fillKernel(from: Buffer(capacity: 1 << 16))
        pair.transport.shutdownWrite(&pair.resources)
        #expect(pair.transport.isShut && !pair.transport.isFlushed)
        var last = Transport.WriteResult.blocked
        while last == .blocked {
            client.read()
            pair.transport.isWritable = true
            last = pair.transport.flushSealed(&pair.resources)
        }
        #expect(last == .done)
        while !client.isTold { client.read() }
        #expect(client.receivedCount == written)
        #expect(pair.sockets.otherEnd() == .endOfStream)
    }

    @Test func theOtherDirectionGoesOnAfterOurEnd() throws {
        let pair = try Pair()
        pair.transport.shutdownWrite(&pair.resources)
        #expect(pair.transport.isShut && pair.sockets.otherEnd() == .endOfStream)
        #expect(pair.other.write(buffer("late")) == .bytes(4))
        let input = Buffer(capacity: 64)
        #expect(pair.receive(into: input) == .got && input.count == 4)
    }

    @Test func aResetIsNoEnd() throws {
        let pair = try Pair()
        pair.resetOther()
        #expect(pair.receive(into: Buffer(capacity: 8)) == .failed)
        #expect(pair.transport.isEnded && pair.transport.isBroken && !pair.transport.hasFIN)
    }

    /// The write that fails takes the reset from the kernel, which then says that the stream has ended.
    @Test func aResetThatAWriteMetIsNoEndEither() throws {
        let pair = try Pair(to: .target)
        #expect(pair.other.write(buffer("part")) == .bytes(4))
        pair.resetOther()
        while pair.transport.send(buffer("more"), &pair.resources) != .failed { pair.transport.isWritable = true }
        let input = Buffer(capacity: 8)
        while pair.receive(into: input) == .got {}
        #expect(pair.transport.isEnded && pair.transport.isBroken && !pair.transport.hasFIN)
    }

    @Test func anEndBeforeAWriteFailsIsOne() throws {
        let pair = try Pair(to: .target)
        #expect(pair.other.write(buffer("all")) == .bytes(3))
        pair.closeOther()
        while pair.transport.send(buffer("more"), &pair.resources) != .failed { pair.transport.isWritable = true }
        let input = Buffer(capacity: 8)
        while pair.receive(into: input) == .got {}
        #expect(pair.transport.isEnded && !pair.transport.isBroken && pair.transport.hasFIN && input.count == 3)
    }

    @Test func anEndIsAnnouncedBeforeItIsRead() throws {
        let pair = try Pair()
        pair.other.shutdownWrite()
        while !pair.transport.isEndAnnounced { pair.transport.noteReady(pair.sockets.own.nextEvent()) }
        #expect(!pair.transport.isEnded)
        #expect(pair.receive(into: Buffer(capacity: 8)) == .ended && pair.transport.hasFIN)
    }

    // MARK: Connecting

    @Test func aTargetIsConnectedWhenItCanBeWrittenTo() throws {
        let pair = try Pair()
        var transport = Transport(token: .none, socket: pair.other, to: .target)
        #expect(!transport.isReadable && !transport.isWritable && !transport.isConnected)
        guard case .connected = transport.continueConnecting(pair.other.nextEvent(), &pair.resources) else {
            Issue.record("not connected")
            return
        }
        #expect(transport.isConnected && transport.isWritable && !transport.isReadable)
    }

    @Test func aDeadSocketIsNotConnected() throws {
        let pair = try Pair()
        var transport = Transport(token: .none, socket: pair.sockets.own, to: .target)
        pair.resetOther()
        var ready = pair.sockets.own.nextEvent()
        while !ready.isDead { ready = pair.sockets.own.nextEvent() }
        guard case .failed(.connectFailed) = transport.continueConnecting(ready, &pair.resources) else {
            Issue.record("a dead socket passed for connected")
            return
        }
    }

    // MARK: The end of TLS

    @Test func closeNotifyIsAnEnd() throws {
        let pair = try Pair(to: .target)
        try secure(pair).close()
        #expect(pair.receive(into: Buffer(capacity: 1 << 15)) == .ended)
        #expect(pair.transport.hasFIN && !pair.transport.isBroken)
    }

    /// What a target sent may have been cut, unless it ended as TLS wants. RFC 9112 §9.8.
    @Test(arguments: [
        (Transport.OtherSide.target, false, Transport.ReadResult.failed), (.target, true, .ended),
        (.client, false, .ended),
    ])
    func anEndWithoutCloseNotify(
        _ otherSide: Transport.OtherSide, _ endsWithoutNotice: Bool, _ expected: Transport.ReadResult
    ) throws {
        let pair = try Pair(to: otherSide)
        pair.transport.endsWithoutNotice = endsWithoutNotice
        _ = try secure(pair)
        pair.other.shutdownWrite()
        #expect(pair.receive(into: Buffer(capacity: 1 << 15)) == expected)
        #expect(pair.transport.isBroken == (expected == .failed))
    }

    // MARK: Memory

    @Test(arguments: [false, true]) func nothingIsHeldAfterClosing(reset: Bool) throws {
        let pair = try Pair()
        _ = try secure(pair)
        _ = pair.fillKernel(from: Buffer(capacity: 1 << 16))
        #expect(!pair.transport.isFlushed && pair.resources.buffers.bytesHeld > 0)
        pair.transport.close(reset: reset, &pair.resources)
        pair.isClosed = true
        #expect(pair.resources.buffers.bytesHeld == 0)
    }

    /// The client of a pair on which TLS is spoken from now on.
    private func secure(_ pair: Pair) throws -> SecurePeer {
        let client = try SecurePeer(pair.other)
        let tls = try client.session(for: pair.resources.wire)
        pair.transport.tls = tls
        while !client.isShaken {
            client.shakeHands()
            pair.transport.isReadable = true
            _ = pair.transport.handshake(tls, &pair.resources)
        }
        return client
    }
}
