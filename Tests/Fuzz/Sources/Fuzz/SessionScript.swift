/// A script of an HTTP/2 connection, decoded from bytes: valid and invalid frames of the other side, and actions of our
/// own side. Every input is a script; it continues with zeros after its end.
struct SessionScript {
    /// One step of the script.
    enum Step {
        /// The other side sends these bytes; if they are held, they arrive together with the next ones.
        case frames([UInt8], isHeld: Bool)
        /// From now on this many bytes arrive at a time.
        case pieces(Int)
        /// Time passes.
        case wait(milliseconds: Int)
        case produce, produceOnce, ping, open
        case shutDown(isFinal: Bool)
        /// Our side does something on one of its streams.
        case owner(choice: Int, action: Int)
    }

    private let bytes: [UInt8]
    private var index = 0
    /// Whether the other side is the client.
    private let isClient: Bool
    /// The last stream that the other side opened.
    private var lastStream: UInt32 = 0

    init(_ bytes: [UInt8], isClient: Bool) {
        self.bytes = bytes
        self.isClient = isClient
    }

    static let get = [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a")]

    /// The fields that heads are made of; the upper four bits of a byte choose one.
    private static let parts = [
        ("content-length", "3"), ("te", "trailers"), ("cookie", "a=b"), ("host", "a"), (":status", "103"),
        (":protocol", "websocket"), ("x_forwarded_for", "1"), ("expect", "100-continue"), ("priority", "u=0,i"),
        ("transfer-encoding", "chunked"), ("A", "b"), ("", ""), ("a", "b\n"), ("grpc-status", "0"),
        (":path", "/%2f//;x"), ("a\u{E9}", "c"),
    ]

    private mutating func byte() -> UInt8 {
        defer { index += 1 }
        return index < bytes.count ? bytes[index] : 0
    }

    private mutating func number() -> UInt32 {
        // Small and large numbers are equally likely.
        let shift = UInt32(byte() & 31)
        return (UInt32(byte()) | 1) << shift &- UInt32(byte() & 1)
    }

    /// The next step; nil at the end.
    mutating func next() -> Step? {
        guard index < bytes.count else { return nil }
        let first = byte()
        let choice = Int(first >> 4)
        switch first & 15 {
        case 12: return .owner(choice: choice, action: Int(byte() % 9))
        case 13: return clock(choice)
        case 14: return .pieces(choice == 0 ? Int.max : 1 + choice * choice)
        case 15: return choice < 12 ? .open : .produceOnce
        default:
            let bytes = frames(first & 15, stream(choice))
            return .frames(bytes, isHeld: choice & 1 == 1)
        }
    }

    private mutating func clock(_ choice: Int) -> Step {
        switch choice {
        case 0...6: .produce
        case 7...12: .wait(milliseconds: Int(byte()) * 20)
        case 13: .ping
        case 14: .shutDown(isFinal: false)
        default: .shutDown(isFinal: byte() > 200)
        }
    }

    /// A new stream, one of the last, or none.
    private mutating func stream(_ choice: Int) -> UInt32 {
        switch choice {
        case 0...5:
            lastStream += lastStream == 0 ? 1 : 2
            return lastStream
        case 15: return 0
        case 14: return lastStream + 1
        default: return UInt32(max(1, Int64(lastStream) - Int64(choice - 6) * 2))
        }
    }

    private mutating func frames(_ kind: UInt8, _ stream: UInt32) -> [UInt8] {
        switch kind {
        case 0, 1: return head(stream, cuts: kind == 1)
        case 2:
            let (flags, count) = (byte(), Int(byte()) * 64)
            let padding: [UInt8] = flags & 8 == 0 ? [] : [byte()]
            return frame(0, flags & 9, stream, padding + Array(repeating: 0x61, count: count))
        case 3: return frame(8, 0, stream, big(number()))
        case 4: return frame(3, 0, stream, big(UInt32(byte() & 15)))
        case 5:
            if byte() > 240 { return frame(4, 1, 0, []) }
            var entries: [UInt8] = []
            for _ in 0..<Int(byte() & 3) { entries += [0, byte() & 15] + big(number()) }
            return frame(4, 0, 0, entries)
        case 6: return frame(6, byte() & 1, 0, Array(repeating: 7, count: 8))
        case 7: return frame(7, 0, 0, big(number()) + big(UInt32(byte() & 15)))
        case 8: return frame(2, 0, stream, big(number()) + [byte()])
        case 9:
            let (type, flags, count) = (byte(), byte(), Int(byte() & 63))
            return frame(type, flags, stream, (0..<count).map { _ in byte() })
        case 10: return frame(1, byte() | 4, stream, (0..<Int(byte())).map { _ in byte() })
        default: return bomb(stream)
        }
    }

    /// A head or trailers, whole or cut in two.
    private mutating func head(_ stream: UInt32, cuts: Bool) -> [UInt8] {
        let flags = byte()
        var fields: [(String, String)] = []
        if flags & 2 == 0 { fields = isClient ? Self.get : [(":status", flags & 64 == 0 ? "200" : "103")] }
        for _ in 0..<Int(flags >> 3 & 7) { fields.append(Self.parts[Int(byte() >> 4)]) }
        let block = Self.block(fields, isIndexed: flags & 128 != 0)
        guard cuts else { return frame(1, flags & 1 | 4, stream, block) }
        let cut = min(block.count, Int(byte()))
        let rest = Array(block[cut...])
        return frame(1, flags & 1, stream, Array(block[..<cut])) + frame(9, flags & 4, stream, rest)
    }

    /// A large value for the dynamic table, and many references to it. Source: RFC 7541 §6.1, §6.2.1.
    private mutating func bomb(_ stream: UInt32) -> [UInt8] {
        let (valueCount, referenceCount) = (Int(byte()) * 15, Int(byte()) * 8)
        let fields = isClient ? Self.get : [(":status", "200")]
        let value = String(repeating: "v", count: valueCount)
        let block =
            Self.block(fields) + [0x40] + Self.string("x") + Self.string(value)
            + Array(repeating: 0xBE, count: referenceCount)
        return frame(1, 5, stream, block)
    }

    /// A header block of literals. Source: RFC 7541 §6.2.
    static func block(_ fields: [(String, String)], isIndexed: Bool = false) -> [UInt8] {
        fields.flatMap { [isIndexed ? 0x40 : 0] + string($0.0) + string($0.1) }
    }

    private static func string(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var rest = bytes.count - 127
        var length: [UInt8] = [127]
        while rest >= 128 {
            length.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        return length + [UInt8(rest)] + bytes
    }

    private func big(_ number: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) } }
}
