import Core
import Testing

@Suite struct BufferTests {
    private func filled(_ text: String, capacity: Int = 64) -> Buffer {
        let buffer = Buffer(capacity: capacity)
        buffer.append(Array(text.utf8).span)
        return buffer
    }

    @Test func beginsEmpty() {
        let buffer = Buffer(capacity: 10)
        #expect(buffer.isEmpty && buffer.isEmpty == (buffer.count == 0))
        #expect(buffer.freeCount == 10 && buffer.capacity == 10)
        #expect(buffer.text == "")
    }

    @Test func firstInFirstOut() {
        let buffer = filled("hello, ")
        buffer.append("wor")
        buffer.append(UInt8(ascii: "l"))
        buffer.append("d")
        #expect(buffer.text == "hello, world")
        #expect(buffer.count == 12 && buffer.freeCount == 52)
        buffer.consume(7)
        #expect(buffer.text == "world")
        #expect(buffer.freeCount == 52, "consumed bytes are free space only after compact()")
        buffer.compact()
        #expect(buffer.text == "world" && buffer.freeCount == 59)
    }

    @Test func consumingAllMakesAllRoomAgain() {
        let buffer = filled("abc", capacity: 3)
        #expect(buffer.freeCount == 0)
        buffer.consume(0)
        buffer.consume(3)
        #expect(buffer.isEmpty && buffer.freeCount == 3)
        buffer.append("def")
        #expect(buffer.text == "def")
        buffer.removeAll()
        #expect(buffer.isEmpty && buffer.freeCount == 3)
    }

    @Test func fillsToTheLastByte() {
        let buffer = Buffer(capacity: 4)
        buffer.append("ab")
        buffer.append(Array("cd".utf8).span)
        #expect(buffer.freeCount == 0 && buffer.text == "abcd")
        buffer.append("")
        buffer.append([UInt8]().span)
    }

    /// Source and destination overlap when more bytes remain than were consumed.
    @Test(arguments: [1, 7, 31, 32, 33, 63]) func compactsOverlappingPlaces(consumed: Int) {
        let content = (0..<64).map { UInt8($0) }
        let buffer = Buffer(capacity: 64)
        buffer.append(content.span)
        buffer.consume(consumed)
        buffer.compact()
        #expect(copyBytes(buffer.bytes) == Array(content[consumed...]))
        #expect(buffer.freeCount == consumed)
    }

    @Test(
        arguments: [
            0, 1, 9, 10, 11, 99, 100, 12345, 999_999_999, 1_000_000_000, UInt64(UInt32.max), UInt64(Int64.max),
            .max - 1, .max,
        ] as [UInt64]) func writesDecimals(value: UInt64)
    {
        let text = "\(value)"
        let buffer = Buffer(capacity: text.utf8.count)
        buffer.append(decimal: value)
        #expect(buffer.text == text)
    }

    @Test(
        arguments: [
            (0, 1, "0"), (0, 4, "0000"), (0xAB, 2, "ab"), (0xAB, 4, "00ab"), (0x1234, 2, "34"),
            (0x0123_4567_89AB_CDEF, 16, "0123456789abcdef"), (.max, 16, "ffffffffffffffff"), (5, 0, ""),
        ] as [(UInt64, Int, String)]) func writesHexadecimals(value: UInt64, digitCount: Int, text: String)
    {
        let buffer = Buffer(capacity: 16)
        buffer.append(hexadecimal: value, digitCount: digitCount)
        #expect(buffer.text == text)
    }

    @Test func appendsAfterWhatItHolds() {
        let buffer = filled("x")
        buffer.append(decimal: 10)
        buffer.append(hexadecimal: 0xFF, digitCount: 2)
        buffer.append(decimal: 0)
        #expect(buffer.text == "x10ff0")
    }

    /// Random operations against an array.
    @Test(arguments: [1, 2, 3] as [UInt64]) func agreesWithAnArray(seed: UInt64) {
        var random = FastRandom(seed: seed)
        let buffer = Buffer(capacity: 100)
        var model: [UInt8] = []
        for _ in 0..<5000 {
            switch random.next(below: 5) {
            case 0: buffer.compact()
            case 1, 2:
                let count = random.next(below: model.count + 1)
                buffer.consume(count)
                model.removeFirst(count)
            default:
                let piece = (0..<random.next(below: buffer.freeCount + 1)).map { _ in UInt8(random.next(below: 256)) }
                buffer.append(piece.span)
                model += piece
            }
            #expect(copyBytes(buffer.bytes) == model && buffer.count == model.count)
            #expect(buffer.count + buffer.freeCount <= buffer.capacity)
        }
    }

    @Test func appendingBeyondCapacityTraps() async {
        await #expect(processExitsWith: .failure) { Buffer(capacity: 2).append("abc") }
        await #expect(processExitsWith: .failure) { Buffer(capacity: 2).append(Array("abc".utf8).span) }
        await #expect(processExitsWith: .failure) { Buffer(capacity: 0).append(1 as UInt8) }
        await #expect(processExitsWith: .failure) { Buffer(capacity: 2).append(decimal: 100) }
        await #expect(processExitsWith: .failure) { Buffer(capacity: 2).append(hexadecimal: 1, digitCount: 3) }
        await #expect(processExitsWith: .failure) {
            let buffer = Buffer(capacity: 4)
            buffer.append("abc")
            buffer.consume(2)
            buffer.append("def")
        }
    }

    @Test func consumingMoreThanThereIsTraps() async {
        await #expect(processExitsWith: .failure) {
            let buffer = Buffer(capacity: 4)
            buffer.append("abc")
            buffer.consume(4)
        }
        await #expect(processExitsWith: .failure) {
            let buffer = Buffer(capacity: 4)
            buffer.append("abc")
            buffer.consume(-1)
        }
    }
}
