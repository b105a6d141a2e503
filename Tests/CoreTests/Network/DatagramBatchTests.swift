import CLinux
import Glibc
import Testing

@testable import Core

@Suite struct DatagramBatchTests {
    private static let noise = randomBytes(70_000, seed: 23)

    private func address(_ host: String, _ port: UInt16 = 0) throws -> SocketAddress {
        try #require(SocketAddress(literal: host, port: port))
    }

    /// A listening socket, a client that is connected to it, and a batch.
    private struct Party {
        let listener: DatagramSocket, address: SocketAddress, client: DatagramSocket, clientAddress: SocketAddress
        let batch = DatagramBatch(capacity: 8)

        init(_ host: String) throws {
            (listener, address) = try Datagrams.listen(host)
            client = try DatagramSocket.connect(to: address)
            clientAddress = try #require(client.localAddress)
        }

        func close() {
            listener.close()
            client.close()
        }
    }

    // MARK: Receiving

    @Test(arguments: Loopback.hosts + ["127.0.0.2"]) func reportsSourceAndDestination(host: String) throws {
        let party = try Party(host)
        defer { party.close() }
        let batch = party.batch
        #expect(batch.receive(from: party.listener) == .wouldBlock && batch.count == 0)
        #expect(Datagrams.send(Array("hello".utf8), over: party.client))
        #expect(batch.receiveSoon(from: party.listener) == .messages(1) && batch.count == 1)
        #expect(batch.content(0) == Array("hello".utf8))
        #expect(batch[0].source == party.clientAddress)
        #expect(batch[0].destination == LocalAddress(party.address))
        #expect(batch[0].byteCount == 5 && batch[0].datagramCount == 1)
        #expect(batch[0].segmentSize == 0)
        #expect(batch.receive(from: party.listener) == .wouldBlock && batch.count == 0)

        #expect(Datagrams.send([7], over: party.client))
        #expect(batch.receiveSoon(from: party.listener) == .messages(1))
        let back = batch[0].source
        #expect(batch.forward(0..<1, over: party.listener, to: back) == .messages(1))
        #expect(batch.receiveSoon(from: party.client) == .messages(1))
        #expect(
            batch[0].source == party.address && batch[0].destination == nil, "a connected socket does not request it")
    }

    /// The client would ignore a reply from another address, and the kernel's default source is 127.0.0.1.
    @Test func replyComesFromTheAddressOfTheRequest() throws {
        let wildcard = try Datagrams.listen("0.0.0.0")
        let client = try DatagramSocket.connect(to: try address("127.0.0.5", wildcard.address.port))
        let other = try Datagrams.listen("127.0.0.1")
        defer { wildcard.socket.close(); client.close(); other.socket.close() }
        let batch = DatagramBatch(capacity: 4)
        #expect(Datagrams.send([1, 2], over: client))
        #expect(batch.receiveSoon(from: wildcard.socket) == .messages(1))
        let message = batch[0]
        #expect(message.destination == LocalAddress(try address("127.0.0.5")))
        let source = message.source
        #expect(batch.forward(0..<1, over: wildcard.socket, to: source, from: message.destination) == .messages(1))
        #expect(Datagrams.receiveOne(from: client) == [1, 2])

        #expect(batch.forward(0..<1, over: wildcard.socket, to: other.address) == .messages(1))
        #expect(batch.receiveSoon(from: other.socket) == .messages(1))
        #expect(batch[0].source == (try address("127.0.0.1", wildcard.address.port)), "without a source")
    }

    @Test(.enabled(if: Loopback.hosts.contains(Loopback.ipv6))) func replyOverIPv6ComesFromTheAddressOfTheRequest()
        throws
    {
        let wildcard = try Datagrams.listen("::")
        let client = try DatagramSocket.connect(to: try address("::1", wildcard.address.port))
        defer { wildcard.socket.close(); client.close() }
        let batch = DatagramBatch(capacity: 4)
        #expect(Datagrams.send([1, 2], over: client))
        #expect(batch.receiveSoon(from: wildcard.socket) == .messages(1))
        let message = batch[0]
        #expect(message.destination == LocalAddress(try address("::1")))
        #expect(
            batch.forward(0..<1, over: wildcard.socket, to: message.source, from: message.destination) == .messages(1))
        #expect(Datagrams.receiveOne(from: client) == [1, 2])
        // The kernel uses the given source: it refuses one that is not local.
        let foreign = LocalAddress(try address("2001:db8::1"))
        #expect(
            batch.forward(0..<1, over: wildcard.socket, to: message.source, from: foreign) == .failed(EINVAL))
    }

    @Test func moreThanFitTakeTwoReceives() throws {
        let party = try Party(Loopback.ipv4)
        defer { party.close() }
        for number in 0..<11 { #expect(Datagrams.send([UInt8(number)], over: party.client)) }
        let batch = party.batch
        #expect(batch.receiveSoon(from: party.listener) == .messages(8))
        #expect((0..<8).map { batch.content($0) } == (0..<8).map { [$0] })
        #expect(batch.receive(from: party.listener) == .messages(3))
        #expect((0..<3).map { batch.content($0) } == (8..<11).map { [$0] })
        #expect(batch.receive(from: party.listener) == .wouldBlock)
    }

    /// Nothing of an earlier message is left in a slot.
    @Test func slotsAreReused() throws {
        let party = try Party(Loopback.ipv4)
        defer { party.close() }
        let batch = party.batch
        for round in 0..<20 {
            let sizes = (0..<(1 + round % 8)).map { ($0 * 37 + round * 101) % 1400 }
            for size in sizes { #expect(Datagrams.send(Array(Self.noise[round..<round + size]), over: party.client)) }
            #expect(batch.receiveSoon(from: party.listener) == .messages(sizes.count))
            for (index, size) in sizes.enumerated() {
                #expect(batch.content(index) == Array(Self.noise[round..<round + size]))
                #expect(batch[index].source == party.clientAddress)
                #expect(batch[index].destination == LocalAddress(party.address))
            }
            // Sending from a slot changes its header.
            let back = batch.forward(0..<sizes.count, over: party.listener, to: party.clientAddress)
            #expect(back == .messages(sizes.count))
            #expect(Datagrams.receive(sizes.count, from: party.client).map(\.count) == sizes)
        }
    }

    @Test func closedTargetIsReportedOnce() throws {
        let target = try Datagrams.listen(Loopback.ipv4)
        let connection = try DatagramSocket.connect(to: target.address)
        defer { connection.close() }
        target.socket.close()
        #expect(Datagrams.send([1], over: connection))
        let batch = DatagramBatch(capacity: 2)
        #expect(batch.receiveSoon(from: connection) == .failed(ECONNREFUSED))
        #expect(batch.receive(from: connection) == .wouldBlock)
    }

    /// Over a Unix socket, since no datagram over IP is that long.
    @Test func aMessageLongerThanASlotIsTruncated() throws {
        let (near, far) = try Datagrams.unixPair()
        defer { near.close(); far.close() }
        #expect(Datagrams.send(Self.noise, over: far))
        #expect(Datagrams.send([1], over: far))
        let batch = DatagramBatch(capacity: 2)
        #expect(batch.receiveSoon(from: near) == .messages(2))
        #expect(batch.content(0) == Array(Self.noise[..<Limits.datagramMessageBytes]))
    }

    @Test func runsShareClientAndAddress() throws {
        let wildcard = try Datagrams.listen("0.0.0.0")
        let port = wildcard.address.port
        let first = try DatagramSocket.connect(to: try address("127.0.0.1", port))
        let second = try DatagramSocket.connect(to: try address("127.0.0.1", port))
        defer { wildcard.socket.close(); first.close(); second.close() }
        let batch = DatagramBatch(capacity: 8)
        for client in [first, first, second, first, first, first] { #expect(Datagrams.send([1], over: client)) }
        #expect(batch.receiveSoon(from: wildcard.socket) == .messages(6))
        #expect(batch.run(from: 0) == 0..<2)
        #expect(batch.run(from: 1) == 1..<2)
        #expect(batch.run(from: 2) == 2..<3)
        #expect(batch.run(from: 3) == 3..<6)

        // The same client uses two local addresses. These are two flows, since their replies come from two addresses.
        let client = try Datagrams.listen("127.0.0.1")
        defer { client.socket.close() }
        for host in ["127.0.0.1", "127.0.0.2", "127.0.0.2"] {
            #expect(batch.forward(0..<1, over: client.socket, to: try address(host, port)) == .messages(1))
        }
        #expect(batch.receiveSoon(from: wildcard.socket) == .messages(3))
        #expect((0..<3).allSatisfy { batch[$0].source == client.address })
        #expect(batch.run(from: 0) == 0..<1)
        #expect(batch.run(from: 1) == 1..<3)
    }

    // MARK: Forwarding

    @Test(arguments: Loopback.hosts) func forwardsToAConnectedTarget(host: String) throws {
        let party = try Party(host)
        let target = try Datagrams.listenPlainly(host)
        let connection = try DatagramSocket.connect(to: target.address)
        defer { party.close(); target.socket.close(); connection.close() }
        let sizes = [1, 0, 1200, Datagrams.longest(host), 0]
        for size in sizes { #expect(Datagrams.send(Array(Self.noise[..<size]), over: party.client)) }
        #expect(party.batch.receiveSoon(from: party.listener) == .messages(5))
        #expect((0..<5).map { party.batch[$0].byteCount } == sizes)
        #expect(party.batch.forward(0..<5, over: connection) == .messages(5))
        #expect(Datagrams.receive(5, from: target.socket) == sizes.map { Array(Self.noise[..<$0]) })
        #expect(party.batch.forward(2..<3, over: connection) == .messages(1), "and once more")
        #expect(Datagrams.receive(1, from: target.socket) == [Array(Self.noise[..<1200])])
        #expect(party.batch.forward(2..<2, over: connection) == .messages(0))
        #expect(Datagrams.isSilent(target.socket))
    }

    @Test func eachMessageHasItsOwnRoute() throws {
        let wildcard = try Datagrams.listen("0.0.0.0")
        let clients = try ["127.0.0.1", "127.0.0.2", "127.0.0.5"].map {
            try DatagramSocket.connect(to: try address($0, wildcard.address.port))
        }
        defer { wildcard.socket.close(); for client in clients { client.close() } }
        for (number, client) in clients.enumerated() { #expect(Datagrams.send([UInt8(number)], over: client)) }
        let batch = DatagramBatch(capacity: 8)
        #expect(batch.receiveSoon(from: wildcard.socket) == .messages(3))
        let result = batch.forward(0..<3, over: wildcard.socket) {
            DatagramRoute(to: batch[$0].source, from: batch[$0].destination)
        }
        #expect(result == .messages(3))
        for (number, client) in clients.enumerated() {
            #expect(Datagrams.receiveOne(from: client) == [UInt8(number)])
        }
    }

    /// Whether the kernel joins datagrams (GRO), as it has since 5.0.
    private static let joins: Bool = {
        guard let party = try? Party(Loopback.ipv4) else { return false }
        defer { party.close() }
        guard Datagrams.send([1, 2, 3], segmentSize: 2, over: party.client) else { return false }
        return party.batch.receiveSoon(from: party.listener) == .messages(1) && party.batch[0].datagramCount == 2
    }()

    @Test(.enabled(if: joins), arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func joinedDatagramsKeepTheirBoundaries(seed: UInt64) throws {
        // With odd seeds the kernel refuses to split for this socket, as on a path with a small MTU.
        let isRefused = seed % 2 == 1
        let host = isRefused ? Loopback.ipv4 : Loopback.hosts[Int(seed / 2) % Loopback.hosts.count]
        let party = try Party(host)
        let target = try Datagrams.listenPlainly(host)
        let connection = try DatagramSocket.connect(to: target.address)
        defer { party.close(); target.socket.close(); connection.close() }
        if isRefused { #expect(Datagrams.set(connection, SOL_SOCKET, SO_NO_CHECK, 1)) }
        var random = FastRandom(seed: seed)
        for _ in 0..<30 {
            var sent: [[UInt8]] = []
            let messageCount = 1 + random.next(below: 8)
            for _ in 0..<messageCount {
                let segmentSize = 1 + random.next(below: 1400)
                let byteCount = 1 + random.next(below: min(segmentSize * 64, 30_000))
                let start = random.next(below: 30_000)
                let bytes = Array(Self.noise[start..<start + byteCount])
                let pieces = Datagrams.split(bytes, segmentSize)
                let isSent =
                    pieces.count > 1
                    ? Datagrams.send(bytes, segmentSize: segmentSize, over: party.client)
                    : Datagrams.send(bytes, over: party.client)
                #expect(isSent)
                sent += pieces
            }
            #expect(party.batch.receiveSoon(from: party.listener) == .messages(messageCount))
            #expect((0..<messageCount).reduce(0) { $0 + party.batch[$1].datagramCount } == sent.count)
            var received: [[UInt8]] = []
            var rest = 0..<messageCount
            let joinedCount = rest.filter { party.batch[$0].datagramCount > 1 }.count
            var callCount = 0
            while !rest.isEmpty {
                let result = party.batch.forward(rest, over: connection)
                guard case .messages(let count) = result, count > 0 else { throw Unexpected("\(result)") }
                callCount += 1
                // Received at once, so that the target's queue cannot overflow.
                let datagrams = rest.prefix(count).reduce(0) { $0 + party.batch[$1].datagramCount }
                received += Datagrams.receive(datagrams, from: target.socket)
                rest = rest.dropFirst(count)
            }
            try #require(received == sent)
            #expect(isRefused ? callCount >= joinedCount : callCount == 1)
            #expect(Datagrams.isSilent(target.socket))
        }
    }

    /// Datagrams that arrive joined are sent joined: one message, not sixteen.
    @Test(.enabled(if: joins), arguments: Loopback.hosts) func joinedDatagramsStayJoined(host: String) throws {
        let party = try Party(host)
        let target = try Datagrams.listen(host)
        let connection = try DatagramSocket.connect(to: target.address)
        defer { party.close(); target.socket.close(); connection.close() }
        let bytes = Array(Self.noise[..<(15 * 1200 + 7)])
        #expect(Datagrams.send(bytes, segmentSize: 1200, over: party.client))
        for listener in [party.listener, target.socket] {
            #expect(party.batch.receiveSoon(from: listener) == .messages(1))
            #expect(party.batch[0].segmentSize == 1200 && party.batch[0].datagramCount == 16)
            #expect(party.batch.content(0) == bytes)
            if listener == party.listener { #expect(party.batch.forward(0..<1, over: connection) == .messages(1)) }
        }
        // And back to a client, with a source beside the segment size.
        let (source, local) = (party.clientAddress, LocalAddress(party.address))
        #expect(party.batch.forward(0..<1, over: party.listener, to: source, from: local) == .messages(1))
        #expect(party.batch.receiveSoon(from: party.client) == .messages(1))
        #expect(party.batch[0].segmentSize == 1200 && party.batch.content(0) == bytes)
        #expect(party.batch[0].source == party.address)
    }

    /// The kernel does not split for this socket, and sending the second datagram reports the error of the first.
    @Test(.enabled(if: joins), arguments: [950, 150])
    func interruptedMessageContinuesWhereItStopped(byteCount: Int) throws {
        let party = try Party(Loopback.ipv4)
        let closed = try Datagrams.listen(Loopback.ipv4)
        let connection = try DatagramSocket.connect(to: closed.address)
        closed.socket.close()
        defer { party.close(); connection.close() }
        #expect(Datagrams.set(connection, SOL_SOCKET, SO_NO_CHECK, 1))
        let batch = party.batch
        let bytes = Array(Self.noise[..<byteCount])
        let pieces = Datagrams.split(bytes, 100)
        #expect(Datagrams.send(bytes, segmentSize: 100, over: party.client))
        #expect(Datagrams.send([1], over: party.client))
        #expect(batch.receiveSoon(from: party.listener) == .messages(2))
        #expect(batch.forward(0..<2, over: connection) == .failed(ECONNREFUSED))
        #expect(batch[0].datagramCount == pieces.count - 1)
        #expect(batch[0].byteCount == byteCount - 100 && batch.content(0) == Array(bytes[100...]))

        let target = try DatagramSocket.listen(on: closed.address, sharesPort: false)
        defer { target.close() }
        #expect(Datagrams.set(target, Int32(IPPROTO_UDP), UDP_GRO, 0))
        #expect(batch.forward(0..<2, over: connection) == .messages(1))
        #expect(batch.forward(1..<2, over: connection) == .messages(1))
        let expected = pieces.dropFirst() + [[1]]
        #expect(Datagrams.receive(expected.count, from: target) == Array(expected))
        #expect(batch[0].datagramCount == pieces.count && batch.content(0) == bytes, "complete again")
    }

    @Test func aFullQueueStopsASend() throws {
        let party = try Party(Loopback.ipv4)
        let (near, far) = try Datagrams.unixPair()
        defer { party.close(); near.close(); far.close() }
        for number in 0..<8 { #expect(Datagrams.send([UInt8(number)], over: party.client)) }
        #expect(party.batch.receiveSoon(from: party.listener) == .messages(8))
        var sentCount = 0
        var result = party.batch.forward(0..<8, over: near)
        while case .messages(let count) = result, sentCount < 10_000 {
            sentCount += count
            let next = sentCount % 8
            result = party.batch.forward(next..<8, over: near)
        }
        #expect(result == .wouldBlock)
        #expect(Datagrams.receive(sentCount, from: far) == (0..<sentCount).map { [UInt8($0 % 8)] })
        #expect(Datagrams.isSilent(far))
    }

    /// An IPv6 datagram may be longer than any IPv4 datagram.
    @Test(.enabled(if: Loopback.hosts.contains(Loopback.ipv6))) func failureConcernsOneMessage() throws {
        let party = try Party(Loopback.ipv6)
        let target = try Datagrams.listenPlainly(Loopback.ipv4)
        let connection = try DatagramSocket.connect(to: target.address)
        defer { party.close(); target.socket.close(); connection.close() }
        for size in [1, Datagrams.longest(Loopback.ipv6), 2] {
            #expect(Datagrams.send(Array(Self.noise[..<size]), over: party.client))
        }
        #expect(party.batch.receiveSoon(from: party.listener) == .messages(3))
        #expect(party.batch.forward(0..<3, over: connection) == .messages(1))
        #expect(party.batch.forward(1..<3, over: connection) == .failed(EMSGSIZE))
        #expect(party.batch.forward(2..<3, over: connection) == .messages(1))
        #expect(Datagrams.receive(2, from: target.socket).map(\.count) == [1, 2])
    }

    // MARK: Our own faults

    @Test func indexOutOfRangeTraps() async {
        await #expect(processExitsWith: .failure) { _ = DatagramBatch(capacity: 0) }
        await #expect(processExitsWith: .failure) { _ = DatagramBatch(capacity: 1025) }
        await #expect(processExitsWith: .failure) { _ = DatagramBatch(capacity: 2)[0] }
        await #expect(processExitsWith: .failure) { _ = DatagramBatch(capacity: 2).content(0) }
        await #expect(processExitsWith: .failure) {
            _ = DatagramBatch(capacity: 2).forward(0..<1, over: DatagramSocket(descriptor: 0))
        }
        await #expect(processExitsWith: .failure) {
            _ = DatagramBatch(capacity: 2).receive(from: DatagramSocket(descriptor: -1))
        }
    }
}
