/// One frame on the wire, valid or not. Source: RFC 9113 §4.1, §6.
struct Frame: Equatable {
    var type: UInt8
    var flags: UInt8 = 0
    var stream: UInt32 = 0
    var payload: [UInt8] = []
    /// The value of the length field; the payload's length by default.
    var length: Int?

    static let endStream: UInt8 = 1
    static let acknowledge: UInt8 = 1
    static let endHeaders: UInt8 = 4
    static let padded: UInt8 = 8
    static let priority: UInt8 = 32

    var bytes: [UInt8] {
        let length = UInt32(self.length ?? payload.count)
        return Array(length.bytes.dropFirst()) + [type, flags] + stream.bytes + payload
    }

    static func data(_ stream: UInt32, _ payload: [UInt8] = [], end: Bool = false) -> Frame {
        Frame(type: 0, flags: end ? endStream : 0, stream: stream, payload: payload)
    }

    static func headers(_ stream: UInt32, _ fields: Fields, end: Bool = true, endHeaders: Bool = true) -> Frame {
        headers(stream, block: block(fields), end: end, endHeaders: endHeaders)
    }

    static func headers(_ stream: UInt32, block: [UInt8], end: Bool = true, endHeaders: Bool = true) -> Frame {
        let flags = (end ? endStream : 0) | (endHeaders ? self.endHeaders : 0)
        return Frame(type: 1, flags: flags, stream: stream, payload: block)
    }

    static func priority(_ stream: UInt32, on other: UInt32) -> Frame {
        Frame(type: 2, stream: stream, payload: other.bytes + [15])
    }

    static func reset(_ stream: UInt32, _ code: UInt32 = 8) -> Frame {
        Frame(type: 3, stream: stream, payload: code.bytes)
    }

    static func settings(_ entries: [(UInt16, UInt32)] = []) -> Frame {
        let payload = entries.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + $0.1.bytes }
        return Frame(type: 4, payload: payload)
    }

    static let settingsAcknowledged = Frame(type: 4, flags: acknowledge)

    static func pushPromise(_ stream: UInt32, promising other: UInt32) -> Frame {
        Frame(type: 5, flags: endHeaders, stream: stream, payload: other.bytes + block(get))
    }

    static func ping(_ flags: UInt8 = 0) -> Frame { Frame(type: 6, flags: flags, payload: Array(0..<8)) }

    static func goAway(_ last: UInt32, _ code: UInt32 = 0) -> Frame {
        Frame(type: 7, payload: last.bytes + code.bytes)
    }

    static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> Frame {
        Frame(type: 8, stream: stream, payload: increment.bytes)
    }

    static func continuation(_ stream: UInt32, _ block: [UInt8], endHeaders: Bool = true) -> Frame {
        Frame(type: 9, flags: endHeaders ? self.endHeaders : 0, stream: stream, payload: block)
    }

    /// Parses `bytes`, a sequence of complete frames.
    static func parse(_ bytes: [UInt8]) -> [Frame] {
        var frames: [Frame] = []
        var index = 0
        while index + 9 <= bytes.count {
            let length = Int(bytes[index]) << 16 | Int(bytes[index + 1]) << 8 | Int(bytes[index + 2])
            let stream = UInt32(bytes: bytes[(index + 5)..<(index + 9)])
            let payload = Array(bytes[(index + 9)..<(index + 9 + length)])
            frames.append(Frame(type: bytes[index + 3], flags: bytes[index + 4], stream: stream, payload: payload))
            index += 9 + length
        }
        return frames
    }
}

typealias Fields = [(String, String)]

/// A request for `/`.
let get: Fields = [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a.example")]
/// The same as a POST.
let post: Fields = [(":method", "POST")] + get.dropFirst()

/// A header block of literals without indexing and without Huffman code. Source: RFC 7541 §6.2.2.
func block(_ fields: Fields) -> [UInt8] {
    fields.flatMap { [0] + string($0.0) + string($0.1) }
}

/// A string literal without Huffman code. Source: RFC 7541 §5.2.
func string(_ text: String) -> [UInt8] {
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

/// The connection preface of a client.
let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Frame.settings().bytes

extension [Frame] {
    /// A head of any size, in as many frames as necessary.
    static func heads(_ stream: UInt32, _ fields: Fields) -> [Frame] {
        var rest = block(fields)[...]
        var frames: [Frame] = []
        repeat {
            let piece = Array<UInt8>(rest.prefix(16_384))
            rest = rest.dropFirst(16_384)
            frames.append(
                frames.isEmpty
                    ? .headers(stream, block: piece, endHeaders: rest.isEmpty)
                    : .continuation(stream, piece, endHeaders: rest.isEmpty))
        } while !rest.isEmpty
        return frames
    }

    var bytes: [UInt8] { flatMap(\.bytes) }
}

extension UInt32 {
    fileprivate var bytes: [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: self >> $0) } }

    init(bytes: ArraySlice<UInt8>) { self = bytes.reduce(0) { $0 << 8 | UInt32($1) } }
}

/// The verdict of a session on what it received, as its output shows it.
enum Verdict: Equatable, CustomStringConvertible {
    case fine
    /// RST_STREAM with this code.
    case stream(UInt32)
    /// GOAWAY with this code.
    case connection(UInt32)

    init(_ bytes: [UInt8]) {
        let frames = Frame.parse(bytes)
        if let goAway = frames.first(where: { $0.type == 7 && $0.payload[4..<8] != [0, 0, 0, 0] }) {
            self = .connection(UInt32(bytes: goAway.payload[4..<8]))
        } else if let reset = frames.first(where: { $0.type == 3 }) {
            self = .stream(UInt32(bytes: reset.payload[0..<4]))
        } else {
            self = .fine
        }
    }

    var description: String {
        switch self {
        case .fine: "fine"
        case .stream(let code): "stream \(code)"
        case .connection(let code): "connection \(code)"
        }
    }
}
