import Core

/// Reads the first message of a TLS client for the name in it, so that a connection can be routed by that name while
/// its bytes pass unaltered to a target, which answers them.
///
/// Shape:  pure, and without memory between calls: each call begins at the connection's first byte. Until the message
///         is whole a call goes from record to record and no more; then the message is read once, across the bounds of
///         the records, without a copy of it.
/// Limits: `bytesMax`. It also bounds what it costs to begin anew each time: a client that sends byte by byte, in
///         records of one byte, makes a call go over 5,461 records at most, in some 25 µs; a real hello takes 0.1 µs.
/// Source: RFC 8446 §4.1.2, §5.1; RFC 5246 §7.4.1.2, whose message has the same form; RFC 6066 §3.
public enum ClientHello {
    /// Bytes from the first of the connection to the end of the message, headers of records included, for else records
    /// of one byte would make it six times as long. Beyond: `Result.tooLong`. Real messages have from two hundred
    /// bytes to some thousands (post-quantum key shares, tickets), and a client that nobody knows yet can make us hold
    /// this much: it fits a large buffer twice.
    public static let bytesMax = 32 * 1024
    /// Bytes of a host name as it is sent. Source: RFC 1035 §2.3.4. Beyond: `Result.malformed`.
    static let nameBytesMax = 255

    /// What the bytes say. Once it is not `needMore`, more bytes change nothing.
    public enum Result: Equatable, Sendable {
        /// Nothing is wrong so far. Call again with these bytes and more; never the answer to `bytesMax` or more.
        case needMore
        /// The message is whole; whatever comes behind it was not looked at. The name is in lower case and without its
        /// last dot, and has letters, digits, `-`, `_` and `.` only; nothing else about it was checked. It is empty if
        /// the client sent none. Under Encrypted Client Hello it is the outer name, which all can read.
        case hello(serverName: [UInt8])
        /// This is another protocol, or another message of TLS, or the form of hello that SSL 2.0 had.
        case notTLS
        /// It is TLS, but its lengths contradict each other, records of another kind are in between, there are two
        /// names where one may be, or the name is none. What TLS says of other values is left to the target.
        case malformed
        /// The message ends beyond `bytesMax`: told as soon as its length says so, or the number of its records.
        case tooLong
    }

    /// Reads all `bytes` that came from a client so far.
    public static func read(_ bytes: Span<UInt8>) -> Result {
        obstacle(bytes) ?? serverName(bytes)
    }

    /// What prevents that the message be read; nil: it is whole, and so are the headers of its records.
    private static func obstacle(_ bytes: Span<UInt8>) -> Result? {
        var header = MessageHeader()
        var start = 0
        var passed = 0
        while start < bytes.count {
            if let obstacle = Record.obstacle(bytes, at: start) { return obstacle }
            let content = start + Record.headerCount
            let count = Record.contentCount(bytes, at: start)
            header.read(bytes, content..<min(content + count, bytes.count))
            guard header.isClientHello else { return .notTLS }
            if let messageCount = header.messageCount {
                let missing = messageCount - passed
                // What this record lacks needs the header of another one at least.
                let end = content + missing + (count < missing ? Record.headerCount : 0)
                guard end <= bytesMax else { return .tooLong }
                if missing <= count { return end <= bytes.count ? nil : .needMore }
            }
            start = content + count
            passed += count
        }
        return .needMore
    }

    /// The name in the message, which is whole.
    private static func serverName(_ bytes: Span<UInt8>) -> Result {
        var message = Cursor(messageIn: bytes)
        // The version and the random bytes; a session id; cipher suites of two bytes; compression methods.
        guard message.skip(2 + 32), let session = message.vector(lengthBytes: 1), session.count <= 32,
            let suites = message.vector(lengthBytes: 2), suites.count >= 2, suites.count.isMultiple(of: 2),
            let methods = message.vector(lengthBytes: 1), methods.count >= 1
        else { return .malformed }
        // Before TLS 1.3 a client may leave the extensions out.
        if message.count == 0 { return .hello(serverName: []) }
        guard var extensions = message.vector(lengthBytes: 2), message.count == 0 else { return .malformed }
        var name: [UInt8]?
        while extensions.count > 0 {
            guard let kind = extensions.number(bytes: 2), let content = extensions.vector(lengthBytes: 2) else {
                return .malformed
            }
            guard kind == serverNameExtension else { continue }
            guard name == nil, let found = hostName(in: content) else { return .malformed }
            name = found
        }
        return .hello(serverName: name ?? [])
    }

    private static let serverNameExtension = 0
    private static let hostNameType = 0

    /// The host name in the content of a server_name extension, empty if there is none; nil: a fault.
    private static func hostName(in content: Cursor) -> [UInt8]? {
        var content = content
        guard var list = content.vector(lengthBytes: 2), content.count == 0, list.count > 0 else { return nil }
        var name: [UInt8]?
        while list.count > 0 {
            // Names of other types begin with a length of two bytes too.
            guard let type = list.number(bytes: 1), let entry = list.vector(lengthBytes: 2) else { return nil }
            guard type == hostNameType else { continue }
            guard name == nil, let found = normalized(entry) else { return nil }
            name = found
        }
        return name ?? []
    }

