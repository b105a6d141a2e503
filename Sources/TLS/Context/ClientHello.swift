import Core

/// Parses the first message of a TLS client for the server name (SNI), so that a connection can be routed by that name
/// while its bytes are forwarded unaltered to a target, which terminates TLS (TLS passthrough).
///
/// Shape:  pure, without state between calls: each call begins at the connection's first byte. Until the message is
///         complete, a call only goes from record header to record header; then the message is parsed once, across
///         record boundaries and without copying it.
/// Limits: `bytesMax`. It also bounds the cost of starting from the first byte each time: a client that sends byte by
///         byte, in records of one byte (slow loris), makes a call visit 5,461 records at most, in some 25 µs; a normal
///         hello takes 0.1 µs.
/// Source: RFC 8446 §4.1.2, §5.1; RFC 5246 §7.4.1.2, whose message has the same form; RFC 6066 §3.
public enum ClientHello {
    /// Bytes from the start of the connection to the end of the message, record headers included, since records of one
    /// byte would make it six times as long. Beyond: `Result.tooLong`. Normal messages have from two hundred to a few
    /// thousand bytes (post-quantum key shares, tickets). An unknown client can make us hold this much; it fits a large
    /// buffer twice.
    public static let bytesMax = 32 * 1024
    /// Bytes of a host name on the wire. Source: RFC 1035 §2.3.4. Beyond: `Result.malformed`.
    static let nameBytesMax = 255

    /// The result of parsing. Once it is not `needMore`, further bytes do not change it.
    public enum Result: Equatable, Sendable {
        /// Valid so far, but incomplete. Call again with these bytes and more. Never returned for `bytesMax` bytes or
        /// more.
        case needMore
        /// The message is complete; bytes after it were not examined. The name is in lower case and without a trailing
        /// dot, and consists of letters, digits, `-`, `_` and `.`; nothing else about it was checked. It is empty if
        /// the client sent none. With Encrypted Client Hello it is the outer, public name.
        case hello(serverName: [UInt8])
        /// Another protocol, another TLS message, or the hello of SSL 2.0.
        case notTLS
        /// TLS, but its lengths contradict each other, records of another type are in between, there are two names, or
        /// the name is invalid. Other values are left for the target to check.
        case malformed
        /// The message ends beyond `bytesMax`. Returned as soon as its length or the number of its records shows it.
        case tooLong
    }

    /// Parses all `bytes` that a client has sent so far.
    public static func read(_ bytes: Span<UInt8>) -> Result {
        problem(bytes) ?? serverName(bytes)
    }

    /// Why the message cannot be parsed yet or at all; nil if it is complete, record headers included.
    private static func problem(_ bytes: Span<UInt8>) -> Result? {
        var header = MessageHeader()
        var start = 0
        var passed = 0
        while start < bytes.count {
            if let problem = Record.problem(bytes, at: start) { return problem }
            let content = start + Record.headerCount
            let count = Record.contentCount(bytes, at: start)
            header.read(bytes, content..<min(content + count, bytes.count))
            guard header.isClientHello else { return .notTLS }
            if let messageCount = header.messageCount {
                let missing = messageCount - passed
                // The message needs at least the header of another record.
                let end = content + missing + (count < missing ? Record.headerCount : 0)
                guard end <= bytesMax else { return .tooLong }
                if missing <= count { return end <= bytes.count ? nil : .needMore }
            }
            start = content + count
            passed += count
        }
        return .needMore
    }

    /// The server name in the message, which must be complete.
    private static func serverName(_ bytes: Span<UInt8>) -> Result {
        var message = Cursor(messageIn: bytes)
        // Skips version and random, the session id, the cipher suites and the compression methods.
        guard message.skip(2 + 32), let session = message.vector(lengthBytes: 1), session.count <= 32,
            let suites = message.vector(lengthBytes: 2), suites.count >= 2, suites.count.isMultiple(of: 2),
            let methods = message.vector(lengthBytes: 1), methods.count >= 1
        else { return .malformed }
        // Before TLS 1.3 the extensions are optional.
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

    /// The host name in a server_name extension, empty if there is none; nil if the extension is malformed.
    private static func hostName(in content: Cursor) -> [UInt8]? {
        var content = content
        guard var list = content.vector(lengthBytes: 2), content.count == 0, list.count > 0 else { return nil }
        var name: [UInt8]?
        while list.count > 0 {
            // Names of other types also begin with a length of two bytes.
            guard let type = list.number(bytes: 1), let entry = list.vector(lengthBytes: 2) else { return nil }
            guard type == hostNameType else { continue }
            guard name == nil, let found = normalized(entry) else { return nil }
            name = found
        }
        return name ?? []
    }

    /// The host name in lower case and without a trailing dot; nil if it is not valid.
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
        // An empty result means that the client sent no name.
        return bytes.isEmpty ? nil : bytes
    }

