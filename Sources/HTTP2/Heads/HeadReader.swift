import Core
import HTTP1

/// Builds a neutral head from the fields of one header block, in the form that the HTTP/1 parser produces.
///
/// nghttp2 has checked each field by RFC 9113 §8 before; the rules of HTTP/1 are checked here, with the code of
/// `HTTP1`.
/// Shape:  one per session, since header blocks do not interleave. After the first violation no field is stored.
/// Limits: bytes as RFC 9113 §6.5.2 counts them; `HTTP1.Limits` for the rest, where each part of a split cookie counts
/// as a field.
struct HeadReader {
    /// What the block is part of.
    enum Kind: Equatable {
        case request
        case response(isHEAD: Bool)
        case trailers
    }

    private(set) var kind = Kind.trailers
    /// The stream it belongs to.
    private(set) var slot = 0
    /// The head that is being filled; nil between blocks.
    private var head: Head?
    /// The first rule that the block breaks.
    private(set) var violation: Violation?

    private var facts = FieldFacts(.trailers(acceptsAnyName: true), minorVersion: 1, arenaShift: 0)
    private var byteCountMax = 0
    private var byteCount = 0
    private var fieldCount = 0
    private var cookieCount = 0
    /// How much of `:authority` is before its port.
    private var hostCount = 0
    /// Whether `:scheme` is http or https.
    private var hasKnownScheme = false
    private var proto = Proto.none

    /// The value of `:protocol`.
    private enum Proto { case none, webSocket, other }

    /// Begins a block. Its head comes from `heads`, unless the last block's head was not taken.
    mutating func begin(_ kind: Kind, slot: Int, _ settings: HTTP2Settings, _ heads: HeadPool) {
        let head = self.head ?? heads.take()
        head.reset()
        head.isHTTP2 = true
        self.head = head
        self.kind = kind
        self.slot = slot
        violation = nil
        byteCount = 0
        fieldCount = 0
        cookieCount = 0
        hostCount = 0
        hasKnownScheme = false
        proto = .none
        switch kind {
        case .request:
            byteCountMax = settings.requestHeadBytesMax
            facts = FieldFacts(.request(settings.requestOptions), minorVersion: 1, arenaShift: 0)
            facts.ignoresExpectation = true
        case .response:
            // Provisional until the status is known, which comes before all fields.
            byteCountMax = settings.responseHeadBytesMax
            facts = FieldFacts(.response(keepsContentLength: false), minorVersion: 1, arenaShift: 0)
        case .trailers:
            byteCountMax = Limits.trailerBytesMax
            // nghttp2 has dropped fields whose names are not tokens.
            facts = FieldFacts(.trailers(acceptsAnyName: true), minorVersion: 1, arenaShift: 0)
        }
    }

    /// Returns the finished head, which the caller then owns.
    mutating func take() -> Head {
        guard let head else { preconditionFailure("head reader: no head was begun") }
        self.head = nil
        return head
    }

    /// Whether the block has decoded to so many bytes that it is an attack (HPACK bomb).
    var isFlood: Bool { byteCount > byteCountMax * Limits.headFloodFactor }

    /// Adds one field of the block.
    mutating func add(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        guard let head else { preconditionFailure("head reader: a field outside of a block") }
        byteCount += name.count + value.count + 32
        guard byteCount <= byteCountMax else { return refuse(kind == .trailers ? .trailersTooLarge : .headTooLarge) }
        if name.count > 0, name[0] == .colon {
            addPseudoField(name, value, head)
        } else if violation == nil {
            addField(name, value, head)
        }
    }

    private mutating func refuse(_ violation: Violation) {
        if self.violation == nil { self.violation = violation }
    }

    private mutating func addPseudoField(_ name: Span<UInt8>, _ value: Span<UInt8>, _ head: Head) {
        switch name.count {
        case 5: addPath(value, head)
        case 7:
            if name.equals(":method") {
                head.appendMethod(value)
                if value.endOfToken(from: 0) < value.count || value.isEmpty { refuse(.badMethod) }
            } else if name.equals(":scheme") {
                hasKnownScheme = value.equalsIgnoringCase("https") || value.equalsIgnoringCase("http")
            } else {
                addStatus(value, head)
            }
        case 9: proto = value.equalsIgnoringCase("websocket") ? .webSocket : .other
        case 10:
            guard let count = value.hostCountOfAuthority else { return refuse(.badHost) }
            hostCount = count
            let host = head.beginField("host")
            head.authority = head.append(value)
            head.endField(host, id: .host)
        default: break
        }
    }

    /// Adds `:path`, which unlike a request target of HTTP/1 cannot be in absolute form. Source: RFC 9113 §8.3.1.
    private mutating func addPath(_ value: Span<UInt8>, _ head: Head) {
        head.target = head.append(value)
        let start = head.target.start
        guard value.count > 0, value.endOfTarget(from: 0) == value.count else { return refuse(.badTarget) }
        // nghttp2 ensures that `*` comes only with OPTIONS.
        if value.count == 1, value[0] == .asterisk {
            head.path = head.target
            return
        }
        guard value[0] == .slash else { return refuse(.badTarget) }
        let parts = PathAndQuery(value, from: 0, to: value.count)
        head.path = ByteRange(start: start, count: parts.path.count)
        head.query = parts.query.isEmpty ? .empty : ByteRange(start: start + parts.path.count, count: parts.query.count)
        head.isPathAmbiguous = parts.isPathAmbiguous
        guard !parts.isPlain else { return }
        let canonicalStart = head.byteCount
        if let violation = CanonicalPath.append(value.extracting(parts.path), to: head) { return refuse(violation) }
        head.path = head.range(from: canonicalStart)
    }

