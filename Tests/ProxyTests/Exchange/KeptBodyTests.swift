import Core
import Testing

@testable import Proxy

@Suite struct KeptBodyTests {
    private func buffer(_ text: String) -> Buffer {
        let buffer = Buffer(capacity: 100_000)
        buffer.append(Array(text.utf8).span)
        return buffer
    }

    private func text(_ buffer: Buffer?) -> String? {
        buffer.map { buffer in
            let bytes = buffer.bytes
            return String(decoding: (0..<bytes.count).map { bytes[$0] }, as: UTF8.self)
        }
    }

    @Test func aKeptBodyIsReplayed() {
        var pool = BufferPool(bytesMax: 1 << 20), body = KeptBody()
        body.keep(buffer("Hello"), count: 5, most: 100, &pool)
        body.unkeep(2)
        body.keep(buffer("p!xx"), count: 2, most: 100, &pool)
        #expect(pool.bytesHeld == body.heldByteCount && body.heldByteCount > 0)
        body.rewind(&pool)
        #expect(text(body.replay) == "Help!")
        body.endReplay(&pool)
        #expect(body.replay == nil && pool.bytesHeld == 0)
    }

    /// The second attempt fails in the middle of the replay: the third begins at the beginning again.
    @Test func aReplayIsKeptAgain() throws {
        var pool = BufferPool(bytesMax: 1 << 20), body = KeptBody()
        body.keep(buffer("abcdef"), count: 6, most: 100, &pool)
        body.rewind(&pool)
        let replay = try #require(body.replay)
        body.keep(replay, count: 2, most: 100, &pool)
        replay.consume(2)
        body.rewind(&pool)
        #expect(text(body.replay) == "abcdef")
        body.reset(&pool)
        #expect(pool.bytesHeld == 0 && body.heldByteCount == 0)
    }

    @Test func aBodyBeyondTheLimitIsNotKept() {
        var pool = BufferPool(bytesMax: 1 << 20), body = KeptBody()
        body.keep(buffer("abcd"), count: 4, most: 5, &pool)
        #expect(!body.isLost)
        body.keep(buffer("ef"), count: 2, most: 5, &pool)
        #expect(body.isLost && pool.bytesHeld == 0)
        body.keep(buffer("g"), count: 1, most: 5, &pool)
        body.unkeep(1)
        #expect(body.isLost && pool.bytesHeld == 0)
        body.reset(&pool)
        #expect(!body.isLost)
    }

    @Test func growsWithTheBody() {
        var pool = BufferPool(bytesMax: 1 << 20), body = KeptBody()
        let piece = String(repeating: "x", count: 30_000)
        for _ in 0..<2 { body.keep(buffer(piece), count: 30_000, most: 65_536, &pool) }
        body.rewind(&pool)
        #expect(body.replay?.count == 60_000 && !body.isLost)
        body.reset(&pool)
    }

    @Test func nothingIsKeptWhereNothingMayBe() {
        var pool = BufferPool(bytesMax: 1 << 20), body = KeptBody()
        body.keep(buffer("a"), count: 1, most: 0, &pool)
        #expect(body.isLost && pool.bytesHeld == 0)
        body.reset(&pool)
    }
}