    private static let hyphen = UInt8(ascii: "-")
    private static let underscore = UInt8(ascii: "_")
}

/// A TLS record that holds a part of the message. Source: RFC 8446 §5.1.
private enum Record {
    /// Type, version and length.
    static let headerCount = 5
    private static let handshake: UInt8 = 22
    /// The allowed sizes of its content. A fragment of a handshake message is never empty.
    private static let contentCounts = 1...16 * 1024

    /// What is wrong with the header at `start`, of which at least one byte has arrived; nil if nothing is.
    static func problem(_ bytes: Span<UInt8>, at start: Int) -> ClientHello.Result? {
        // Only the first record decides whether the client speaks TLS.
        let other: ClientHello.Result = start == 0 ? .notTLS : .malformed
        let present = bytes.count - start
        guard bytes[start] == handshake else { return other }
        // The minor version is not checked: some clients send that of their oldest version, some that of their newest.
        guard present < 2 || bytes[start + 1] == 3 else { return other }
        guard present >= headerCount else { return .needMore }
        return contentCounts.contains(contentCount(bytes, at: start)) ? nil : .malformed
    }

    /// Bytes of content of the record whose complete header begins at `start`.
    static func contentCount(_ bytes: Span<UInt8>, at start: Int) -> Int {
        Int(bytes[start + 3]) << 8 | Int(bytes[start + 4])
    }
}

/// The type and the length of the handshake message, which may itself be split between records. Source: RFC 8446 §4.
private struct MessageHeader {
    private static let byteCount = 4
    private static let clientHello = 1
    private var value = 0
    private var seen = 0

    /// Reads the missing bytes of the header from `range`, a part of the message.
    mutating func read(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        for index in range.prefix(Self.byteCount - seen) {
            value = value << 8 | Int(bytes[index])
            seen += 1
        }
    }

    /// Whether the type is that of a ClientHello, or has not arrived yet.
    var isClientHello: Bool { seen == 0 || value >> (8 * (seen - 1)) == Self.clientHello }

    /// Bytes of the message, its header included; nil if not known yet.
    var messageCount: Int? { seen == Self.byteCount ? Self.byteCount + value & 0xFF_FFFF : nil }
}

/// Reads a message, or a vector in it, across record boundaries. All its records must be complete.
private struct Cursor: ~Escapable {
    private let bytes: Span<UInt8>
    /// The next byte; at a record boundary, the header of the next record.
    private var index = 0
    /// The end of the current record.
    private var recordEnd = 0
    /// Bytes left.
    private(set) var count = 4

    /// At the message, after its header.
    @_lifetime(copy bytes)
    init(messageIn bytes: Span<UInt8>) {
        self.bytes = bytes
        _ = skip(1)
        count = number(bytes: 3) ?? 0
    }

    /// The big-endian number in the next `width` bytes; nil if fewer are left.
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

    /// A cursor over the next vector, whose length is in the next `width` bytes; this cursor skips it. Nil if fewer
    /// bytes are left.
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    mutating func vector(lengthBytes width: Int) -> Cursor? {
        guard let length = number(bytes: width) else { return nil }
        var vector = self
        vector.count = length
        return skip(length) ? vector : nil
    }

    /// Skips `length` bytes. Returns false if fewer are left.
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

    /// Skips the header of the next record at the end of the current one.
    @_lifetime(self: copy self)
    private mutating func enterRecord() {
        guard index == recordEnd else { return }
        recordEnd = index + Record.headerCount + Record.contentCount(bytes, at: index)
        index += Record.headerCount
    }
}
