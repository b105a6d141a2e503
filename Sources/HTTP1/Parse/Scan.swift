import Core

// Scans that examine eight bytes at a time (SWAR). Each sets bit 7 of every byte that matches. A borrow can set a wrong
// bit only above the first match, and only the first match is used.

private let ones: UInt64 = 0x0101_0101_0101_0101
private let highBits: UInt64 = 0x8080_8080_8080_8080

/// Marks the bytes of `word` that are less than `limit`, which is at most 128.
@inline(__always) private func lanes(of word: UInt64, below limit: UInt64) -> UInt64 {
    (word &- ones &* limit) & ~word & highBits
}

/// Marks the bytes of `word` that equal `byte`.
@inline(__always) private func lanes(of word: UInt64, equalTo byte: UInt8) -> UInt64 {
    let difference = word ^ ones &* UInt64(byte)
    return (difference &- ones) & ~difference & highBits
}

/// Marks the bytes of `word` from `first` to `last`, both below 128. Exact for each byte, since no borrow occurs.
@inline(__always) private func lanes(of word: UInt64, from first: UInt8, to last: UInt8) -> UInt64 {
    let raised = word | highBits
    return (raised &- ones &* UInt64(first)) & ~(raised &- ones &* (UInt64(last) &+ 1)) & ~word & highBits
}

extension UInt8 {
    /// `0x7F`, a control character like the bytes below space.
    static var delete: UInt8 { 0x7F }

    /// Whether this byte is unreserved in a URI, and so never needs percent-encoding. Source: RFC 3986 §2.3.
    var isUnreserved: Bool { isLetter || isDigit || self == 0x2D || self == .dot || self == 0x5F || self == 0x7E }

    /// Whether this byte may be part of a token. Source: RFC 9110 §5.6.2.
    @inline(__always) var isToken: Bool {
        // A bit for each of `!#$%&'*+-.0-9` and, 64 further, for each of `A-Z^_`a-z|~`.
        let bits: UInt64 = self < 64 ? 0x03FF_6CFA_0000_0000 : self < 128 ? 0x57FF_FFFF_C7FF_FFFE : 0
        return bits >> UInt64(self & 63) & 1 != 0
    }
}

extension Span where Element == UInt8 {
    /// The first byte from `start` on that is not part of a token, or `count`.
    package func endOfToken(from start: Int) -> Int {
        var index = start
        while index < count, self[index].isToken { index += 1 }
        return index
    }

