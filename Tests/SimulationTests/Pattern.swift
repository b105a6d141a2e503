import Core
import Glibc

/// The bytes of bodies. Those of one message are unlike those of any other, so that another's are noticed.
enum Pattern {
    /// Which way they go.
    enum Direction: UInt64 { case request, answer }

    /// The longest body.
    static let countMax = 1 << 18
    private static let period: UInt64 = 1 << 13
    private static let bytes: [UInt8] = {
        var random = FastRandom(seed: 14)
        return (0..<(countMax + Int(period))).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }()

    /// A part of the body of the message with this id.
    static func slice(_ id: Int, _ direction: Direction, _ range: Range<Int>) -> ArraySlice<UInt8> {
        let start = Int((UInt64(id) &* 2_654_435_761 + direction.rawValue * 7919) % period)
        return bytes[(start + range.lowerBound)..<(start + range.upperBound)]
    }

    /// Whether `piece` is what stands at `offset` of that body.
    static func matches(_ piece: ArraySlice<UInt8>, _ id: Int, _ direction: Direction, at offset: Int) -> Bool {
        guard offset + piece.count <= countMax else { return false }
        let expected = slice(id, direction, offset..<(offset + piece.count))
        return unsafe piece.withUnsafeBytes { left in
            unsafe expected.withUnsafeBytes { right in
                unsafe piece.isEmpty || memcmp(left.baseAddress!, right.baseAddress!, left.count) == 0
            }
        }
    }
}

/// Bytes that enter at the end and leave at the front.
struct ByteQueue {
    private var bytes: [UInt8] = []
    private var start = 0

    var count: Int { bytes.count - start }
    var isEmpty: Bool { count == 0 }
    var waiting: ArraySlice<UInt8> { bytes[start...] }

    mutating func append(_ piece: some Collection<UInt8>) { bytes.append(contentsOf: piece) }

    mutating func consume(_ count: Int) {
        start += count
        guard start == bytes.count || start > 65_536 else { return }
        bytes.removeFirst(start)
        start = 0
    }

    mutating func removeAll() { consume(count) }

    /// Takes the line or the head that ends with `mark`; nil if it is not all there.
    mutating func takeText(through mark: String) -> String? {
        let mark = Array(mark.utf8), last = mark[mark.count - 1]
        var index = start + mark.count - 1
        while index < bytes.count {
            if bytes[index] == last, bytes[(index + 1 - mark.count)...index].elementsEqual(mark) {
                let text = String(decoding: bytes[start..<(index + 1 - mark.count)], as: UTF8.self)
                consume(index + 1 - start)
                return text
            }
            index += 1
        }
        return nil
    }

    /// Takes at most so many bytes.
    mutating func take(_ most: Int) -> ArraySlice<UInt8> {
        let piece = bytes[start..<(start + min(most, count))]
        consume(piece.count)
        return piece
    }
}
