import Core
import Testing

@Suite struct PollerTests {
    /// Ten seconds from now; no test waits as long unless it fails.
    private static var deadline: Instant { Instant.now() + 10_000_000_000 }
    private static let token = Token(index: 3, generation: 9)

    /// The next event of one descriptor as letters: r(eadable), w(ritable), e(nd of stream), d(ead); nil if there is
    /// none now, or within the time if `isAwaited`.
    private func event(_ poller: inout Poller, isAwaited: Bool = false) -> String? {
        let now = Instant.now()
        guard poller.wait(until: isAwaited ? Self.deadline : now, now: now) > 0 else { return nil }
        let ready = poller.ready(0)
        return (ready.isReadable ? "r" : "") + (ready.isWritable ? "w" : "") + (ready.isEndOfStream ? "e" : "")
            + (ready.isDead ? "d" : "")
    }

    /// Waits for the descriptor, so that the poller under test has its event at once or not at all.
    private func send(_ bytes: [UInt8], from sender: Socket, to receiver: Socket) {
        let isSent = sender.write(buffer(bytes)) == .bytes(bytes.count)
        #expect(isSent && awaitReadable(receiver.descriptor))
    }

    // MARK: Edges

    @Test(arguments: Loopback.hosts) func edgesAreReportedOnce(host: String) throws {
        let (client, server) = try Loopback.connect(host)
        defer { client.close(); server.close() }
        var poller = Poller()
        poller.add(server.descriptor, token: Self.token, interest: .edges)
        var events = [event(&poller), event(&poller)]
        #expect(events == ["w", nil], "writable at first, reported once")

        send([1, 2, 3], from: client, to: server)
        events = [event(&poller), event(&poller)]
        #expect(events == ["rw", nil], "unread bytes are not reported again")

        send([4], from: client, to: server)
        events = [event(&poller), event(&poller)]
        #expect(events == ["rw", nil], "new bytes are")

        let inbound = Buffer(capacity: 100)
        #expect(server.read(into: inbound) == .bytes(4))
        #expect(server.read(into: inbound) == .wouldBlock)
        let afterwards = event(&poller)
        #expect(afterwards == nil)
    }

    @Test func reportsWritableAgain() throws {
        let (client, server) = try Loopback.connect(Loopback.ipv4)
        defer { client.close(); server.close() }
        var poller = Poller()
        poller.add(client.descriptor, token: Self.token, interest: .edges)
        var next = event(&poller)
        #expect(next == "w")
        let piece = [UInt8](repeating: 1, count: 100_000)
        var total = 0
        while case .bytes(let count) = client.write(buffer(piece)) { total += count }
        next = event(&poller)
        #expect(next == nil, "full")
        let inbound = Buffer(capacity: 64 * 1024)
        while total > 0, awaitReadable(server.descriptor), case .bytes(let count) = server.read(into: inbound) {
            total -= count
            inbound.removeAll()
        }
        #expect(total == 0)
        next = event(&poller, isAwaited: true)
        #expect(next == "w")
        #expect(client.write(buffer(piece)) != .wouldBlock)
    }

    @Test func distinguishesHalfCloseAndClose() throws {
        let (client, server) = try Loopback.connect(Loopback.ipv4)
        defer { server.close() }
        var poller = Poller()
        poller.add(server.descriptor, token: Self.token, interest: .edges)
        _ = event(&poller)
        client.shutdownWrite()
        var next = event(&poller, isAwaited: true)
        #expect(next == "rwe", "the other side has half-closed, and may still read")
        server.shutdownWrite()
        next = event(&poller, isAwaited: true)
        #expect(next == "rwed", "both directions are over")
        client.close()
    }

    @Test func aResetIsDead() throws {
        let (client, server) = try Loopback.connect(Loopback.ipv4)
        defer { server.close() }
        var poller = Poller()
        poller.add(server.descriptor, token: Self.token, interest: .edges)
        _ = event(&poller)
        client.closeWithReset()
        let next = event(&poller, isAwaited: true)
        #expect(next == "rwed")
    }

    /// An event between connecting and registering is not lost.
    @Test func firstEventReportsTheCurrentState() throws {
        let (client, server) = try Loopback.connect(Loopback.ipv4)
        defer { server.close() }
        send([1], from: client, to: server)
        var poller = Poller()
        poller.add(server.descriptor, token: Self.token, interest: .edges)
        let next = event(&poller)
        #expect(next == "rw")
        client.close()
    }

    @Test(arguments: Loopback.hosts) func reportsTheEndOfAConnectionAttempt(host: String) throws {
        let listener = try Loopback.listen(host)
        defer { listener.socket.close() }
        let client = try Socket.connect(to: listener.address)
        defer { client.close() }
        var poller = Poller()
        poller.add(client.descriptor, token: Self.token, interest: .edges)
        let next = event(&poller, isAwaited: true)
        #expect(next == "w")
        #expect(client.takeError() == 0)
    }

    // MARK: Level

