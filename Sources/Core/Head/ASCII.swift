/// The bytes that HTTP gives a meaning to, by name.
extension UInt8 {
    @inlinable public static var tab: UInt8 { 0x09 }
    @inlinable public static var lineFeed: UInt8 { 0x0A }
    @inlinable public static var carriageReturn: UInt8 { 0x0D }
    @inlinable public static var space: UInt8 { 0x20 }
    @inlinable public static var quote: UInt8 { 0x22 }
    @inlinable public static var numberSign: UInt8 { 0x23 }
    @inlinable public static var dollar: UInt8 { 0x24 }
    @inlinable public static var percent: UInt8 { 0x25 }
    @inlinable public static var ampersand: UInt8 { 0x26 }
    @inlinable public static var asterisk: UInt8 { 0x2A }
    @inlinable public static var plusSign: UInt8 { 0x2B }
    @inlinable public static var comma: UInt8 { 0x2C }
    @inlinable public static var dot: UInt8 { 0x2E }
    @inlinable public static var slash: UInt8 { 0x2F }
    @inlinable public static var colon: UInt8 { 0x3A }
    @inlinable public static var semicolon: UInt8 { 0x3B }
    @inlinable public static var equalsSign: UInt8 { 0x3D }
    @inlinable public static var questionMark: UInt8 { 0x3F }
    @inlinable public static var backslash: UInt8 { 0x5C }

    /// This byte with `A`–`Z` folded to `a`–`z`.
    @inlinable public var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }
    @inlinable public var isDigit: Bool { self &- 0x30 < 10 }
    /// `A`–`Z`, `a`–`z`.
    @inlinable public var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }
    /// The value of a hexadecimal digit of either case, or nil.
    @inlinable public var hexadecimalValue: UInt8? {
        if isDigit { return self &- 0x30 }
        let letter = (self | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }
}

extension UInt64 {
    /// These eight bytes, each with `A`–`Z` folded to `a`–`z`.
    @inlinable var lowercasedASCII: UInt64 {
        // Bit 7 says of each byte that it is 0x41 at least, or more than 0x5A. What is not ASCII stays as it is.
        let low = self & 0x7F7F_7F7F_7F7F_7F7F
        let isFromA = low &+ 0x3F3F_3F3F_3F3F_3F3F
        let isBeyondZ = low &+ 0x2525_2525_2525_2525
        return self | (isFromA & ~isBeyondZ & ~self & 0x8080_8080_8080_8080) >> 2
    }
}

extension Span where Element == UInt8 {
    /// Whether these bytes equal `literal`, ignoring case. `literal` must be written in lower case.
    @inlinable @inline(__always) public func equalsIgnoringCase(_ literal: StaticString) -> Bool {
        guard count == literal.utf8CodeUnitCount else { return false }
        return matches(literal) {
            $0.lowercased
        } word: {
            $0.lowercasedASCII
        }
    }

    /// Whether these bytes are those of `literal`, which is as long, once `byte` or `word` was applied to them: eight
    /// at a time, the last eight overlapping with those before.
    @inlinable @inline(__always) func matches(
        _ literal: StaticString, byte: (UInt8) -> UInt8, word: (UInt64) -> UInt64
    ) -> Bool {
        if count < 8 {
            for index in 0..<count where unsafe byte(self[index]) != literal.utf8Start[index] { return false }
            return true
        }
        var index = 0
        while true {
            let expected = unsafe UnsafeRawPointer(literal.utf8Start)
                .loadUnaligned(fromByteOffset: index, as: UInt64.self)
            guard word(eightBytes(at: index)) == UInt64(littleEndian: expected) else { return false }
            if index == count &- 8 { return true }
            index = Swift.min(index &+ 8, count &- 8)
        }
    }

    /// Whether the first `count` bytes equal the first `count` bytes of `literal`, ignoring case. `literal` must be
    /// written in lower case.
    public func begins(with literal: StaticString, count: Int) -> Bool {
        precondition(count <= self.count && count <= literal.utf8CodeUnitCount, "begins: more than there is")
        for index in 0..<count where unsafe self[index].lowercased != literal.utf8Start[index] { return false }
        return true
    }

    /// Whether these bytes are exactly `literal`.
    @inlinable @inline(__always) public func equals(_ literal: StaticString) -> Bool {
        guard count == literal.utf8CodeUnitCount else { return false }
        return matches(literal) {
            $0
        } word: {
            $0
        }
    }

    /// Whether these bytes are exactly `other`.
    public func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        if count < 8 {
            for index in 0..<count where self[index] != other[index] { return false }
            return true
        }
        var index = 0
        while index < count &- 8 {
            guard eightBytes(at: index) == other.eightBytes(at: index) else { return false }
            index &+= 8
        }
        return eightBytes(at: count &- 8) == other.eightBytes(at: count &- 8)
    }

    /// Whether these bytes equal `other`, ignoring case.
    public func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where self[index].lowercased != other[index].lowercased { return false }
        return true
    }

    /// Whether none of these bytes is one of `A`–`Z`.
    var isLowercase: Bool {
        if count < 8 {
            for index in 0..<count where self[index] != self[index].lowercased { return false }
            return true
        }
        var index = 0
        while true {
            let word = eightBytes(at: index)
            guard word == word.lowercasedASCII else { return false }
            if index == count &- 8 { return true }
            // The last eight overlap with those before.
            index = Swift.min(index &+ 8, count &- 8)
        }
    }

    /// The eight bytes from `index` on as a little-endian number, for scans that look at eight bytes at a time.
    @inlinable @inline(__always) public func eightBytes(at index: Int) -> UInt64 {
        unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
    }

    /// The bytes of `range`.
    @_lifetime(copy self)
    @inlinable public func extracting(_ range: ByteRange) -> Span<UInt8> {
        extracting(range.start..<range.end)
    }

    /// A copy as text, for logs and errors: bytes that are not UTF-8 are replaced.
    public var text: String {
        unsafe withUnsafeBufferPointer { bytes in unsafe String(decoding: bytes, as: UTF8.self) }
    }
}

extension StaticString {
    /// The bytes of a literal.
    public var bytes: [UInt8] { withUTF8Buffer { bytes in unsafe Array(bytes) } }

    /// The byte at `index` of a literal.
    public subscript(byte index: Int) -> UInt8 {
        precondition(index >= 0 && index < utf8CodeUnitCount, "literal: no such byte")
        return unsafe utf8Start[index]
    }
}

extension [UInt8] {
    /// A copy of the bytes of `span`.
    public init(copying span: Span<UInt8>) {
        self.init()
        reserveCapacity(span.count)
        for index in 0..<span.count { append(span[index]) }
    }
}
