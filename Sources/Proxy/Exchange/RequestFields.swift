import Core

/// The field that tells a target which group its user belongs to, in lower case.
private let cohortFieldName = Array("apus-cohort".utf8)

/// The changes to a request's fields before it is forwarded. Source: docs/elbv2.md, "HTTP connections" and "Header
/// fields".
extension Worker {
    /// Applies the field rules of the listener, once per exchange: a retry sends the same head.
    mutating func prepareFields(_ exchange: Exchange) {
        guard exchange.requestProgress == .received else { return }
        exchange.requestProgress.receive(.prepared)
        let request = exchange.request
        let client = exchange.client
        let listener = client.listener
        countInvalidNames(request, listener)
        changeRequestFields(exchange)
        if !exchange.record.transformedHost.isEmpty {
            setHost(request, exchange.record.transformedHost)
        } else if !listener.settings.preservesHost {
            rewriteHost(request, client)
        } else if !hasAuthorityAsHost(request) {
            replaceHost(request)
        }
        setForwardedFor(request, client)
        let scheme = request.beginField("X-Forwarded-Proto")
        request.append(client.tls == nil ? "http" : "https")
        request.endField(scheme, id: .xForwardedProto)
        let port = request.beginField("X-Forwarded-Port")
        request.append(decimal: UInt64(listener.plan.port))
        request.endField(port, id: .xForwardedPort)
        setTraceID(request)
        setTLSFields(request, client)
        if exchange.tellsCohort { setCohort(exchange) }
        if request.isWebSocket && request.isHTTP2 { setWebSocketKey(request) }
        chargeHead(exchange)
    }

    // MARK: Host

    /// Writes the Host field in lower case, without the port of well-known listeners and with that of others. An
    /// absolute-form target's authority has replaced the Host field in the parser.
    private func rewriteHost(_ request: Head, _ client: ClientSide) {
        let port = client.listener.plan.port
        let isWellKnown = port == 80 || port == 443
        let hasPort = !request.port.isEmpty
        if !needsRewrite(request, hasPort: hasPort, isWellKnown: isWellKnown) { return }
        let authority = request.authority
        let host =
            authority.isEmpty
            ? localHost(request, client)
            // With the dot at the end of a complete name, if the client wrote it.
            : ByteRange(start: authority.start, count: authority.count - request.port.count)
        request.removeFields(.host)
        let name = request.beginField("Host")
        _ = request.appendLowercased(host)
        if !isWellKnown {
            if hasPort {
                request.appendCopy(of: request.port)
            } else {
                request.append(.colon)
                request.append(decimal: UInt64(port))
            }
        }
        request.endField(name, id: .host)
    }

    /// Whether the Host field that came in is not yet what the target should see.
    private func needsRewrite(_ request: Head, hasPort: Bool, isWellKnown: Bool) -> Bool {
        guard hasPort != isWellKnown, request.isAuthorityLowercase, let index = request.firstField(.host) else {
            return true
        }
        let value = request.field(index).value
        // An absolute-form target's authority is another one.
        return value != request.authority && !request.bytes(value).equals(request.bytes(request.authority))
    }

    /// Whether the first Host field is what the request was routed by. An absolute-form target's authority is not.
    private func hasAuthorityAsHost(_ request: Head) -> Bool {
        guard let index = request.firstField(.host) else { return request.authority.isEmpty }
        return request.bytes(request.field(index).value).equals(request.bytes(request.authority))
    }

    /// Puts the authority that the request was routed by in place of the Host field. Source: RFC 9112 §3.2.2.
    private func replaceHost(_ request: Head) { setHost(request, request.authority) }

    /// Puts `host`, which lies in the arena of `request`, in place of the Host field.
    private func setHost(_ request: Head, _ host: ByteRange) {
        request.removeFields(.host)
        let name = request.beginField("Host")
        request.appendCopy(of: host)
        request.endField(name, id: .host)
    }

    /// An HTTP/1.0 request may have no Host: the address that the client connected to is used.
    private func localHost(_ request: Head, _ client: ClientSide) -> ByteRange {
        request.append(hostOf: client.localAddress ?? .unspecified, bracketed: true)
    }

    // MARK: X-Forwarded-For

    private func setForwardedFor(_ request: Head, _ client: ClientSide) {
        let listener = client.listener
        switch listener.settings.forwardedForMode {
        case .preserve: return
        case .remove: request.removeFields(.xForwardedFor)
        case .append: appendForwardedFor(request, client.address, addsPort: listener.settings.addsClientPort)
        }
    }

    /// Makes one field of those that came in and the client's address.
    private func appendForwardedFor(_ request: Head, _ address: SocketAddress, addsPort: Bool) {
        let name = request.beginField("X-Forwarded-For")
        while let index = request.firstField(.xForwardedFor) {
            request.appendCopy(of: request.field(index).value)
            request.append(.comma)
            request.append(.space)
            request.removeField(index)
        }
        request.append(hostOf: address, bracketed: addsPort)
        if addsPort {
            request.append(.colon)
            request.append(decimal: UInt64(address.port))
        }
        request.endField(name, id: .xForwardedFor)
    }

    // MARK: Apus-Cohort