    @Test func listenersAreLevelTriggered() throws {
        let listener = try Loopback.listen(Loopback.ipv4)
        defer { listener.socket.close() }
        var poller = Poller()
        poller.add(listener.socket.descriptor, token: Self.token, interest: .readable)
        var events = [event(&poller)]
        #expect(events == [nil])
        let client = try Socket.connect(to: listener.address)
        defer { client.close() }
        events = [event(&poller, isAwaited: true), event(&poller), event(&poller)]
        #expect(events == ["r", "r", "r"])
        try Loopback.accept(from: listener.socket).close()
        events = [event(&poller)]
        #expect(events == [nil])
    }

    // MARK: Registration

    @Test func tokensAreReturnedUnchanged() {
        let tokens = [Token.none, Token(index: 1, generation: 1), Token(rawValue: .max), Token(rawValue: 1 << 63)]
        var poller = Poller()
        let events = tokens.map { _ in EventDescriptor() }
        for (wakeup, token) in zip(events, tokens) {
            poller.add(wakeup.descriptor, token: token, interest: .readable)
            wakeup.signal()
        }
        let now = Instant.now()
        let count = poller.wait(until: now, now: now)
        #expect(Set((0..<count).map { poller.ready($0).token }) == Set(tokens))
    }

    @Test func removedOrClosedDescriptorsAreNotReported() throws {
        var poller = Poller()
        let removed = EventDescriptor()
        poller.add(removed.descriptor, token: Self.token, interest: .readable)
        removed.signal()
        poller.remove(removed.descriptor)
        do {
            let closed = EventDescriptor()
            poller.add(closed.descriptor, token: Self.token, interest: .readable)
            closed.signal()
        }
        var next = event(&poller)
        #expect(next == nil)
        poller.add(removed.descriptor, token: Self.token, interest: .readable)
        next = event(&poller)
        #expect(next == "r", "and may be added again")
    }

    /// Events that do not fit into the array come with the next pass.
    @Test func manyEventsComeInSeveralPasses() {
        var poller = Poller()
        let events = (0..<Limits.readyEventsMax + 40).map { _ in EventDescriptor() }
        for (index, wakeup) in events.enumerated() {
            poller.add(wakeup.descriptor, token: Token(index: index, generation: 1), interest: .readable)
            wakeup.signal()
        }
        var seen: Set<Int> = []
        var counts: [Int] = []
        while seen.count < events.count && counts.count < 10 {
            let now = Instant.now()
            let count = poller.wait(until: now, now: now)
            counts.append(count)
            for index in 0..<count {
                let token = poller.ready(index).token
                seen.insert(token.index)
                events[token.index].clear()
            }
        }
        #expect(counts == [Limits.readyEventsMax, 40])
        #expect(seen.count == events.count)
    }

    @Test func misuseTraps() async {
        await #expect(processExitsWith: .failure) {
            Poller().add(-1, token: .none, interest: .edges)
        }
        await #expect(processExitsWith: .failure) { Poller().remove(0) }
        await #expect(processExitsWith: .failure) { _ = Poller().ready(0) }
    }

    // MARK: Time

    /// The kernel counts milliseconds and deadlines count nanoseconds. Waiting must not end early, or the loop would
    /// spin through the last millisecond before each timer.
    @Test(arguments: [1, 999, 1_000_000, 1_000_001, 4_194_304, 7_500_000] as [UInt64])
    func waitsUntilTheDeadlineHasCome(length: UInt64) {
        var poller = Poller()
        for _ in 0..<5 {
            let now = Instant.now()
            let count = poller.wait(until: now + length, now: now)
            #expect(count == 0)
            #expect(Instant.now() >= now + length)
        }
    }

    @Test func aDeadlineThatHasPassedDoesNotWait() {
        var poller = Poller()
        let now = Instant.now()
        let count = poller.wait(until: Instant(nanoseconds: 0), now: now)
        #expect(count == 0)
    }

    /// Neither a missing deadline nor the latest one overflows the kernel's milliseconds.
    @Test func farDeadlinesWaitForEvents() {
        var poller = Poller()
        let wakeup = EventDescriptor()
        poller.add(wakeup.descriptor, token: Self.token, interest: .readable)
        wakeup.signal()
        let deadlines: [Instant?] = [
            nil, .distantFuture, Instant(nanoseconds: .max - 1), Instant(nanoseconds: 1 << 62),
        ]
        for deadline in deadlines {
            for now in [Instant(nanoseconds: 0), Instant(nanoseconds: 5), .now()] {
                let count = poller.wait(until: deadline, now: now)
                #expect(count == 1)
            }
        }
    }

    @Test func anotherThreadEndsTheWait() {
        var poller = Poller()
        let wakeup = EventDescriptor()
        poller.add(wakeup.descriptor, token: Self.token, interest: .readable)
        let thread = Thread.start(name: "ringing") { wakeup.signal() }
        let count = poller.wait(until: Self.deadline, now: .now())
        #expect(count == 1)
        thread.join()
    }
}
