import Core

/// What the first nine bytes of a frame say. Source: RFC 9113 §4.1.
struct FrameHeader: Equatable {
    static let byteCount = 9
    /// The most that nghttp2 puts into one DATA frame, whatever the other side would take.
    static let dataBytesMax = 16 * 1024
    static let endStream: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let padded: UInt8 = 0x8

    /// Bytes that follow.
    var length = 0
    /// A number of the registry; see `FrameType`.
    var type: UInt8 = 0
    var flags: UInt8 = 0
    /// The stream it is about; 0: the connection.
    var stream: UInt32 = 0
}

/// The frame types that somebody here asks for. Source: RFC 9113 §6.
enum FrameType {
    static let data: UInt8 = 0x0
    static let headers: UInt8 = 0x1
    static let priority: UInt8 = 0x2
    static let resetStream: UInt8 = 0x3
    static let continuation: UInt8 = 0x9
}

/// Finds the frame headers among the bytes of a connection, however they arrive.
///
/// nghttp2 tells nothing of frames that it ignores, and they are what floods are made of.
/// Shape: a trivial value; each frame costs a few instructions, its payload none.
struct FrameScan {
    /// Bytes up to the next frame header: the rest of a preface or of a payload.
    private var skipCount: Int
    /// The frame header being read, of which `headerCount` bytes have come.
    private var header = FrameHeader()
    private var headerCount = 0
    /// Whether `header` is that of a frame.
    private var hasSeenFrame = false

    /// `prefaceCount` bytes come before the first frame.
    init(prefaceCount: Int) { skipCount = prefaceCount }

    /// Whether a preface, or a frame that is not DATA, has begun and is not complete; or a head that CONTINUATION
    /// frames go on with.
    var isInside: Bool {
        if skipCount > 0 { return !isData }
        return headerCount > 0 || isHeadOpen
    }

    /// Whether the last frame was DATA.
    private var isData: Bool { header.type == FrameType.data && hasSeenFrame }

    /// Whether the last frame was part of a head, and not its end.
    private var isHeadOpen: Bool {
        (header.type == FrameType.headers || header.type == FrameType.continuation) && hasSeenFrame
            && header.flags & FrameHeader.endHeaders == 0
    }

    /// The next frame header that `bytes` complete from `index` on, which moves past it. Nil: all were looked at.
    mutating func next(_ bytes: Span<UInt8>, _ index: inout Int) -> FrameHeader? {
        skipPayload(bytes, &index)
        guard skipCount == 0 else { return nil }
        while index < bytes.count {
            read(bytes[index])
            index += 1
            if headerCount == FrameHeader.byteCount {
                headerCount = 0
                hasSeenFrame = true
                skipCount = header.length
                return header
            }
        }
        return nil
    }

    /// Moves `index` from the end of a frame header to the end of its payload, or of `bytes`.
    mutating func skipPayload(_ bytes: Span<UInt8>, _ index: inout Int) {
        let count = min(skipCount, bytes.count - index)
        index += count
        skipCount -= count
    }

    @inline(__always)
    private mutating func read(_ byte: UInt8) {
        switch headerCount {
        case 0: header.length = Int(byte) << 16
        case 1: header.length |= Int(byte) << 8
        case 2: header.length |= Int(byte)
        case 3: header.type = byte
        case 4: header.flags = byte
        case 5: header.stream = UInt32(byte & 0x7F) << 24
        case 6: header.stream |= UInt32(byte) << 16
        case 7: header.stream |= UInt32(byte) << 8
        default: header.stream |= UInt32(byte)
        }
        headerCount += 1
    }
}