    /// The first byte from `start` on that ends a request target: control, space, DEL or `#`; or `count`.
    package func endOfTarget(from start: Int) -> Int {
        var index = start
        while index &+ 8 <= count {
            let word = eightBytes(at: index)
            let stops =
                lanes(of: word, below: 0x21) | lanes(of: word, equalTo: .delete)
                | lanes(of: word, equalTo: .numberSign)
            if stops != 0 { return index &+ stops.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < count {
            let byte = self[index]
            if byte <= .space || byte == .delete || byte == .numberSign { return index }
            index &+= 1
        }
        return count
    }

    /// The first byte from `start` on and before `end` because of which a path may not be canonical: `? % \ . ;`, or a
    /// slash that follows a slash; or `end`.
    func endOfPlainPath(from start: Int, to end: Int) -> Int {
        var index = start
        // Bit 7 is set if the byte before the word is a slash.
        var slashBefore: UInt64 = 0
        while index &+ 8 <= end {
            let word = eightBytes(at: index)
            // A borrow may mark a dot after a slash as a slash, but a dot stops the scan in any case.
            let slashes = lanes(of: word, equalTo: .slash)
            let stops =
                lanes(of: word, equalTo: .questionMark) | lanes(of: word, equalTo: .percent)
                | lanes(of: word, equalTo: .backslash) | lanes(of: word, equalTo: .dot)
                | lanes(of: word, equalTo: .semicolon) | slashes & (slashes &<< 8 | slashBefore)
            if stops != 0 { return index &+ stops.trailingZeroBitCount &>> 3 }
            slashBefore = slashes &>> 56
            index &+= 8
        }
        while index < end {
            switch self[index] {
            case .questionMark, .percent, .backslash, .dot, .semicolon: return index
            case .slash where index > start && self[index &- 1] == .slash: return index
            default: index &+= 1
            }
        }
        return end
    }

    /// The first byte from `start` on that is not one of `-A-Za-z0-9`, or `count`.
    package func endOfPlainName(from start: Int) -> Int {
        var index = start
        while index &+ 8 <= count {
            let word = eightBytes(at: index)
            let plain =
                lanes(of: word | ones &* 0x20, from: 0x61, to: 0x7A)
                | lanes(of: word, from: 0x30, to: 0x39) | lanes(of: word, from: 0x2D, to: 0x2D)
            if plain != highBits { return index &+ (plain ^ highBits).trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < count, self[index].isLetter || self[index].isDigit || self[index] == 0x2D { index &+= 1 }
        return index
    }

    /// The first of the first eight, sixteen, … bytes that is not one of `-.A-Za-z0-9`; whatever is left over is not
    /// looked at.
    var endOfPlainHost: Int {
        var index = 0
        while index &+ 8 <= count {
            let word = eightBytes(at: index)
            let plain =
                lanes(of: word | ones &* 0x20, from: 0x61, to: 0x7A)
                | lanes(of: word, from: 0x30, to: 0x39) | lanes(of: word, from: 0x2D, to: 0x2E)
            if plain != highBits { return index &+ (plain ^ highBits).trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        return index
    }

    /// The first byte from `start` on that ends a field name: control, space, colon or DEL; or `count`.
    func endOfFieldName(from start: Int) -> Int {
        var index = start
        while index &+ 8 <= count {
            let word = eightBytes(at: index)
            let stops =
                lanes(of: word, below: 0x21) | lanes(of: word, equalTo: .delete)
                | lanes(of: word, equalTo: .colon)
            if stops != 0 { return index &+ stops.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < count {
            let byte = self[index]
            if byte <= .space || byte == .delete || byte == .colon { return index }
            index &+= 1
        }
        return count
    }

    /// The first byte from `start` on that ends a field value: control other than tab, or DEL; or `count`.
    func endOfFieldValue(from start: Int) -> Int {
        var index = start
        while index &+ 8 <= count {
            let word = eightBytes(at: index)
            let stops = lanes(of: word, below: 0x20) | lanes(of: word, equalTo: .delete)
            guard stops != 0 else {
                index &+= 8
                continue
            }
            index &+= stops.trailingZeroBitCount &>> 3
            if self[index] != .tab { return index }
            index &+= 1
        }
        while index < count {
            let byte = self[index]
            if (byte < .space && byte != .tab) || byte == .delete { return index }
            index &+= 1
        }
        return count
    }

    /// The first line feed from `start` on, or nil.
    func firstLineFeed(from start: Int) -> Int? {
        let index = first(.lineFeed, from: start)
        return index < count ? index : nil
    }

    /// The first colon from `start` on, or `count`.
    func firstColon(from start: Int) -> Int { first(.colon, from: start) }

    @inline(__always) private func first(_ byte: UInt8, from start: Int) -> Int {
        var index = start
        while index &+ 8 <= count {
            let stops = lanes(of: eightBytes(at: index), equalTo: byte)
            if stops != 0 { return index &+ stops.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < count {
            if self[index] == byte { return index }
            index &+= 1
        }
        return count
    }

    /// The first byte from `start` on that is neither space nor tab, or `end`.
    func skippingWhitespace(from start: Int, to end: Int) -> Int {
        var index = start
        while index < end, self[index] == .space || self[index] == .tab { index &+= 1 }
        return index
    }

    /// The end of the bytes from `start` to `end` without the spaces and tabs at their end.
    func trimmingWhitespace(from start: Int, to end: Int) -> Int {
        var index = end
        while index > start, self[index &- 1] == .space || self[index &- 1] == .tab { index &-= 1 }
        return index
    }
}