    private mutating func addStatus(_ value: Span<UInt8>, _ head: Head) {
        guard value.count == 3, value[0].isDigit, value[1].isDigit, value[2].isDigit else {
            return refuse(.badStatusLine)
        }
        head.status = value.decimal
        guard (100...599).contains(head.status) else { return refuse(.badStatusLine) }
        let keepsContentLength = hasNoBody(head) && !forbidsFraming(head.status)
        facts = FieldFacts(.response(keepsContentLength: keepsContentLength), minorVersion: 1, arenaShift: 0)
    }

    /// Whether a response has no body whatever its fields say. Source: RFC 9112 §6.3.
    private func hasNoBody(_ head: Head) -> Bool {
        kind == .response(isHEAD: true) || forbidsFraming(head.status) || head.status == 304
    }

    private mutating func addField(_ name: Span<UInt8>, _ value: Span<UInt8>, _ head: Head) {
        guard fieldCount < HTTP1.Limits.fieldCountMax else { return refuse(.tooManyFields) }
        fieldCount += 1
        // In a response one field may fill the whole section, such as the details of a gRPC status.
        let isTooLarge = name.count + value.count + 2 > HTTP1.Limits.fieldLineBytesMax
        if isTooLarge, kind == .request { return refuse(.fieldTooLarge) }
        let index = head.fieldCount
        let line = head.appendFieldLine(name, value)
        if let violation = facts.enter(FieldID(name), name: line.name, value: line.value, of: head.bytes, into: head) {
            return refuse(violation)
        }
        if name.endOfPlainName(from: 0) < name.count,
            let violation = facts.checkInvalidName(name, at: index, head)
        {
            return refuse(violation)
        }
        switch head.field(index).id {
        case .other: if name.equals("cookie") { cookieCount += 1 }
        case .te: if kind == .request { head.acceptsTrailers = true }
        case .host: if kind == .request { checkHost(at: index, value, head) }
        // nghttp2 rejects these, or they need no treatment.
        default: break
        }
    }

    /// A Host field beside `:authority` must have the same value, and is dropped then. Source: RFC 9113 §8.3.1.
    private mutating func checkHost(at index: Int, _ value: Span<UInt8>, _ head: Head) {
        guard !head.authority.isEmpty else { return }
        guard value.equalsIgnoringCase(head.bytes(head.authority)) else { return refuse(.authorityMismatch) }
        head.removeField(index)
    }

    /// Checks what only the complete request can tell, and completes its head.
    mutating func finishRequest(isEnd: Bool) -> Violation? {
        guard let head else { preconditionFailure("head reader: no request was begun") }
        if head.authority.isEmpty {
            head.authority = facts.host
            hostCount = facts.hostCountOfHost
        }
        if proto == .webSocket {
            head.isWebSocket = true
            let range = head.append("GET")
            head.setMethod(head.bytes(range), at: range)
        }
        if let violation { return violation }
        if proto == .other { return .unsupportedProtocol }
        // TRACE would echo the fields that we add to the client; CONNECT is for forward proxies.
        if head.methodID == .connect || head.methodID == .trace { return .methodNotAllowed }
        guard hasKnownScheme else { return .badScheme }
        guard head.method.count + head.target.count <= HTTP1.Limits.requestLineBytesMax else {
            return .requestLineTooLong
        }
        if cookieCount > 1, let violation = joinCookies(head) { return violation }
        head.noteAuthority(hostCount: hostCount)
        // The bytes of a WebSocket are not a body: they are relayed once the target has accepted it.
        head.body = head.isWebSocket ? .none : bodyLength(isEnd: isEnd)
        return nil
    }

    /// Completes the head of a response.
    mutating func finishResponse(isEnd: Bool) {
        guard let head else { preconditionFailure("head reader: no response was begun") }
        head.body = hasNoBody(head) ? .none : bodyLength(isEnd: isEnd)
    }

    private func bodyLength(isEnd: Bool) -> BodyLength {
        if let length = facts.framing.contentLength { return .exactly(length) }
        return isEnd ? .none : .unknown
    }

    /// Joins several Cookie fields into one. Source: RFC 9113 §8.2.3.
    private func joinCookies(_ head: Head) -> Violation? {
        let name = head.beginField("cookie")
        var isFirst = true
        for index in 0..<head.fieldCount {
            let field = head.field(index)
            guard field.id == .other, head.bytes(field.name).equals("cookie") else { continue }
            if !isFirst { head.append("; ") }
            isFirst = false
            head.appendCopy(of: field.value)
            head.removeField(index)
        }
        head.endField(name, id: .other)
        return head.byteCount - name.start > HTTP1.Limits.fieldLineBytesMax ? .fieldTooLarge : nil
    }
}

extension Span where Element == UInt8 {
    /// Three digits as a number.
    fileprivate var decimal: UInt16 {
        var value: UInt16 = 0
        for index in 0..<count { value = value * 10 + UInt16(self[index] &- 0x30) }
        return value
    }
}