    /// Tells the target which group its user belongs to, in place of what the client may have said.
    private func setCohort(_ exchange: Exchange) {
        guard let group = exchange.group else { return }
        let request = exchange.request
        for index in 0..<request.fieldCount where !request.field(index).isRemoved {
            if request.bytes(request.field(index).name).isSameCGIVariable(as: cohortFieldName.span) {
                request.removeField(index)
            }
        }
        let name = request.beginField("Apus-Cohort")
        let value = group.logName
        request.append(value.span)
        request.endField(name, id: .other)
    }

    // MARK: X-Amzn-Trace-Id

    /// Gives the request a trace: a new Root, or a Self before the Root that it came with.
    mutating func setTraceID(_ request: Head) {
        let name = request.beginField("X-Amzn-Trace-Id")
        if let index = request.firstField(.xAmznTraceID) {
            let value = request.field(index).value
            request.removeFields(.xAmznTraceID)
            appendTrace(request, continuing: value)
        } else {
            request.append("Root=")
            appendNewTrace(request)
        }
        request.endField(name, id: .xAmznTraceID)
    }

    /// Puts a Self before what came in. A value that is too long is cut down to its Root.
    private mutating func appendTrace(_ request: Head, continuing value: ByteRange) {
        let trace = TraceID(request.bytes(value))
        let isTooLong = value.count > Limits.traceBytesMax
        guard let root = trace.root, root.count <= Limits.traceBytesMax else {
            request.append("Root=")
            appendNewTrace(request)
            if !isTooLong && !(trace.kept.isEmpty && trace.keptAfterSelf.isEmpty) {
                request.append(.semicolon)
                appendKept(request, value, trace.kept)
                appendKept(request, value, trace.keptAfterSelf)
            }
            return
        }
        if isTooLong { return appendKept(request, value, root) }
        request.append("Self=")
        appendNewTrace(request)
        request.append(.semicolon)
        appendKept(request, value, trace.kept)
        appendKept(request, value, trace.keptAfterSelf)
    }

    private func appendKept(_ request: Head, _ value: ByteRange, _ part: Range<Int>?) {
        guard let part, !part.isEmpty else { return }
        request.appendCopy(of: ByteRange(start: value.start + part.lowerBound, count: part.count))
    }

    /// Appends `1-67891233-abcdef012345678912345678`: version, seconds since the epoch, 96 random bits.
    private mutating func appendNewTrace(_ request: Head) {
        request.append("1-")
        request.append(hexadecimal: UInt32(truncatingIfNeeded: timeOfDay / 1_000_000_000))
        request.append(0x2D as UInt8)
        let bits = random.next()
        request.append(hexadecimal: UInt32(truncatingIfNeeded: bits))
        request.append(hexadecimal: UInt32(truncatingIfNeeded: bits >> 32))
        request.append(hexadecimal: UInt32(truncatingIfNeeded: random.next()))
    }

    // MARK: WebSocket

    /// Gives a WebSocket that was asked for over HTTP/2 the key that HTTP/1 wants. Source: RFC 8441 §5, RFC 6455 §4.1.
    private mutating func setWebSocketKey(_ request: Head) {
        // HTTP/2 does not use it, so the client's field is removed.
        request.removeFields(.secWebSocketKey)
        let name = request.beginField("Sec-WebSocket-Key")
        let digits: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        // 16 random bytes in base64: 21 whole digits, one of which two bits count, and the padding.
        var bits: UInt64 = 0
        for position in 0..<22 {
            if position % 10 == 0 { bits = random.next() }
            let digit = Int(bits & 63) & (position == 21 ? 0b110000 : 0b111111)
            request.append(digits[byte: digit])
            bits >>= 6
        }
        request.append("==")
        request.endField(name, id: .secWebSocketKey)
    }

    // MARK: Invalid names

    /// Counts requests whose field names are beyond `[-A-Za-z0-9]`, dropped by the parser or forwarded.
    private func countInvalidNames(_ request: Head, _ listener: WorkerListener) {
        if request.hasDroppedNames { counters.invalidHeaderRequestsDropped.add() }
        if request.hasInvalidNames, !listener.settings.dropsInvalidNames {
            counters.invalidHeaderRequestsForwarded.add()
        }
    }
}

/// Where the parts of an X-Amzn-Trace-Id value lie. Source: docs/elbv2.md, "Header fields".
struct TraceID {
    /// The `Root=…` part.
    private(set) var root: Range<Int>?
    /// What stays before a `Self=…` part, with its last semicolon if more follows, or everything if there is none.
    private(set) var kept: Range<Int>
    /// What stays after it.
    private(set) var keptAfterSelf: Range<Int>

    init(_ value: Span<UInt8>) {
        kept = 0..<value.count
        keptAfterSelf = value.count..<value.count
        var start = 0
        while start < value.count {
            var end = start
            while end < value.count && value[end] != .semicolon { end += 1 }
            let part = value.extracting(start..<end)
            if Self.has(part, "root=") && root == nil { root = start..<end }
            let next = min(end + 1, value.count)
            if Self.has(part, "self=") && kept.upperBound == value.count {
                kept = 0..<(next < value.count ? start : max(0, start - 1))
                keptAfterSelf = next..<value.count
            }
            start = next
        }
    }

    private static func has(_ part: Span<UInt8>, _ prefix: StaticString) -> Bool {
        part.count >= prefix.utf8CodeUnitCount
            && part.extracting(0..<prefix.utf8CodeUnitCount).equalsIgnoringCase(prefix)
    }
}
