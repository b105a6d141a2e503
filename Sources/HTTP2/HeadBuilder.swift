import Core
import HTTP1

/// Builds the neutral head of one HTTP/2 field section, field by field, by the rules that HTTP/1 keeps: what would be
/// refused there is refused here, or it would be smuggled to targets of HTTP/1.
///
/// Source: RFC 9113 §8.2, §8.3; RFC 8441 §4; threats.md, HTTP/2 downgrade.
struct HeadBuilder {
    /// Whose fields these are.
    enum Kind { case request, response, trailers }

    let head: Head
    let kind: Kind
    let slot: Int
    private let settings: HTTP2Settings
    /// What was wrong first.
    private(set) var violation: Violation?
    /// Octets and fields of the section so far, as RFC 9113 §6.5.2 counts them; crumbs of cookies too.
    private(set) var listBytes = 0
    private var fieldCount = 0
    private var framing = FieldFraming()
    private var hostCount = 0
    private var isConnect = false
    private var hasProtocol = false
    private var isSchemeBad = false
    /// The first cookie's index in the table, and where the others lie in the arena.
    private var cookie: Int?
    private var crumbs: [ByteRange] = []

    init(_ kind: Kind, _ head: Head, slot: Int, settings: HTTP2Settings) {
        self.kind = kind
        self.head = head
        self.slot = slot
        self.settings = settings
        head.isHTTP2 = true
    }

    /// Takes one field. False if the section is beyond what may be decoded.
    mutating func add(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
        listBytes += name.count + value.count + 32
        fieldCount += 1
        guard listBytes <= Limits.decodedBytesMax else { return false }
        if violation != nil { return true }
        if listBytes > Limits.headListBytesMax { return refuse(.headTooLarge) }
        if fieldCount > HTTP1.Limits.fieldCountMax { return refuse(.tooManyFields) }
        if name.count + value.count > HTTP1.Limits.fieldLineBytesMax { return refuse(.fieldTooLarge) }
        if name[0] == .colon { return addPseudo(name, value) }
        return addField(name, value)
    }

    private mutating func refuse(_ violation: Violation) -> Bool {
        self.violation = violation
        return true
    }

    private mutating func addPseudo(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
        if name.equals(":path") {
            if let violation = appendTarget(value, to: head) { return refuse(violation) }
        } else if name.equals(":method") {
            guard value.count > 0, value.endOfToken(from: 0) == value.count else { return refuse(.badMethod) }
            head.method = head.append(value)
            isConnect = value.equals("CONNECT")
            if value.equals("TRACE") { return refuse(.methodNotAllowed) }
        } else if name.equals(":authority") {
            guard value.isAuthority else { return refuse(.badHost) }
            let name = head.beginField("Host")
            head.append(value)
            head.endField(name, id: .host)
            head.authority = head.field(head.fieldCount - 1).value
        } else if name.equals(":scheme") {
            isSchemeBad = !(value.equals("https") || value.equals("http"))
        } else if name.equals(":protocol") {
            hasProtocol = true
            head.isWebSocket = value.equals("websocket")
        } else if name.equals(":status") {
            var status: UInt16 = 0
            for index in 0..<min(3, value.count) { status = status * 10 + UInt16(value[index] &- 0x30) }
            head.status = status
        }
        return true
    }

    private mutating func addField(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
        let id = FieldID(name)
        switch id {
        case .other:
            if name.isSuspiciousName { return refuse(.suspiciousHeader) }
            if kind == .request, name.equals("cookie") { return addCrumb(value) }
        case .host where kind == .request:
            return addHost(value)
        case .te:
            head.acceptsTrailers = true  // nghttp2 lets nothing else through
            return true
        case .expect where kind == .request:
            return true  // Neither answered nor passed on: RFC 9110 §10.1.1 lets a hop ignore it.
        case .contentLength:
            if let violation = framing.read(value) { return refuse(violation) }
        default: break
        }
        if kind == .trailers, id != .other || name.isForbiddenInTrailers { return true }
        let index = head.fieldCount
        let field = head.beginField(name)
        head.append(value)
        head.endField(field, id: id)
        if id == .contentLength { framing.index = index }
        if name.endOfPlainName(from: 0) != name.count {
            head.hasInvalidNames = true
            if kind == .request, settings.dropsInvalidNames { head.removeField(index) }
        }
        return true
    }