    /// A host name in lower case and without the dot at its end; nil if it is none.
    private static func normalized(_ name: Cursor) -> [UInt8]? {
        var rest = name
        guard rest.count <= nameBytesMax else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(rest.count)
        while let byte = rest.number(bytes: 1).map(UInt8.init) {
            guard byte.isLetter || byte.isDigit || byte == .dot || byte == hyphen || byte == underscore else {
                return nil
            }
            bytes.append(byte.lowercased)
        }
        if bytes.last == .dot { bytes.removeLast() }
        // An empty name says that the client sent none.
        return bytes.isEmpty ? nil : bytes
    }

    private static let hyphen = UInt8(ascii: "-")
    private static let underscore = UInt8(ascii: "_")
}

/// A record that holds a part of the message. Source: RFC 8446 §5.1.
private enum Record {
    /// Kind, version and length.
    static let headerCount = 5
    private static let handshake: UInt8 = 22
    /// Bytes of content. A part of a handshake message is never empty.
    private static let contentCounts = 1...16 * 1024

    /// What is wrong with the header that begins at `start`, of which one byte is there at least; nil: nothing.
    static func obstacle(_ bytes: Span<UInt8>, at start: Int) -> ClientHello.Result? {
        // Only the first record tells what is spoken: behind it, TLS is.
        let other: ClientHello.Result = start == 0 ? .notTLS : .malformed
        let present = bytes.count - start
        guard bytes[start] == handshake else { return other }
        // The minor version says nothing: some send that of their first version, some that of their last.
        guard present < 2 || bytes[start + 1] == 3 else { return other }
        guard present >= headerCount else { return .needMore }
        return contentCounts.contains(contentCount(bytes, at: start)) ? nil : .malformed
    }

    /// Bytes of content behind the header that begins at `start` and is whole.
    static func contentCount(_ bytes: Span<UInt8>, at start: Int) -> Int {
        Int(bytes[start + 3]) << 8 | Int(bytes[start + 4])
    }
}

/// The type and the length of the message, which its records may split too. Source: RFC 8446 §4.
private struct MessageHeader {
    private static let byteCount = 4
    private static let clientHello = 1
    private var value = 0
    private var seen = 0

    /// Reads what is still missing from the part of the message in `range`.
    mutating func read(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        for index in range.prefix(Self.byteCount - seen) {
            value = value << 8 | Int(bytes[index])
            seen += 1
        }
    }

    /// Whether the type is that of a ClientHello, or was not seen.
    var isClientHello: Bool { seen == 0 || value >> (8 * (seen - 1)) == Self.clientHello }

    /// Bytes of the message with this header; nil: not known.
    var messageCount: Int? { seen == Self.byteCount ? Self.byteCount + value & 0xFF_FFFF : nil }
}

/// Reads a message, or a vector in it, as if no bounds of records were in between. All records of it are there.
private struct Cursor: ~Escapable {
    private let bytes: Span<UInt8>
    /// The next byte, unless it is behind the header of the record that begins here.
    private var index = 0
    /// Where the record ends that `index` is in.
    private var recordEnd = 0
    /// Bytes left.
    private(set) var count = 4

    /// At the message behind its header.
    @_lifetime(copy bytes)
    init(messageIn bytes: Span<UInt8>) {
        self.bytes = bytes
        _ = skip(1)
        count = number(bytes: 3) ?? 0
    }

    /// The number in the next `width` bytes, most significant first; nil: fewer are left.
    @_lifetime(self: copy self)
    mutating func number(bytes width: Int) -> Int? {
        guard width <= count else { return nil }
        var number = 0
        for _ in 0..<width {
            enterRecord()
            number = number << 8 | Int(bytes[index])
            index += 1
        }
        count -= width
        return number
    }

    /// A cursor for as many bytes as the number in the next `width` says, which this one passes; nil: fewer are left.
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    mutating func vector(lengthBytes width: Int) -> Cursor? {
        guard let length = number(bytes: width) else { return nil }
        var vector = self
        vector.count = length
        return skip(length) ? vector : nil
    }

    /// Passes `length` bytes; false: fewer are left.
    @_lifetime(self: copy self)
    mutating func skip(_ length: Int) -> Bool {
        guard length <= count else { return false }
        count -= length
        var rest = length
        while rest > 0 {
            enterRecord()
            let step = min(rest, recordEnd - index)
            index += step
            rest -= step
        }
        return true
    }

    /// Passes the header of the next record at the end of one.
    @_lifetime(self: copy self)
    private mutating func enterRecord() {
        guard index == recordEnd else { return }
        recordEnd = index + Record.headerCount + Record.contentCount(bytes, at: index)
        index += Record.headerCount
    }
}
