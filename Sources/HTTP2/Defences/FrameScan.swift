import Core

/// The header of a frame, its first nine bytes. Source: RFC 9113 §4.1.
struct FrameHeader: Equatable {
    static let byteCount = 9
    /// The most that nghttp2 puts into one DATA frame, even if the other side allows more.
    static let dataBytesMax = 16 * 1024
    static let endStream: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let padded: UInt8 = 0x8

    /// Bytes of payload.
    var length = 0
    /// The type; see `FrameType`.
    var type: UInt8 = 0
    var flags: UInt8 = 0
    /// The stream it belongs to; 0 is the connection.
    var stream: UInt32 = 0
}

/// The frame types that this module distinguishes. Source: RFC 9113 §6.
enum FrameType {
    static let data: UInt8 = 0x0
    static let headers: UInt8 = 0x1
    static let priority: UInt8 = 0x2
    static let resetStream: UInt8 = 0x3
    static let continuation: UInt8 = 0x9
}

/// Finds the frame headers in the bytes of a connection, however the bytes are split.
///
/// Needed because nghttp2 does not report the frames that it ignores, and those are what floods consist of.
/// Shape: a trivial value; each frame header costs a few instructions, and the payload none.
struct FrameScan {
    /// Bytes up to the next frame header: the rest of a preface or of a payload.
    private var skipCount: Int
    /// The frame header that is being read; `headerCount` bytes of it have arrived.
    private var header = FrameHeader()
    private var headerCount = 0
    /// Whether a frame header has been read, so that `header` is valid.
    private var hasSeenFrame = false

    /// Skips a connection preface of `prefaceCount` bytes before the first frame.
    init(prefaceCount: Int) { skipCount = prefaceCount }

    /// Whether a preface, a frame other than DATA, or a head that CONTINUATION frames continue is incomplete.
    var isInside: Bool {
        if skipCount > 0 { return !isData }
        return headerCount > 0 || isHeadOpen
    }

    /// Whether the last frame was DATA.
    private var isData: Bool { header.type == FrameType.data && hasSeenFrame }

    /// Whether the last frame was part of a head and did not end it.
    private var isHeadOpen: Bool {
        (header.type == FrameType.headers || header.type == FrameType.continuation) && hasSeenFrame
            && header.flags & FrameHeader.endHeaders == 0
    }

    /// The next frame header that is completed by `bytes` from `index` on. Moves `index` past it. Nil if no more is
    /// completed.
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