    /// A Host field counts where there is no `:authority`, and must say the same where there is one.
    private mutating func addHost(_ value: Span<UInt8>) -> Bool {
        hostCount += 1
        guard hostCount == 1 else { return refuse(.duplicateHost) }
        guard value.isAuthority else { return refuse(.badHost) }
        if !head.authority.isEmpty {
            return head.bytes(head.authority).equalsIgnoringCase(value) ? true : refuse(.authorityMismatch)
        }
        let name = head.beginField("Host")
        head.append(value)
        head.endField(name, id: .host)
        head.authority = head.field(head.fieldCount - 1).value
        return true
    }

    /// Crumbs of a cookie are gathered, and joined at the end. Source: RFC 9113 §8.2.3.
    private mutating func addCrumb(_ value: Span<UInt8>) -> Bool {
        if cookie == nil {
            cookie = head.fieldCount
            let name = head.beginField("cookie")
            head.append(value)
            head.endField(name, id: .other)
        } else {
            crumbs.append(head.append(value))
        }
        return true
    }

    private mutating func joinCrumbs() {
        guard let cookie, !crumbs.isEmpty else { return }
        let first = head.field(cookie).value
        head.removeField(cookie)
        let name = head.beginField("cookie")
        head.appendCopy(of: first)
        for crumb in crumbs {
            head.append("; ")
            head.appendCopy(of: crumb)
        }
        head.endField(name, id: .other)
    }

    /// Judges what only the whole section can tell, and sets the length of the body.
    mutating func finish(isEnd: Bool, requestIsHEAD: Bool) -> Violation? {
        if kind == .trailers { return violation }
        if violation == nil { violation = kind == .request ? finishRequest(isEnd: isEnd) : nil }
        if kind == .response { finishResponse(isEnd: isEnd, requestIsHEAD: requestIsHEAD) }
        return violation
    }

    private mutating func finishRequest(isEnd: Bool) -> Violation? {
        if isSchemeBad { return .badScheme }
        if hasProtocol {
            guard isConnect, head.isWebSocket else { return .unsupportedProtocol }
            // Targets of HTTP/1 are asked as RFC 6455 has it.
            head.method = head.append("GET")
        } else if isConnect {
            return .methodNotAllowed
        }
        guard !head.authority.isEmpty else { return .missingHost }
        let isOptions = head.bytes(head.method).equals("OPTIONS")
        if head.path.count == 1, head.bytes(head.path).equals("*"), !isOptions { return .badTarget }
        joinCrumbs()
        if let index = framing.index { head.removeField(index) }
        if head.isWebSocket {
            head.body = .none
        } else if let length = framing.length {
            head.body = .exactly(length)
        } else {
            head.body = isEnd ? .none : .unknown
        }
        return nil
    }

    private mutating func finishResponse(isEnd: Bool, requestIsHEAD: Bool) {
        let hasNoBody = requestIsHEAD || head.status < 200 || head.status == 204 || head.status == 304
        let keepsLength = requestIsHEAD || head.status == 304
        if let index = framing.index, !keepsLength { head.removeField(index) }
        if hasNoBody || isEnd && framing.length == nil {
            head.body = .none
        } else if let length = framing.length {
            head.body = .exactly(length)
        } else {
            head.body = .unknown
        }
    }
}

/// The Content-Length field of a section. Source: RFC 9110 §8.6.
private struct FieldFraming {
    var length: UInt64?
    var index: Int?

    mutating func read(_ value: Span<UInt8>) -> Violation? {
        guard length == nil else { return .duplicateContentLength }
        guard value.count > 0, value.count <= 18 else { return .badContentLength }
        var number: UInt64 = 0
        for index in 0..<value.count {
            guard value[index].isDigit else { return .badContentLength }
            number = number * 10 + UInt64(value[index] &- 0x30)
        }
        length = number
        return nil
    }
}
