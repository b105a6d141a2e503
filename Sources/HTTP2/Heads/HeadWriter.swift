import CNghttp2
import Core
import HTTP1

/// Converts a neutral head into the array of fields that nghttp2 copies, without hop-by-hop fields.
///
/// Shape:  scratch memory of its session, valid until the head changes. nghttp2 copies it, and folds names to lower
/// case.
/// Limits: memory for the fields of the largest head so far and a few of our own.
/// Source: RFC 9113 §8.2, §8.3; RFC 9110 §7.6.1.
@safe final class HeadWriter {
    /// Pseudo-header fields, content-length and te.
    private static let ownFieldsMax = 8

    private var fields: UnsafeMutablePointer<nghttp2_nv>
    private var capacity = 32
    private(set) var count = 0
    /// Digits of the status and of the length.
    private let digits: UnsafeMutablePointer<UInt8>
    private var digitCount = 0

    init() {
        unsafe fields = .allocate(capacity: capacity)
        unsafe digits = .allocate(capacity: 32)
    }

    deinit {
        unsafe fields.deallocate()
        unsafe digits.deallocate()
    }

    /// Bytes held.
    var byteCount: Int { unsafe capacity * MemoryLayout<nghttp2_nv>.stride }

    /// The fields of the last head that was written.
    @unsafe var array: UnsafePointer<nghttp2_nv> { unsafe UnsafePointer(fields) }

    /// Writes a response. A Content-Length that the parser kept (response to HEAD, 304) is forwarded.
    func writeResponse(_ head: Head, framing: Framing) {
        begin(head)
        appendDigits(UInt64(head.status), named: ":status")
        let keepsContentLength = framing == .none && !forbidsFraming(head.status)
        append(head, keepsContentLength: keepsContentLength, isRequest: false)
        if case .length(let length) = framing, !forbidsFraming(head.status), head.status != 304 {
            appendDigits(length, named: "content-length")
        }
    }

    /// Writes a request. The target reads the host from `:authority` alone.
    func writeRequest(_ head: Head, scheme: StaticString, framing: Framing) {
        precondition(!head.isWebSocket, "HTTP/2: WebSockets to targets use HTTP/1.1")
        begin(head)
        var path = head.path
        if !head.query.isEmpty {
            if path.end == head.query.start {
                path = ByteRange(start: path.start, count: path.count + head.query.count)
            } else {
                let start = head.byteCount
                head.appendCopy(of: path)
                head.appendCopy(of: head.query)
                path = head.range(from: start)
            }
        }
        append(":method", head, head.method)
        append(":scheme", scheme)
        let authority = head.firstField(.host).map { head.field($0).value } ?? head.authority
        if !authority.isEmpty { append(":authority", head, authority) }
        append(":path", head, path)
        append(head, keepsContentLength: false, isRequest: true)
        if head.acceptsTrailers { append("te", "trailers") }
        switch framing {
        case .length(let length): appendDigits(length, named: "content-length")
        case .none: if head.body == .exactly(0) { appendDigits(0, named: "content-length") }
        case .chunked: break
        case .untilClose: preconditionFailure("HTTP/2: a request cannot end with its connection")
        }
    }

    /// Writes trailers.
    func writeTrailers(_ head: Head) {
        begin(head)
        append(head, keepsContentLength: false, isRequest: false)
    }

    private func begin(_ head: Head) {
        count = 0
        digitCount = 0
        let needed = head.fieldCount + Self.ownFieldsMax
        guard needed > capacity else { return }
        unsafe fields.deallocate()
        capacity = max(needed, 2 * capacity)
        unsafe fields = .allocate(capacity: capacity)
    }

    /// Appends the fields of `head` that were not removed and are not hop-by-hop.
    private func append(_ head: Head, keepsContentLength: Bool, isRequest: Bool) {
        for index in 0..<head.fieldCount {
            let field = head.field(index)
            if field.isRemoved { continue }
            switch field.id {
            case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade, .http2Settings, .te: continue
            case .host: if isRequest { continue }
            case .contentLength: if !keepsContentLength { continue }
            default: break
            }
            // Responses of HTTP/1 may have names that are not tokens. In HTTP/2 they would be a connection error, so
            // they are dropped.
            if head.hasInvalidNames, !head.bytes(field.name).isToken { continue }
            unsafe append(head.pointer(field.name), field.name.count, head.pointer(field.value), field.value.count)
        }
    }

    private func append(_ name: StaticString, _ head: Head, _ value: ByteRange) {
        unsafe append(name.utf8Start, name.utf8CodeUnitCount, head.pointer(value), value.count)
    }

    private func append(_ name: StaticString, _ value: StaticString) {
        unsafe append(name.utf8Start, name.utf8CodeUnitCount, value.utf8Start, value.utf8CodeUnitCount)
    }

    private func appendDigits(_ value: UInt64, named name: StaticString) {
        var count = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        let start = unsafe digits + digitCount
        digitCount += count
        rest = value
        for index in (0..<count).reversed() {
            unsafe start[index] = UInt8(truncatingIfNeeded: rest % 10) + 0x30
            rest /= 10
        }
        unsafe append(name.utf8Start, name.utf8CodeUnitCount, start, count)
    }

    @unsafe private func append(
        _ name: UnsafePointer<UInt8>, _ nameCount: Int, _ value: UnsafePointer<UInt8>, _ valueCount: Int
    ) {
        unsafe fields[count] = nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name), value: UnsafeMutablePointer(mutating: value),
            namelen: nameCount, valuelen: valueCount, flags: 0)
        count += 1
    }
}

extension Head {
    /// The address of the bytes of `range`, valid until the arena changes.
    @unsafe fileprivate func pointer(_ range: ByteRange) -> UnsafePointer<UInt8> {
        unsafe bytes(range).withUnsafeBufferPointer { buffer in
            // An empty range of an empty arena has no address. Any address will do, since no byte is read.
            unsafe buffer.baseAddress ?? StaticString("").utf8Start
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether this may be a field's name. Source: RFC 9110 §5.1.
    fileprivate var isToken: Bool { !isEmpty && endOfToken(from: 0) == count }
}
