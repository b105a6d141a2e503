/// Walks through the cookies of a request, over all of its Cookie fields: HTTP/2 clients send one for each cookie.
///
/// A walk reads each byte once and allocates nothing. White space around a name and a value is left out; a cookie
/// without a name is passed over.
/// Source: RFC 6265 §4.2.1; RFC 9113 §8.2.3.
public struct CookieWalk {
    /// One cookie.
    public struct Cookie {
        /// Its name, in which upper and lower case differ.
        public let name: ByteRange
        /// Its value, with the quotes that it came with.
        public let value: ByteRange
    }

    private var nextField = 0
    private var position = 0
    private var end = 0

    /// Begins at the first cookie.
    public init() {}

    /// The next cookie of `head`; nil if there is no further one.
    public mutating func next(in head: Head) -> Cookie? {
        while true {
            while position >= end {
                guard let value = nextFieldValue(of: head) else { return nil }
                (position, end) = (value.start, value.end)
            }
            if let cookie = next(among: head.bytes) { return cookie }
        }
    }

    private mutating func nextFieldValue(of head: Head) -> ByteRange? {
        while nextField < head.fieldCount {
            let field = head.field(nextField)
            nextField += 1
            guard field.name.count == 6, !field.isRemoved, head.bytes(field.name).equalsIgnoringCase("cookie") else {
                continue
            }
            return field.value
        }
        return nil
    }

    /// Reads up to the next semicolon.
    private mutating func next(among bytes: Span<UInt8>) -> Cookie? {
        var start = position
        while start < end, bytes[start] == .space || bytes[start] == .tab { start += 1 }
        var nameEnd = start
        while nameEnd < end, bytes[nameEnd] != .equalsSign, bytes[nameEnd] != .semicolon { nameEnd += 1 }
        var valueEnd = nameEnd
        while valueEnd < end, bytes[valueEnd] != .semicolon { valueEnd += 1 }
        position = valueEnd + 1
        guard nameEnd > start, nameEnd < valueEnd else { return nil }
        var valueStart = nameEnd + 1
        while valueStart < valueEnd, bytes[valueStart] == .space || bytes[valueStart] == .tab { valueStart += 1 }
        while valueEnd > valueStart, bytes[valueEnd - 1] == .space || bytes[valueEnd - 1] == .tab { valueEnd -= 1 }
        while nameEnd > start, bytes[nameEnd - 1] == .space || bytes[nameEnd - 1] == .tab { nameEnd -= 1 }
        return Cookie(
            name: ByteRange(start: start, count: nameEnd - start),
            value: ByteRange(start: valueStart, count: valueEnd - valueStart))
    }
}
