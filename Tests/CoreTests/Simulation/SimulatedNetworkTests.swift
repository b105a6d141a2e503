import Core
import Testing

/// What is expected of a kernel, asked of Linux and of the simulated network alike.
enum Kernel: CaseIterable, CustomTestStringConvertible {
    case linux, simulated

    var testDescription: String { self == .linux ? "Linux" : "simulated" }

    /// Runs `body` with a connection over loopback, or over one in memory.
    func run(_ body: (inout Ends) -> Void) {
        switch self {
        case .linux: withEnds(network: nil, body)
        case .simulated:
            for seed in UInt64(0)..<20 { SimulatedNetwork.run(seed: seed) { withEnds(network: $0, body) } }
        }
    }

    private func withEnds(network: SimulatedNetwork?, _ body: (inout Ends) -> Void) {
        guard let any = SocketAddress(literal: "127.0.0.1", port: network == nil ? 0 : 80) else { return }
        do {
            let listening = try network?.listen(on: any) ?? Socket.listen(on: any, sharesPort: false)
            guard let address = listening.localAddress else { return }
            var ends = Ends(network: network, left: try Socket.connect(to: address), address: address)
            ends.poller.add(ends.left.descriptor, token: Ends.token, interest: .edges)
            var accepted: Socket?
            ends.wait("accepted") { _ in
                if case .accepted(let socket, _) = listening.accept() { accepted = socket }
                return accepted != nil
            }
            listening.close()
            if let accepted { ends.right = accepted }
            body(&ends)
        } catch { Issue.record(error) }
    }
}

/// Both ends of a connection. The poller watches the left one.
struct Ends: ~Copyable {
    static let token = Token(index: 0, generation: 1)

    let network: SimulatedNetwork?
    let left: Socket
    var right = Socket(descriptor: -1)
    let address: SocketAddress
    var poller = Poller()
    let buffer = Buffer(capacity: 1 << 16)

    init(network: SimulatedNetwork?, left: Socket, address: SocketAddress) {
        self.network = network
        self.left = left
        self.address = address
    }

    /// Lets time pass until it is so.
    mutating func wait(_ what: Comment, _ isSo: (inout Ends) -> Bool) {
        let deadline = Instant.now() + 10_000_000_000
        while !isSo(&self) {
            if Instant.now() > deadline {
                Issue.record(what)
                return
            }
            network?.advance(to: Instant.now() + 10_000)
        }
    }

    /// What the poller says about the left end; nil if nothing.
    mutating func event() -> Poller.Ready? {
        let now = Instant.now()
        return poller.wait(until: now, now: now) > 0 ? poller.ready(0) : nil
    }

    /// The next thing that is read from `socket`.
    mutating func read(_ socket: Socket) -> Socket.ReadResult {
        var result = Socket.ReadResult.wouldBlock
        self.wait("something to read") { ends in
            ends.buffer.removeAll()
            result = socket.read(into: ends.buffer)
            return result != .wouldBlock
        }
        return result
    }

    func write(_ socket: Socket, _ count: Int) -> Socket.WriteResult {
        buffer.removeAll()
        for _ in 0..<count { buffer.append(0x61) }
        return socket.write(buffer)
    }
}

@Suite struct SimulatedNetworkTests {
    @Test(arguments: Kernel.allCases) func eachDirectionEndsByItself(kernel: Kernel) {
        kernel.run { ends in
            let left = ends.left, right = ends.right
            ends.wait("connected") { $0.event()?.isWritable ?? false }
            #expect(ends.write(left, 10) == .bytes(10))
            left.shutdownWrite()
            var count = 0
            while case .bytes(let more) = ends.read(right) { count += more }
            #expect(count == 10)
            #expect(ends.write(right, 5) == .bytes(5))
            #expect(ends.write(left, 1) == .failed(32), "EPIPE")
            right.close()
            count = 0
            while case .bytes(let more) = ends.read(left) { count += more }
            #expect(count == 5)
            #expect(ends.read(left) == .endOfStream)
            left.close()
        }
    }

    @Test(arguments: Kernel.allCases) func aResetIsToldOnce(kernel: Kernel) {
        kernel.run { ends in
            let left = ends.left
            ends.wait("connected") { $0.event()?.isWritable ?? false }
            ends.right.closeWithReset()
            ends.wait("dead") { $0.event()?.isDead ?? false }
            #expect(ends.read(left) == .failed(104), "ECONNRESET")
            #expect(ends.read(left) == .endOfStream)
            #expect(ends.write(left, 1) == .failed(32), "EPIPE")
            left.close()
        }
    }

