import Core
import HTTP2
import Testing

/// Floods: each is stopped, with its reason, and before it has made the session hold much.
@Suite struct LimitsTests {
    private func flood(_ count: Int, _ make: (Int, inout Frames) -> Void) -> Peer {
        let peer = Peer(.server)
        peer.receive(Frames.clientStart)
        for index in 0..<count where peer.isAlive {
            var frames = Frames()
            make(index, &frames)
            peer.receive(frames)
        }
        #expect(peer.session.heldByteCount < 1 << 20, "holds \(peer.session.heldByteCount)")
        return peer
    }

    /// CVE-2023-44487.
    @Test func rapidReset() {
        let peer = flood(2000) { index, frames in
            frames.headers(UInt32(2 * index + 1), Frames.get(), isEnd: false)
            frames.reset(UInt32(2 * index + 1))
        }
        #expect(peer.session.fault == .resetFlood && peer.frames.last == "GOAWAY 11")
        #expect(peer.told.isEmpty, "no request was begun")
    }

    /// CVE-2025-8671: it is we who reset, each time for an error of the client's.
    @Test func madeYouReset() {
        let peer = flood(2000) { index, frames in
            let stream = UInt32(2 * index + 1)
            frames.headers(stream, Frames.get(method: "POST"), isEnd: false)
            frames.window(stream, 0x7FFF_FFFF)
        }
        #expect(peer.session.fault == .resetFlood, "\(String(describing: peer.session.fault))")
    }

    /// A client that resets now and then is left alone: the budget fills again.
    @Test func resettingNowAndThenIsFine() {
        let peer = Peer(.server)
        peer.receive(Frames.clientStart)
        for index in 0..<2000 {
            var frames = Frames()
            frames.headers(UInt32(2 * index + 1), Frames.get(), isEnd: false)
            frames.reset(UInt32(2 * index + 1))
            peer.now = peer.now + 100_000_000
            peer.receive(frames)
        }
        #expect(peer.isAlive)
    }

    @Test(arguments: ["ping", "settings", "empty data", "priority", "window", "unknown"]) func framesThatBringNothing(
        kind: String
    ) {
        let peer = flood(200_000) { index, frames in
            if index == 0 { frames.headers(1, Frames.get(method: "POST"), isEnd: false) }
            switch kind {
            case "ping": frames.add(6, 0, 0, [UInt8](repeating: 0, count: 8))
            case "settings": frames.add(4, 0, 0, [])
            case "empty data": frames.data(1, [])
            case "priority": frames.add(2, 0, 1, [0, 0, 0, 0, 0])
            case "window": frames.window(0, 1)
            default: frames.add(0x77, 0, 0, [1])
            }
        }
        #expect(peer.session.fault == .controlFlood, "\(kind): \(String(describing: peer.session.fault))")
    }

    /// CVE-2024-27316.
    @Test func continuations() {
        let peer = flood(1000) { index, frames in
            if index == 0 {
                frames.headers(1, Frames.get(), flags: 0)
            } else {
                frames.add(9, 0, 1, Frames.block([("x", "y")]))
            }
        }
        #expect(!peer.isAlive && peer.told.isEmpty)
    }

    @Test func aHeadTooLargeIsAnsweredAndTheConnectionGoesOn() {
        let peer = Peer(.server)
        peer.receive(Frames.clientStart)
        var frames = Frames()
        frames.headers(1, Frames.get((0..<300).map { ("x-\($0)", "y") }))
        peer.receive(frames)
        #expect(peer.told == ["refused 413 TooManyFields"])
        var next = Frames()
        next.headers(3, Frames.get())
        peer.receive(next)
        #expect(peer.isAlive && peer.told.count == 2)
    }

    /// References to one large entry of the dynamic table: few octets that decode to many.
    @Test func aBombOfReferences() {
        let peer = Peer(.server)
        peer.receive(Frames.clientStart)
        var block = Frames.block(Frames.get())
        // A literal with indexing, of 3000 octets, then thousands of references to it.
        block += [0x40, 1, 0x78, 127, 0xB9, 0x16] + [UInt8](repeating: 0x61, count: 3000)
        block += [UInt8](repeating: 0xBE, count: 10_000)
        var frames = Frames()
        frames.add(1, 5, 1, block)
        peer.receive(frames)
        #expect(!peer.isAlive && peer.session.fault == .headFlood)
        #expect(peer.session.heldByteCount < 256 * 1024, "holds \(peer.session.heldByteCount)")
    }

    /// Cookies that come in crumbs count one by one.
    @Test func crumbsCountAsFields() {
        let peer = Peer(.server)
        peer.receive(Frames.clientStart)
        var frames = Frames()
        frames.headers(1, Frames.get((0..<300).map { ("cookie", "\($0)=1") }))
        peer.receive(frames)
        #expect(peer.told == ["refused 413 TooManyFields"])
    }

    /// Random frames do not crash it, and do not make it hold much. A seed makes the run repeatable.
    @Test(arguments: 0..<40) func randomFrames(seed: UInt64) {
        var random = FastRandom(seed: seed &* 977 &+ 11)
        let peer = Peer(seed.isMultiple(of: 2) ? .server : .client)
        peer.receive(seed.isMultiple(of: 2) ? Frames.clientStart : Frames.serverStart)
        for _ in 0..<400 where peer.isAlive {
            var frames = Frames()
            let kind = UInt8(random.next(below: 11))
            let stream = UInt32(random.next(below: 12))
            if random.next(below: 3) == 0 {
                frames.headers(stream | 1, Frames.get(), isEnd: random.next(below: 2) == 0)
            } else {
                let payload = (0..<Int(random.next(below: 40))).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                frames.add(kind, UInt8(truncatingIfNeeded: random.next()), stream, payload)
            }
            peer.receive(frames, step: Int(random.next(below: 30)) + 1)
        }
        #expect(peer.session.heldByteCount < 1 << 20)
    }
}
