import Core

/// What the fields of one head say about this hop, collected while they are entered into the head.
///
/// Hop-by-hop fields are marked removed, since the serialiser writes its own.
/// Source: RFC 9110 §7.6.1; RFC 9112 §6, §9.
package struct FieldFacts {
    /// What message the fields belong to.
    package enum Kind {
        case request(RequestOptions)
        /// `keepsContentLength`: the response has no body (HEAD, 304), and Content-Length tells the length that it
        /// would have.
        case response(keepsContentLength: Bool)
        /// `acceptsAnyName`: trailers of a response, whose names need not be tokens, as in its head.
        case trailers(acceptsAnyName: Bool)
    }

    let kind: Kind
    /// As `Head` counts it: 0 or 1.
    let minorVersion: UInt8
    /// Offset of the input in the arena.
    let arenaShift: Int
    /// Whether an Expect field is removed unread: on HTTP/2 it is neither answered nor passed on (docs/elbv2.md, "HTTP
    /// connections").
    package var ignoresExpectation = false

    /// What the fields say of the body.
    package private(set) var framing = FramingFields()
    /// Whether a line ended with LF alone.
    var hasBareLineFeed = false
    private(set) var hostCount = 0
    /// The first Host field's value, in the arena.
    package private(set) var host = ByteRange.empty
    /// How much of it is before the port.
    package private(set) var hostCountOfHost = 0
    private(set) var expectsContinue = false
    /// Whether a Connection field says `close`.
    var hasClose = false
    /// Whether one says `keep-alive`.
    var hasKeepAlive = false
    /// Whether one says `upgrade`.
    var hasUpgrade = false
    /// Whether an Upgrade field names nothing but `websocket`.
    private(set) var namesWebSocket = false

    package init(_ kind: Kind, minorVersion: UInt8, arenaShift: Int) {
        self.kind = kind
        self.minorVersion = minorVersion
        self.arenaShift = arenaShift
    }

    /// Whether the request asks for a WebSocket, or the response switches to one. Source: RFC 6455 §4.1, §4.2.2.
    var upgradesToWebSocket: Bool { hasUpgrade && namesWebSocket && minorVersion > 0 }

    /// Whether the sender keeps the connection open (keep-alive). Source: RFC 9112 §9.3.
    var isPersistent: Bool { !hasClose && (minorVersion > 0 || hasKeepAlive) }

    /// Reads the end of a line. In trailers only CRLF is accepted, since they are part of the body's framing.
    @inline(__always)
    mutating func end(of line: Line, at index: Int, in input: Span<UInt8>) -> Line.Outcome {
        if input[index] == .lineFeed {
            if case .trailers = kind { return .refused(line.violation(.bareLineFeed, at: index)) }
            hasBareLineFeed = true
        }
        return line.end(at: index, of: input, otherwise: .badFieldValue)
    }

    /// Enters one field, whose name and value lie in `input` and whose name is that of `id`, into the head, and records
    /// what it says about this hop.
    package mutating func enter(
        _ id: FieldID, name: ByteRange, value: ByteRange, of input: Span<UInt8>, into head: Head
    ) -> Violation? {
        let nameBytes = input.extracting(name)
        if id == .other, nameBytes.isSuspiciousName { return .suspiciousHeader }
        let index = head.fieldCount
        head.addField(name: name.shifted(by: arenaShift), value: value.shifted(by: arenaShift), id: id)
        switch kind {
        case .request(let options):
            if id == .other { return nil }
            return enterRequestField(id, at: index, input.extracting(value), options, head)
        case .response(let keepsContentLength):
            if id == .other { return nil }
            return enterCommonField(id, at: index, input.extracting(value), keepsContentLength, head)
        case .trailers:
            if id != .other || nameBytes.isForbiddenInTrailers { head.removeField(index) }
            return nil
        }
    }

    /// Checks the name of the field at `index`, which does not match `[-A-Za-z0-9]+`.
    ///
    /// In a request, its trailers included, it must still be a token, and a field that a target could confuse with one
    /// of ours is removed.
    package func checkInvalidName(_ name: Span<UInt8>, at index: Int, _ head: Head) -> Violation? {
        switch kind {
        case .request(let options):
            guard name.endOfToken(from: 0) == name.count else { return .badFieldName }
            if FieldID(cgiVariable: name).isSetByApus {
                head.hasDroppedNames = true
                head.removeField(index)
                return nil
            }
            if options.dropsInvalidNames {
                head.hasDroppedNames = true
                head.removeField(index)
            }
        // Some devices and old servers send field names that are not tokens.
        case .response: break
        case .trailers(let acceptsAnyName):
            guard acceptsAnyName || name.endOfToken(from: 0) == name.count else { return .badFieldName }
            if FieldID(cgiVariable: name) != .other { head.removeField(index) }
        }
        head.hasInvalidNames = true
        return nil
    }

    private mutating func enterRequestField(
        _ id: FieldID, at index: Int, _ value: Span<UInt8>, _ options: RequestOptions, _ head: Head
    ) -> Violation? {
        switch id {
        case .host:
            guard hostCount == 0 || options.keepsDuplicateHosts else { return .duplicateHost }
            guard let count = value.hostCountOfAuthority else { return .badHost }
            if hostCount == 0 {
                host = head.field(index).value
                hostCountOfHost = count
            }
            hostCount += 1
            return nil
        case .expect:
            head.removeField(index)
            // RFC 9110 §10.1.1: an expectation in an HTTP/1.0 request is not one.
            guard minorVersion > 0, !ignoresExpectation else { return nil }
            guard value.equalsIgnoringCase("100-continue") else { return .badExpectation }
            expectsContinue = true
            return nil
        default:
            return enterCommonField(id, at: index, value, false, head)
        }
    }

    /// Enters a field that means the same in requests and responses.
    private mutating func enterCommonField(
        _ id: FieldID, at index: Int, _ value: Span<UInt8>, _ keepsContentLength: Bool, _ head: Head
    ) -> Violation? {
        switch id {
        case .contentLength:
            if !keepsContentLength { head.removeField(index) }
            return framing.readContentLength(value)
        case .transferEncoding:
            head.removeField(index)
            return framing.readTransferEncoding(value, minorVersion: minorVersion)
        case .upgrade:
            head.removeField(index)
            namesWebSocket = value.equalsIgnoringCase("websocket")
            return nil
        case .keepAlive, .proxyConnection, .te, .http2Settings:
            head.removeField(index)
            return nil
        default:
            return nil
        }
    }
}
