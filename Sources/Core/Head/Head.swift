/// Where some bytes of a `Head`'s arena lie. An offset and never a pointer, so the arena may move.
///
/// Units: bytes. Limits: both below 2^32, which `Head.bytesMax` guarantees.
public struct ByteRange: Equatable, Sendable {
    @usableFromInline let startOffset: UInt32
    @usableFromInline let bytes: UInt32

    @inlinable public init(start: Int, count: Int) {
        startOffset = UInt32(start)
        bytes = UInt32(count)
    }

    /// No bytes, at the start.
    @inlinable public static var empty: ByteRange { ByteRange(start: 0, count: 0) }
    /// Offset of the first byte.
    @inlinable public var start: Int { Int(startOffset) }
    /// How many bytes.
    @inlinable public var count: Int { Int(bytes) }
    /// Offset behind the last byte.
    @inlinable public var end: Int { Int(startOffset) + Int(bytes) }
    /// Whether there are none.
    @inlinable public var isEmpty: Bool { bytes == 0 }
}

/// How long a message's body is, whatever the protocol calls it.
public enum BodyLength: Equatable, Sendable {
    /// There is no body: the message ends with its head.
    case none
    /// Exactly this many bytes follow; may be zero.
    case exactly(UInt64)
    /// The body ends where the protocol says so: last chunk, END_STREAM, or the connection's end.
    case unknown

    /// Whether it is known to be longer than `count` bytes.
    public func isLonger(than count: Int) -> Bool {
        guard case .exactly(let length) = self else { return false }
        return length > UInt64(clamping: count)
    }
}

/// One header field of a `Head`.
public struct Field: Sendable {
    /// Its name, as it came.
    public let name: ByteRange
    /// Its value, without white space around it.
    public let value: ByteRange
    /// Which well-known field this is.
    public let id: FieldID
    /// A removed field stays in the table, so that logs can still tell what came in; serialisers skip it.
    public internal(set) var isRemoved = false
}

/// One request or response head of any protocol: an arena of bytes and a table of fields into it.
///
/// The HTTP/1 parser and the HTTP/2 header callbacks make it; routing, header rules, logs and both
/// serialisers read it. Fields that Apus adds or replaces are appended to the same arena.
///
/// Shape:  reused through `reset()`; grows to what the largest message needed, so steady traffic allocates nothing.
/// Limits: `bytesMax` bytes and `fieldsMax` fields, beyond which `append` and `addField` trap: parsers check first.
@safe public final class Head {
    /// The largest arena: the largest head that `HTTP1.Limits` lets in, twice, and room for what Apus adds.
    public static let bytesMax = 256 * 1024
    /// The largest table: the most fields that `HTTP1.Limits` lets in, and room for what Apus adds.
    public static let fieldsMax = 320

    /// What stands between the parts of a field line, as two bytes in a word.
    private static let colonSpace: UInt16 = 0x203A
    private static let lineEnd: UInt16 = 0x0A0D

    @usableFromInline var arena: UnsafeMutableRawPointer
    private var arenaCapacity: Int
    @usableFromInline var arenaCount = 0
    @usableFromInline var table: UnsafeMutablePointer<Field>
    private var tableCapacity: Int
    @usableFromInline var present: UInt64 = 0

    /// Bytes in the arena.
    @inlinable public var byteCount: Int { arenaCount }
    /// Fields in the table, removed ones included.
    public private(set) var fieldCount = 0
    /// Minor version of the HTTP/1 message this came as: 0 or 1. HTTP/2 counts as 1.
    public var minorVersion: UInt8 = 1
    /// The length of the body that follows.
    public var body = BodyLength.none

    /// Whether it came by HTTP/2, which frames bodies itself and has no Connection field.
    public var isHTTP2 = false
    /// Whether its sender accepts trailers (`te: trailers`). The field concerns one hop, but gRPC needs it on the next
    /// hop too.
    public var acceptsTrailers = false
    /// Whether a field came in whose name does not match `[-A-Za-z0-9]+`, removed or not.
    public var hasInvalidNames = false
    /// Whether a field was removed for its name: one that does not match `[-A-Za-z0-9]+` where those are dropped, or
    /// one that a target could confuse with a field of ours.
    public var hasDroppedNames = false
    /// Whether some servers would resolve the path to another one, which rules have to match as well.
    public var isPathAmbiguous = false

