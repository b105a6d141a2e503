import Core
import Glibc
import Testing

@Suite struct SocketTests {
    // MARK: Reading

    @Test(arguments: Loopback.hosts) func readsWhatWasWritten(host: String) throws {
        let (client, server) = try Loopback.connect(host)
        defer { client.close(); server.close() }
        let inbound = Buffer(capacity: 16)
        #expect(server.read(into: inbound) == .wouldBlock)
        #expect(inbound.isEmpty)
        let outbound = buffer(Array("hello".utf8))
        #expect(client.write(outbound) == .bytes(5))
        #expect(outbound.isEmpty)
        #expect(awaitReadable(server.descriptor))
        #expect(server.read(into: inbound) == .bytes(5))
        #expect(inbound.text == "hello")
        #expect(server.read(into: inbound) == .wouldBlock)
        #expect(inbound.text == "hello", "a read that returns nothing loses nothing")
    }

    @Test func countsUnacknowledgedBytes() throws {
        let (client, server) = try Loopback.connect(Loopback.ipv4)
        defer { client.close(); server.close() }
        #expect(client.unacknowledgedByteCount == 0)
        var written: UInt64 = 0
        while case .bytes(let count) = client.write(buffer(Self.noise)) {
            written += UInt64(count)
        }
        let waiting = client.unacknowledgedByteCount
        #expect(waiting > 0 && waiting < written, "the rest is in the other side's buffer")
        client.shutdownWrite()
        #expect(readAll(server).content.count == Int(written))
        // The other side may delay its last acknowledgement, but not beyond its FIN, which carries it.
        server.shutdownWrite()
        #expect(readAll(client).end == .endOfStream)
        #expect(client.unacknowledgedByteCount <= 1, "the end of the stream counts as a byte until acknowledged")
    }

    @Test func readsNoMoreThanThereIsRoomFor() throws {
        let (client, server) = try Loopback.connect(Loopback.ipv4)
        defer { client.close(); server.close() }
        #expect(client.write(buffer(Array("0123456789".utf8))) == .bytes(10))
        #expect(awaitReadable(server.descriptor))
        let inbound = Buffer(capacity: 8)
        inbound.append("abc")
        inbound.consume(1)
        #expect(server.read(into: inbound) == .bytes(5))
        #expect(inbound.text == "bc01234")
        inbound.compact()
        #expect(server.read(into: inbound) == .bytes(1))
        #expect(inbound.text == "bc012345")
    }

