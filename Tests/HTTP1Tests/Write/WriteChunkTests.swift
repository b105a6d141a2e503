import Core
import HTTP1
import Testing

@Suite struct WriteChunkTests {
    @Test(arguments: [
        (1, "1"), (9, "9"), (10, "a"), (15, "f"), (16, "10"), (255, "ff"), (256, "100"), (4095, "fff"), (4096, "1000"),
        (65536, "10000"),
    ])
    func aChunkTellsItsSize(size: Int, digits: String) {
        let data = Array(repeating: UInt8(0x61), count: size)
        let chunk = written(size + chunkOverheadMax) { writeChunk(data.span, into: $0) }
        #expect(chunk == digits + "\r\n" + String(repeating: "a", count: size) + "\r\n")
    }

    @Test func theLastChunkEndsTheBody() {
        #expect(written(lastChunkByteCount()) { writeLastChunk(into: $0) } == "0\r\n\r\n")
        let trailers = Head()
        #expect(
            written(lastChunkByteCount(trailers: trailers)) { writeLastChunk(trailers: trailers, into: $0) }
                == "0\r\n\r\n")
    }

    @Test func decodesWhatWasWritten() {
        var decoder = BodyDecoder(.chunked)
        let trailers = Head()
        let section = bytes("0\r\nA:b\r\nContent-Length: 5\r\nC: d \r\n\r\n")
        #expect(decoder.next(section.span, trailers: trailers) == .end(skip: section.count))
        let body = written(100 + chunkOverheadMax * 2 + lastChunkByteCount(trailers: trailers)) {
            writeChunk(bytes("hello ").span, into: $0)
            writeChunk(bytes("\r\n0\r\n\r\n").span, into: $0)
            writeLastChunk(trailers: trailers, into: $0)
        }
        let decoded = decode(.chunked, bytes(body))
        #expect(decoded.data == "hello \r\n0\r\n\r\n")
        #expect(decoded.trailers == ["A: b", "C: d"])
        #expect(decoded.end == .ended(byteCount: body.unicodeScalars.count))
    }
}
