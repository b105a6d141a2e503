/// A name in a message, as text in lower case without the dot at its end: `web.internal`; the root is empty.
///
/// A label may have any bytes. Those that could be mistaken for something else, dots among them, are written as a
/// backslash and three digits, as zone files have them.
/// Source: RFC 1035 §3.1, §4.1.4, §5.1.
enum DNSName {
    /// Reads the name at `offset` of `message`, following pointers to earlier places alone. Moves `offset` behind it.
    /// Returns nil if there is none.
    static func read(_ message: Span<UInt8>, _ offset: inout Int) -> String? {
        var text: [UInt8] = []
        var (at, end) = (offset, Int?.none)
        var byteCount = 1
        var pointerCount = 0
        while true {
            guard at < message.count else { return nil }
            let length = Int(message[at])
            if length == 0 { break }
            if length & 0xC0 == 0xC0 {
                guard at + 1 < message.count else { return nil }
                let target = (length & 0x3F) << 8 | Int(message[at + 1])
                pointerCount += 1
                // Whatever points forward, or at itself, could go on for ever.
                guard target < at, pointerCount <= Limits.namePointersMax else { return nil }
                if end == nil { end = at + 2 }
                at = target
                continue
            }
            byteCount += length + 1
            guard length < 0x40, at + length < message.count, byteCount <= Limits.nameBytesMax else { return nil }
            if !text.isEmpty { text.append(UInt8(ascii: ".")) }
            for index in at + 1...at + length { append(message[index], to: &text) }
            at += length + 1
        }
        offset = end ?? at + 1
        return String(decoding: text, as: UTF8.self)
    }

    /// Moves `offset` behind the name that stands there, without following it. Returns whether there is one.
    static func skip(_ message: Span<UInt8>, _ offset: inout Int) -> Bool {
        while offset < message.count {
            let length = Int(message[offset])
            if length == 0 || length & 0xC0 == 0xC0 {
                offset += length == 0 ? 1 : 2
                return offset <= message.count
            }
            guard length < 0x40 else { return false }
            offset += length + 1
        }
        return false
    }

    private static func append(_ byte: UInt8, to text: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): text.append(byte | 0x20)
        case UInt8(ascii: "."), UInt8(ascii: "\\"), 0...0x20, 0x7F...0xFF:
            text += [UInt8(ascii: "\\"), 0x30 + byte / 100, 0x30 + byte / 10 % 10, 0x30 + byte % 10]
        default: text.append(byte)
        }
    }
}
