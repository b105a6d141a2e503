import Synchronization
import Testing

@testable import Core

@Suite struct SharedAddressTests {
    /// An address that two threads share.
    private final class Place: Sendable {
        let address = SharedAddress()
        let isOver = Atomic<Bool>(false)
    }

    @Test func theLastOneIsKept() throws {
        let shared = SharedAddress()
        #expect(shared.value == nil)
        for literal in ["192.0.2.7", "2001:db8::7", "0.0.0.0", "::"] {
            let address = try #require(SocketAddress(literal: literal, port: 4711))
            shared.note(address)
            #expect(shared.value == address.with(port: 0))
        }
    }

    /// Both halves of each address say the same, so that two halves of different ones are noticed.
    @Test func noReaderSeesHalfOfAnAddress() throws {
        let place = Place()
        let writer = Thread.start(name: "writer") {
            for number in UInt64(1)...200_000 {
                place.address.note(SocketAddress(high: number << 32, low: number << 32, port: 0))
            }
            place.isOver.store(true, ordering: .releasing)
        }
        var seen = 0
        while !place.isOver.load(ordering: .acquiring) {
            guard let address = place.address.value else { continue }
            seen += address.words.high == address.words.low ? 1 : 1_000_000_000
        }
        writer.join()
        #expect(seen < 1_000_000_000)
        #expect(place.address.value?.words.low == 200_000 << 32)
    }
}
