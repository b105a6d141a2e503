/// A byte buffer of fixed capacity: bytes are appended at the end and consumed from the front.
///
/// Shape: `0 ≤ readIndex ≤ writeIndex ≤ capacity`; the bytes between the indices are `bytes`.
///        The sole owner of its memory, which `BufferPool` makes and takes back.
/// Limits: never grows; an append of more than `freeCount` bytes traps, so callers ask first.
@safe public final class Buffer {
    @usableFromInline let base: UnsafeMutableRawPointer
    /// How many bytes fit in all.
    public let capacity: Int
    @usableFromInline private(set) var readIndex = 0
    @usableFromInline private(set) var writeIndex = 0

    /// Allocates `capacity` uninitialised bytes; none of them is readable before it was written.
    public init(capacity: Int) {
        unsafe base = .allocate(byteCount: capacity, alignment: 64)
        self.capacity = capacity
    }

    deinit { unsafe base.deallocate() }

    /// The number of bytes that were appended and not consumed.
    @inlinable public var count: Int { writeIndex - readIndex }
    @inlinable public var isEmpty: Bool { writeIndex == readIndex }
    /// How many bytes can still be appended without `compact()`.
    @inlinable public var freeCount: Int { capacity - writeIndex }

    /// The bytes that were not consumed, oldest first. The span must not be stored: parse, remember offsets, `consume`.
    @inlinable public var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let raw = unsafe UnsafeRawBufferPointer(start: base + readIndex, count: writeIndex - readIndex)
            let span = unsafe Span<UInt8>(_bytes: RawSpan(_unsafeBytes: raw))
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Drops the oldest `count` bytes.
    public func consume(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "buffer: consumed more than there is")
        readIndex += count
        if readIndex == writeIndex {
            readIndex = 0
            writeIndex = 0
        }
    }

    /// Takes the oldest `count` bytes out, as an array: not for the request path, since it allocates.
    public func takeBytes(_ count: Int) -> [UInt8] {
        var taken: [UInt8] = []
        taken.reserveCapacity(count)
        for index in 0..<count { taken.append(bytes[index]) }
        consume(count)
        return taken
    }

    /// Drops the newest `count` bytes.
    public func truncate(by count: Int) {
        precondition(count >= 0 && count <= self.count, "buffer: truncated by more than there is")
        writeIndex -= count
    }

    /// Drops all bytes.
    public func removeAll() {
        readIndex = 0
        writeIndex = 0
    }

    /// Moves the remaining bytes to the front of the memory, which makes `freeCount` as large as possible.
    public func compact() {
        guard readIndex > 0 else { return }
        unsafe base.copyMemory(from: base + readIndex, byteCount: count)
        writeIndex -= readIndex
        readIndex = 0
    }

    /// Appends `bytes`, which must fit.
    public func append(_ bytes: Span<UInt8>) {
        precondition(bytes.count <= freeCount, "buffer: append beyond capacity")
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return }
            unsafe (base + writeIndex).copyMemory(from: start, byteCount: source.count)
        }
        writeIndex += bytes.count
    }

    /// Appends a literal, which must fit.
    public func append(_ literal: StaticString) {
        precondition(literal.utf8CodeUnitCount <= freeCount, "buffer: append beyond capacity")
        unsafe (base + writeIndex).copyMemory(from: literal.utf8Start, byteCount: literal.utf8CodeUnitCount)
        writeIndex += literal.utf8CodeUnitCount
    }

    /// Appends one byte, which must fit.
    public func append(_ byte: UInt8) {
        precondition(writeIndex < capacity, "buffer: append beyond capacity")
        unsafe base.storeBytes(of: byte, toByteOffset: writeIndex, as: UInt8.self)
        writeIndex += 1
    }

    /// Appends `value` in decimal: at most 20 bytes, which must fit.
    public func append(decimal value: UInt64) {
        let digitCount = value.decimalDigitCount
        precondition(digitCount <= freeCount, "buffer: append beyond capacity")
        var rest = value
        var index = writeIndex + digitCount
        repeat {
            index -= 1
            unsafe base.storeBytes(of: UInt8(truncatingIfNeeded: rest % 10) + 0x30, toByteOffset: index, as: UInt8.self)
            rest /= 10
        } while rest > 0
        writeIndex += digitCount
    }

    /// Appends the lowest `digitCount` hexadecimal digits of `value`, lower case; they must fit.
    public func append(hexadecimal value: UInt64, digitCount: Int) {
        var shift = UInt64(digitCount) * 4
        while shift > 0 {
            shift -= 4
            append(hexadecimalDigit(value >> shift & 15))
        }
    }

    /// Calls `body` with the free space; it returns how many bytes it wrote there, which are then appended.
    package func appendInPlace(_ body: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        let free = unsafe UnsafeMutableRawBufferPointer(start: base + writeIndex, count: freeCount)
        let written = unsafe body(free)
        precondition(written >= 0 && written <= freeCount, "buffer: wrote beyond capacity")
        writeIndex += written
        return written
    }
}

extension UInt64 {
    /// How many digits it has in decimal.
    var decimalDigitCount: Int {
        var count = 1
        var bound: UInt64 = 10
        while self >= bound {
            count += 1
            if count == 20 { break }
            bound *= 10
        }
        return count
    }
}

/// The eight lower-case hexadecimal digits of `value`, the first in the lowest byte, as a little-endian machine stores
/// them.
///
/// Spreads eight nibbles over eight bytes and turns them into digits at once: for a nibble above nine, the letter is 39
/// above the byte that follows `9`.
func hexadecimalText(_ value: UInt32) -> UInt64 {
    var nibbles = UInt64(value)
    nibbles = (nibbles & 0xFFFF_0000) << 16 | nibbles & 0xFFFF
    nibbles = (nibbles & 0x0000_FF00_0000_FF00) << 8 | nibbles & 0x0000_00FF_0000_00FF
    nibbles = (nibbles & 0x00F0_00F0_00F0_00F0) << 4 | nibbles & 0x000F_000F_000F_000F
    let isLetter = (nibbles &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return (nibbles &+ 0x3030_3030_3030_3030 &+ isLetter &* 39).bigEndian
}

/// The lower-case digit of `value`, which is below 16.
@inlinable func hexadecimalDigit(_ value: UInt64) -> UInt8 {
    let digit = UInt8(truncatingIfNeeded: value)
    return digit < 10 ? digit + 0x30 : digit - 10 + 0x61
}