    @Test(arguments: Kernel.allCases) func whoClosesWithoutReadingResets(kernel: Kernel) {
        kernel.run { ends in
            let left = ends.left, right = ends.right
            ends.wait("connected") { $0.event()?.isWritable ?? false }
            #expect(ends.write(left, 10) == .bytes(10))
            ends.wait("arrived") { _ in left.unacknowledgedByteCount == 0 }
            right.close()
            ends.wait("dead") { $0.event()?.isDead ?? false }
            #expect(left.takeError() == 104, "ECONNRESET")
            left.close()
        }
    }

    @Test(arguments: Kernel.allCases) func readinessIsToldOncePerChange(kernel: Kernel) {
        kernel.run { ends in
            let left = ends.left, right = ends.right
            ends.wait("connected") { $0.event()?.isWritable ?? false }
            for _ in 0..<2 {
                #expect(ends.write(right, 10) == .bytes(10))
                ends.wait("readable") { $0.event()?.isReadable ?? false }
                ends.wait("arrived") { _ in right.unacknowledgedByteCount == 0 }
                while ends.event() != nil {}
                let again = ends.event()
                #expect(again == nil, "though nobody has read")
            }
            var count = 0
            while count < 20, case .bytes(let more) = ends.read(left) { count += more }
            #expect(count == 20)
            left.close()
            right.close()
        }
    }

    @Test(arguments: Kernel.allCases) func aFullBufferIsToldAboutWhenItIsNot(kernel: Kernel) {
        kernel.run { ends in
            let left = ends.left, right = ends.right
            ends.wait("connected") { $0.event()?.isWritable ?? false }
            var written = 0
            ends.wait("full") { ends in
                while case .bytes(let count) = ends.write(left, 1 << 16) { written += count }
                return ends.event().map { !$0.isWritable } ?? true && ends.write(left, 1) == .wouldBlock
            }
            var readCount = 0
            ends.wait("room") { ends in
                ends.buffer.removeAll()
                if case .bytes(let count) = right.read(into: ends.buffer) { readCount += count }
                return ends.event()?.isWritable ?? false
            }
            #expect(readCount > 0)
            guard case .bytes = ends.write(left, 1) else {
                Issue.record("no room after all")
                return
            }
            while readCount < written + 1, case .bytes(let count) = ends.read(right) { readCount += count }
            #expect(readCount == written + 1)
            left.close()
            right.close()
        }
    }

    @Test(arguments: Kernel.allCases) func nobodyListens(kernel: Kernel) {
        kernel.run { ends in
            ends.wait("connected") { $0.event()?.isWritable ?? false }
            ends.left.close()
            ends.right.close()
            guard let refused = try? Socket.connect(to: ends.address) else {
                Issue.record("refused at once")
                return
            }
            ends.poller.add(refused.descriptor, token: Ends.token, interest: .edges)
            ends.wait("dead") { $0.event()?.isDead ?? false }
            #expect(refused.takeError() == connectionRefusedError)
            #expect(refused.takeError() == 0)
            refused.close()
        }
    }

    /// A host that is silent acknowledges nothing, and what was lost comes once it is heard again.
    @Test func aSilentHost() {
        Kernel.simulated.run { ends in
            guard let network = ends.network else { return }
            let left = ends.left
            ends.wait("connected") { $0.event()?.isWritable ?? false }
            network.silence(ends.address)
            #expect(ends.write(left, 10) == .bytes(10))
            network.advance(to: network.now + 2_000_000_000)
            #expect(left.unacknowledgedByteCount == 10 && left.isUnresponsive(for: 1_000_000_000))
            network.restore(ends.address)
            ends.wait("acknowledged") { _ in left.unacknowledgedByteCount == 0 }
            #expect(!left.isUnresponsive(for: 1_000_000_000))
            left.close()
            ends.right.close()
        }
    }

    @Test func timeGoesOnOnlyWhenItIsLet() {
        SimulatedNetwork.run(seed: 1) { network in
            let now = Instant.now()
            #expect(Instant.now() == now)
            network.advance(to: now + 86_400_000_000_000)
            #expect(Instant.now() == now + 86_400_000_000_000)
        }
    }
}