    /// Whether the request asks for a WebSocket, or the response accepts it with 101. The fields that say so on this
    /// hop (Upgrade and Connection, or `:protocol`) are removed, and each serialiser writes its own.
    /// Source: RFC 6455 §4; RFC 8441 §4.
    public var isWebSocket = false

    // Requests.
    /// The method; empty in a response.
    public private(set) var method = ByteRange.empty
    /// Which method it is.
    public private(set) var methodID = MethodID.other
    /// The request target exactly as received, for logs.
    public var target = ByteRange.empty
    /// The host and optional port the request is for: from an absolute-form target, else from the first Host field.
    public var authority = ByteRange.empty
    /// The host that `authority` names, as rules and TLS know it, once `noteAuthority` was called: in lower case,
    /// without port, and without the dot at the end that says that a name is complete.
    public private(set) var host = ByteRange.empty
    /// The port of `authority` with its colon; empty without one.
    public private(set) var port = ByteRange.empty
    /// Whether `authority` has no letter in upper case.
    public private(set) var isAuthorityLowercase = true
    /// The canonical path that routing matches and the target receives. `*` for `OPTIONS *`.
    public var path = ByteRange.empty
    /// The query with its `?`, or empty.
    public var query = ByteRange.empty

    // Responses.
    /// 100–599, or 0 in a request.
    public var status: UInt16 = 0
    /// The reason phrase; may be empty.
    public var reason = ByteRange.empty

    /// Allocates a small arena and table; both grow as messages ask for it.
    public init() {
        arenaCapacity = 2048
        tableCapacity = 32
        unsafe arena = .allocate(byteCount: arenaCapacity, alignment: 16)
        unsafe table = .allocate(capacity: tableCapacity)
    }

    deinit {
        unsafe arena.deallocate()
        unsafe table.deallocate()
    }

    /// Bytes of memory held, for the memory budget (ARCHITECTURE.md, "Memory").
    public var heldByteCount: Int { arenaCapacity + tableCapacity * MemoryLayout<Field>.stride }

    /// Empties the head for the next message and keeps its memory.
    public func reset() {
        arenaCount = 0
        fieldCount = 0
        present = 0
        minorVersion = 1
        body = .none
        hasInvalidNames = false
        hasDroppedNames = false
        isPathAmbiguous = false
        isWebSocket = false
        isHTTP2 = false
        acceptsTrailers = false
        method = .empty
        methodID = .other
        target = .empty
        authority = .empty
        host = .empty
        port = .empty
        isAuthorityLowercase = true
        path = .empty
        query = .empty
        status = 0
        reason = .empty
    }

    /// All bytes of the arena.
    @inlinable public var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let raw = unsafe UnsafeRawBufferPointer(start: arena, count: arenaCount)
            let span = unsafe Span<UInt8>(_bytes: RawSpan(_unsafeBytes: raw))
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The bytes of `range`.
    @_lifetime(borrow self)
    @inlinable public func bytes(_ range: ByteRange) -> Span<UInt8> { bytes.extracting(range) }

