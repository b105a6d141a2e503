import Core
import HTTP1
import Testing

@testable import Proxy

/// What an HTTP/1 connection does the same for a client as for a target.
@Suite struct SideHTTP1Tests {
    @Test(arguments: SideBench.Role.allCases) func whatCameWaitsUntilItIsConsumed(_ role: SideBench.Role) throws {
        let bench = SideBench()
        let (side, other) = try bench.connection(role)
        #expect(side.fillInbound(&bench.resources) == .nothing)
        other.writeAll("first ")
        #expect(bench.fill(side) == .got && side.inbound?.text == "first ")
        side.shrinkBuffers(&bench.resources)
        #expect(side.heldByteCount == Core.Limits.smallBufferBytes, "what waits is moved into the smallest buffer")
        other.writeAll("second")
        #expect(bench.fill(side) == .got && side.inbound?.text == "first second")
        side.inbound?.consume(12)
        side.shrinkBuffers(&bench.resources)
        #expect(side.inbound == nil && bench.resources.buffers.bytesHeld == 0)
    }

    @Test(arguments: SideBench.Role.allCases) func anEndIsNoBytes(_ role: SideBench.Role) throws {
        let bench = SideBench()
        let (side, other) = try bench.connection(role)
        other.shutdownWrite()
        #expect(bench.fill(side) == .ended && side.isEnded && !side.isBroken)
        side.discardBuffers(&bench.resources)
        #expect(bench.resources.buffers.bytesHeld == 0)
    }

    @Test(arguments: SideBench.Role.allCases) func aResetBreaksIt(_ role: SideBench.Role) throws {
        let bench = SideBench()
        let (side, other) = try bench.connection(role)
        other.closeWithReset()
        #expect(bench.fill(side) == .failed && side.isEnded && side.isBroken)
    }

    /// What the kernel does not take waits, and goes on where it stopped.
    @Test(arguments: SideBench.Role.allCases) func aFullKernelIsWaitedFor(_ role: SideBench.Role) throws {
        let bench = SideBench()
        let (side, other) = try bench.connection(role)
        var handedCount = 0
        while side.isFlushed {
            let outbound = side.outboundBuffer(&bench.resources)
            while outbound.freeCount > 0 { outbound.append(UInt8(0x61)) }
            handedCount += outbound.count
            _ = side.flushOutbound(&bench.resources)
        }
        #expect(!side.isWritable && side.flushOutbound(&bench.resources) == .blocked)
        let body = SideBench.buffer("body")
        #expect(side.writeBody(body, count: 4, &bench.resources) == 0, "nothing overtakes what waits")
        let waiting = UInt64(side.outbound?.count ?? 0)
        #expect(waiting > 0 && side.writtenCount == UInt64(handedCount) - waiting)
        let input = Buffer(capacity: 1 << 16)
        var receivedCount = 0
        while receivedCount < handedCount {
            input.removeAll()
            if case .bytes(let count) = other.read(into: input) { receivedCount += count }
            setWritable(side)
            #expect(side.flushOutbound(&bench.resources) != .failed)
        }
        #expect(side.isFlushed && side.writtenCount == UInt64(handedCount))
        side.shrinkBuffers(&bench.resources)
        #expect(side.outbound == nil && bench.resources.buffers.bytesHeld == 0)
    }

    @Test(arguments: SideBench.Role.allCases) func aBodyIsWrittenBehindItsHead(_ role: SideBench.Role) throws {
        let bench = SideBench()
        let (side, other) = try bench.connection(role)
        side.outboundBuffer(&bench.resources).append("head ")
        let body = SideBench.buffer("body and more")
        #expect(side.writeBody(body, count: 4, &bench.resources) == 4)
        #expect(body.text == " and more" && side.writtenCount == 9)
        #expect(other.readText(9) == "head body")
    }

    @Test(arguments: [
        (Framing.chunked, "0\r\n\r\n"), (.length(3), ""), (.untilClose, ""), (.none, ""),
    ])
    func aBodyEndsAsItIsFramed(_ framing: Framing, _ expected: String) throws {
        let bench = SideBench()
        let (side, other) = try bench.client()
        side.sending = framing
        side.outboundBuffer(&bench.resources).append("|")
        #expect(side.endBody(trailers: nil, &bench.resources) == .done)
        #expect(other.readText(1 + expected.utf8.count) == "|" + expected)
    }

    @Test func trailersGoBehindTheLastChunk() throws {
        let bench = SideBench()
        let (side, other) = try bench.client()
        side.sending = .chunked
        let trailers = bench.resources.trailers
        trailers.reset()
        let name = trailers.beginField("Checksum")
        trailers.append("x")
        trailers.endField(name, id: .other)
        #expect(side.endBody(trailers: trailers, &bench.resources) == .done)
        let expected = "0\r\nChecksum: x\r\n\r\n"
        #expect(other.readText(expected.utf8.count) == expected)
    }

    @Test func aDeadConnectionTakesNothing() throws {
        let bench = SideBench()
        let (side, other) = try bench.client()
        other.closeWithReset()
        while !side.isEnded { _ = bench.fill(side) }
        #expect(side.writeBody(SideBench.buffer("x"), count: 1, &bench.resources) == nil)
    }

    private func setWritable(_ side: Side) {
        if let client = side as? ClientConnection { client.transport.isWritable = true }
        if let target = side as? TargetConnection { target.transport.isWritable = true }
    }
}