    /// Without free space the kernel returns zero, which would look like the end of the stream.
    @Test func readingWithoutRoomTraps() async {
        await #expect(processExitsWith: .failure) {
            let (_, server) = try Loopback.connect(Loopback.ipv4)
            _ = server.read(into: buffer([1]))
        }
    }

    @Test(arguments: Loopback.hosts) func canWriteAfterHalfClose(host: String) throws {
        let (client, server) = try Loopback.connect(host)
        defer { client.close(); server.close() }
        #expect(client.write(buffer(Array("question".utf8))) == .bytes(8))
        client.shutdownWrite()
        let (question, end) = readAll(server)
        #expect(question == Array("question".utf8) && end == .endOfStream)
        #expect(server.read(into: Buffer(capacity: 1)) == .endOfStream, "the end stays the end")
        #expect(server.write(buffer(Array("answer".utf8))) == .bytes(6))
        server.shutdownWrite()
        let (answer, answerEnd) = readAll(client)
        #expect(answer == Array("answer".utf8) && answerEnd == .endOfStream)
    }

    @Test func aResetIsAFailure() throws {
        let (client, server) = try Loopback.connect(Loopback.ipv4)
        defer { server.close() }
        client.closeWithReset()
        #expect(awaitReadable(server.descriptor))
        #expect(server.read(into: Buffer(capacity: 8)) == .failed(ECONNRESET))
    }

    /// Neither raises SIGPIPE, which the test does not ignore.
    @Test func writingToADeadConnectionFails() throws {
        let (client, server) = try Loopback.connect(Loopback.ipv4)
        defer { server.close() }
        client.closeWithReset()
        #expect(awaitReadable(server.descriptor))
        let first = server.write(buffer([1]))
        #expect(first == .failed(ECONNRESET) || first == .failed(EPIPE))
        #expect(server.write(buffer([1]), then: buffer([2]), count: 1) == .failed(EPIPE))
        let kept = buffer([1, 2, 3])
        #expect(server.write(kept) == .failed(EPIPE))
        #expect(kept.count == 3, "what failed is not consumed")
    }

    // MARK: Writing

    private static let noise = randomBytes(201_000, seed: 17)

    /// Writes until the kernel takes no more, by every write method. Each byte that the kernel took, and no other, must
    /// arrive once and in order.
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func partialWritesLoseNothing(seed: UInt64) throws {
        let (client, server) = try Loopback.connect(Loopback.ipv4)
        defer { server.close() }
        var random = FastRandom(seed: seed)
        var taken: [UInt8] = []
        var isBlocked = false
        while !isBlocked {
            let head = Array(Self.noise[random.next(below: 1000)..<1000 + random.next(below: 200_000)])
            let body = Array(Self.noise[random.next(below: 1000)..<1000 + random.next(below: 200_000)])
            let first = buffer(head), second = buffer(body)
            let count = random.next(below: body.count + 1)
            let way = random.next(below: 3)
            let (result, offered) =
                switch way {
                case 0: (client.write(first), head)
                case 1: (client.write(first, then: second, count: count), head + body[..<count])
                default: (client.write(second, count: count), Array(body[..<count]))
                }
            switch result {
            case .bytes(let takenCount):
                taken += offered[..<takenCount]
                let ofHead = way == 2 ? 0 : min(takenCount, head.count)
                #expect(copyBytes(first.bytes) == Array(head[ofHead...]))
                #expect(copyBytes(second.bytes) == Array(body[(takenCount - ofHead)...]))
            case .wouldBlock:
                isBlocked = true
                #expect(first.count == head.count && second.count == body.count)
            case .failed(let code): throw SystemError("write", code: code)
            }
        }
        #expect(taken.count > 100_000)
        client.shutdownWrite()
        let (received, end) = readAll(server)
        #expect(end == .endOfStream)
        #expect(received == taken, "\(received.count) bytes came, \(taken.count) were taken")
        client.close()
    }

    /// One call writes two buffers as one stream of bytes, wherever the kernel stops.
    @Test func writesTwoBuffersInOneCall() throws {
        let (client, server) = try Loopback.connect(Loopback.ipv4)
        defer { server.close() }
        let head = buffer(Array("head;".utf8)), body = buffer(Array("body and more".utf8))
        #expect(client.write(head, then: body, count: 4) == .bytes(9))
        #expect(head.isEmpty && body.text == " and more")
        #expect(client.write(head, then: body, count: 4) == .bytes(4), "an empty first buffer is fine")
        #expect(client.write(body, count: 0) == .bytes(0))
        #expect(client.write(body, count: 2) == .bytes(2))
        #expect(body.text == "ore")
        client.close()
        #expect(readAll(server).content == Array("head;body and m".utf8))
    }

    @Test func offeringMoreThanThereIsTraps() async {
        await #expect(processExitsWith: .failure) { _ = Socket(descriptor: 0).write(buffer([1]), count: 2) }
        await #expect(processExitsWith: .failure) {
            _ = Socket(descriptor: 0).write(buffer([1]), then: buffer([1]), count: 2)
        }
    }

    @Test func aBadDescriptorTraps() async {
        await #expect(processExitsWith: .failure) { _ = Socket(descriptor: -1).read(into: Buffer(capacity: 1)) }
        await #expect(processExitsWith: .failure) { _ = Socket(descriptor: -1).write(buffer([1])) }
        await #expect(processExitsWith: .failure) { Socket(descriptor: -1).close() }
        await #expect(processExitsWith: .failure) { _ = Socket(descriptor: -1).accept() }
    }

    // MARK: Facts

    @Test(arguments: Loopback.hosts) func knowsItsAddresses(host: String) throws {
        let listener = try Loopback.listen(host)
        defer { listener.socket.close() }
        #expect(listener.address.host == host && listener.address.port != 0)
        let client = try Socket.connect(to: listener.address)
        defer { client.close() }
        #expect(awaitReadable(listener.socket.descriptor))
        guard case .accepted(let server, let address) = listener.socket.accept() else {
            throw Unexpected("nothing was accepted")
        }
        defer { server.close() }
        #expect(server.localAddress == listener.address)
        #expect(address == client.localAddress && address != nil)
        #expect(address?.host == host)
        #expect(client.takeError() == 0 && server.takeError() == 0)
    }

    @Test func nonSocketHasNoAddress() {
        #expect(Socket(descriptor: -1).localAddress == nil)
        #expect(Socket(descriptor: -1).unixCredentials == nil)
    }
}