    /// Copies `bytes`, which may lie in the arena themselves, to its end.
    @discardableResult public func append(_ bytes: Span<UInt8>) -> ByteRange {
        let start = arenaCount
        let outgrown = unsafe grow(by: bytes.count)
        defer { unsafe outgrown?.deallocate() }
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let first = source.baseAddress else { return }
            unsafe (arena + start).copyMemory(from: first, byteCount: source.count)
        }
        arenaCount += bytes.count
        return ByteRange(start: start, count: bytes.count)
    }

    /// Copies a literal to the end of the arena.
    @discardableResult public func append(_ literal: StaticString) -> ByteRange {
        let start = arenaCount
        reserve(literal.utf8CodeUnitCount)
        unsafe (arena + start).copyMemory(from: literal.utf8Start, byteCount: literal.utf8CodeUnitCount)
        arenaCount += literal.utf8CodeUnitCount
        return ByteRange(start: start, count: literal.utf8CodeUnitCount)
    }

    /// Copies the bytes of `range`, which lies in this arena, to its end.
    @discardableResult public func appendCopy(of range: ByteRange) -> ByteRange {
        let start = arenaCount
        precondition(range.end <= start, "head: range outside the arena")
        reserve(range.count)
        unsafe (arena + start).copyMemory(from: arena + range.start, byteCount: range.count)
        arenaCount += range.count
        return ByteRange(start: start, count: range.count)
    }

    /// Copies the bytes of `range`, with `A`–`Z` folded to lower case, to the end of the arena.
    public func appendLowercased(_ range: ByteRange) -> ByteRange {
        let copy = appendCopy(of: range)
        for offset in copy.start..<copy.end {
            let byte = unsafe arena.load(fromByteOffset: offset, as: UInt8.self)
            unsafe arena.storeBytes(of: byte.lowercased, toByteOffset: offset, as: UInt8.self)
        }
        return copy
    }

    /// Appends one byte to the arena.
    public func append(_ byte: UInt8) {
        reserve(1)
        unsafe arena.storeBytes(of: byte, toByteOffset: arenaCount, as: UInt8.self)
        arenaCount += 1
    }

    /// Appends two bytes, the first of them lowest.
    @inline(__always) private func append(pair: UInt16) {
        reserve(2)
        unsafe arena.storeBytes(of: pair.littleEndian, toByteOffset: arenaCount, as: UInt16.self)
        arenaCount += 2
    }

    /// Appends `value` in decimal.
    @discardableResult public func append(decimal value: UInt64) -> ByteRange {
        let start = arenaCount
        let digitCount = value.decimalDigitCount
        reserve(digitCount)
        var rest = value
        for index in stride(from: start + digitCount - 1, through: start, by: -1) {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            unsafe arena.storeBytes(of: UInt8(truncatingIfNeeded: digit) + 0x30, toByteOffset: index, as: UInt8.self)
            rest = quotient
        }
        arenaCount += digitCount
        return ByteRange(start: start, count: digitCount)
    }

    /// Appends the eight hexadecimal digits of `value`, lower case.
    @discardableResult public func append(hexadecimal value: UInt32) -> ByteRange {
        let start = arenaCount
        reserve(8)
        unsafe arena.storeBytes(of: hexadecimalText(value), toByteOffset: start, as: UInt64.self)
        arenaCount += 8
        return ByteRange(start: start, count: 8)
    }

    /// Removes what was appended since the arena held `count` bytes; no range may point there.
    public func truncate(to count: Int) {
        precondition(count >= 0 && count <= arenaCount, "head: truncated beyond the arena")
        arenaCount = count
    }

    /// What was appended since the arena held `start` bytes.
    @inlinable public func range(from start: Int) -> ByteRange { ByteRange(start: start, count: arenaCount - start) }

    // MARK: Requests

    /// Sets the method, which is `name` and will lie, or lies already, at `range` of the arena.
    public func setMethod(_ name: Span<UInt8>, at range: ByteRange) {
        method = range
        methodID = MethodID(name)
    }

    /// Appends the method.
    public func appendMethod(_ name: Span<UInt8>) { setMethod(name, at: append(name)) }

    /// The same, for a literal.
    public func appendMethod(_ name: StaticString) {
        method = append(name)
        methodID = MethodID(bytes(method))
    }

    /// Takes `authority`, which lies in the arena, apart: its host has `hostCount` bytes. SNI and certificates never
    /// have the dot at the end of a name. Source: RFC 3986 §3.2; RFC 6066 §3.
    public func noteAuthority(hostCount: Int) {
        let range = authority
        let bytes = bytes(range)
        precondition(hostCount <= range.count, "head: a host longer than its authority")
        isAuthorityLowercase = bytes.isLowercase
        port = ByteRange(start: range.start + hostCount, count: range.count - hostCount)
        let hasLastDot = hostCount > 1 && bytes[hostCount - 1] == .dot
        host = ByteRange(start: range.start, count: hasLastDot ? hostCount - 1 : hostCount)
        if !isAuthorityLowercase { host = appendLowercased(host) }
    }

    // MARK: Fields

    /// Begins a field that Apus adds by appending `name: `. What is appended until `endField` is its value.
    public func beginField(_ name: StaticString) -> ByteRange {
        let range = append(name)
        append(pair: Self.colonSpace)
        return range
    }

    /// Begins a field whose name is not a literal.
    public func beginField(_ name: Span<UInt8>) -> ByteRange {
        let range = append(name)
        append(pair: Self.colonSpace)
        return range
    }

    /// Appends the line of a field that came in, as HTTP/1 would write it, for `addField`.
    public func appendFieldLine(_ name: Span<UInt8>, _ value: Span<UInt8>) -> (name: ByteRange, value: ByteRange) {
        let nameRange = append(name)
        append(pair: Self.colonSpace)
        let valueRange = append(value)
        append(pair: Self.lineEnd)
        return (nameRange, valueRange)
    }

    /// Ends the field that `beginField` began: adds it to the table, and a line end to the arena, so that the arena
    /// holds the line as HTTP/1 writes it and neighbouring lines are copied in one piece.
    public func endField(_ name: ByteRange, id: FieldID) {
        let value = range(from: name.end + 2)
        append(pair: Self.lineEnd)
        addField(name: name, value: value, id: id)
    }

    /// Adds a field whose name and value are in the arena already.
    public func addField(name: ByteRange, value: ByteRange, id: FieldID) {
        if fieldCount == tableCapacity { growTable() }
        unsafe table[fieldCount] = Field(name: name, value: value, id: id)
        fieldCount += 1
        present |= 1 << UInt64(id.rawValue)
    }

    /// The field at `index`, in the order of arrival.
    @inlinable public func field(_ index: Int) -> Field {
        precondition(index >= 0 && index < fieldCount, "head: no such field")
        return unsafe table[index]
    }

    /// All fields, in the order of arrival; removed ones are among them.
    @inlinable public var fields: Span<Field> {
        @_lifetime(borrow self)
        get {
            let span = unsafe Span(_unsafeStart: table, count: fieldCount)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Whether a field of this kind came in or was added, even if it was removed later. Not for `.other`.
    @inlinable public func mayContain(_ id: FieldID) -> Bool { present & 1 << UInt64(id.rawValue) != 0 }

    /// The index of the first field of this kind at or after `start` that is not removed.
    public func firstField(_ id: FieldID, from start: Int = 0) -> Int? {
        guard mayContain(id) else { return nil }
        var index = start
        while index < fieldCount {
            let field = unsafe table[index]
            if field.id == id && !field.isRemoved { return index }
            index += 1
        }
        return nil
    }

    /// Marks the field at `index` as removed, so that serialisers skip it.
    public func removeField(_ index: Int) {
        precondition(index >= 0 && index < fieldCount, "head: no such field")
        unsafe table[index].isRemoved = true
    }

    /// Takes back that the field at `index` was removed.
    public func restoreField(_ index: Int) {
        precondition(index >= 0 && index < fieldCount, "head: no such field")
        unsafe table[index].isRemoved = false
    }

    /// Removes every field of this kind.
    public func removeFields(_ id: FieldID) {
        while let index = firstField(id) { removeField(index) }
    }

    @inline(__always) private func reserve(_ count: Int) {
        if arenaCount + count > arenaCapacity { unsafe grow(by: count)?.deallocate() }
    }

    /// Makes room for `count` bytes. Returns the arena that was too small, for the caller to deallocate.
    @inline(never) private func grow(by count: Int) -> UnsafeMutableRawPointer? {
        guard arenaCount + count > arenaCapacity else { return nil }
        precondition(arenaCount + count <= Self.bytesMax, "head: arena beyond \(Self.bytesMax) bytes")
        let capacity = min(max(arenaCapacity * 2, arenaCount + count), Self.bytesMax)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        unsafe larger.copyMemory(from: arena, byteCount: arenaCount)
        let outgrown = unsafe arena
        unsafe arena = larger
        arenaCapacity = capacity
        return unsafe outgrown
    }

    private func growTable() {
        precondition(fieldCount < Self.fieldsMax, "head: more than \(Self.fieldsMax) fields")
        let capacity = min(tableCapacity * 2, Self.fieldsMax)
        let larger = UnsafeMutablePointer<Field>.allocate(capacity: capacity)
        unsafe larger.moveInitialize(from: table, count: fieldCount)
        unsafe table.deallocate()
        unsafe table = larger
        tableCapacity = capacity
    }
}
