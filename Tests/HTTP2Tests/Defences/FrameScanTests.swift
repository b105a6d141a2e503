import Testing

@testable import HTTP2

@Suite struct FrameScanTests {
    private let frames: [Frame] = [
        .settings([(1, 2)]), .ping(), .data(3), .data(5, Array(repeating: 9, count: 700), end: true),
        Frame(type: 0xFA, flags: 0x7F), .headers(7, get),
    ]

    /// The frame headers found in `bytes`, which arrive in pieces of `size`.
    private func scan(_ bytes: [UInt8], preface: Int, pieces size: Int) -> [FrameHeader] {
        var scan = FrameScan(prefaceCount: preface)
        var found: [FrameHeader] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            let piece = Array(bytes[start..<min(bytes.count, start + size)])
            var index = 0
            while let header = scan.next(piece.span, &index) { found.append(header) }
            #expect(index == piece.count)
        }
        return found
    }

    @Test func findsEveryFrameHoweverItArrives() {
        let expected = frames.map {
            FrameHeader(length: $0.payload.count, type: $0.type, flags: $0.flags, stream: $0.stream)
        }
        for size in [1, 2, 3, 8, 9, 10, 100, 10_000] {
            #expect(scan(frames.bytes, preface: 0, pieces: size) == expected)
            #expect(scan(Array(0..<24) + frames.bytes, preface: 24, pieces: size) == expected)
        }
    }

    @Test func readsThreeBytesOfLength() {
        let header = Frame(type: 1, length: 0x12_34_56).bytes
        #expect(scan(header, preface: 0, pieces: 100) == [FrameHeader(length: 0x12_34_56, type: 1)])
    }

    @Test func readsThirtyOneBitsOfStream() {
        let header = Frame(type: 1, stream: 0xFE_DC_BA_98).bytes
        #expect(scan(header, preface: 0, pieces: 100) == [FrameHeader(type: 1, stream: 0x7E_DC_BA_98)])
    }
}
