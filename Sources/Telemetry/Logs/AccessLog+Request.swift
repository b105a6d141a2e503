import Core

// The parts about the request that both formats share.
extension AccessLog {
    /// Appends `METHOD scheme://host:port/uri HTTP/x`, with `-` for method and version if there was no valid request.
    func appendRequestLine(_ record: AccessRecord, _ request: Head, as escaping: Escaping) {
        let isKnown = !request.method.isEmpty
        if isKnown {
            line.append(escaping: request.bytes(request.method), as: escaping, limit: Limits.logFieldBytesMax)
        } else {
            line.append("-")
        }
        line.append(record.scheme)
        appendAuthority(request, record.listener, as: escaping)
        appendURI(request, as: escaping)
        if isKnown {
            line.append(record.isHTTP2 ? " HTTP/2.0" : request.minorVersion == 0 ? " HTTP/1.0" : " HTTP/1.1")
        } else {
            line.append("- -")
        }
    }

    /// The host and port of the request; the listener's if the request names none.
    private func appendAuthority(_ request: Head, _ listener: SocketAddress, as escaping: Escaping) {
        let authority = request.bytes(request.authority)
        if authority.isEmpty {
            line.append(listener)
            return
        }
        line.append(escaping: authority, as: escaping, limit: Limits.logFieldBytesMax)
        if !endsInPort(authority) {
            line.append(.colon)
            line.append(decimal: UInt64(listener.port))
        }
    }

    /// The path and query as received; for an absolute-form target, as parsed; nothing for `OPTIONS *`.
    private func appendURI(_ request: Head, as escaping: Escaping) {
        let target = request.bytes(request.target)
        if !target.isEmpty && target[0] == .slash {
            line.append(escaping: target, as: escaping, limit: Limits.logURIBytesMax)
        } else if !target.isEmpty && target[0] != .asterisk {
            line.append(escaping: request.bytes(request.path), as: escaping, limit: Limits.logURIBytesMax / 2)
            line.append(escaping: request.bytes(request.query), as: escaping, limit: Limits.logURIBytesMax / 2)
        }
    }

    /// Appends the value of the first field of this kind that was not removed, or `-`.
    func appendHeader(_ request: Head, _ id: FieldID, as escaping: Escaping, limit: Int) {
        guard let index = request.firstField(id) else {
            line.append("-")
            return
        }
        line.append(escaping: request.bytes(request.field(index).value), as: escaping, limit: limit)
    }
}

/// Whether `authority` is `host:port`: only digits after the last colon, which must be outside the brackets of an IPv6
/// address.
private func endsInPort(_ authority: Span<UInt8>) -> Bool {
    var index = authority.count
    while index > 0 && authority[index - 1].isDigit { index -= 1 }
    return index > 0 && index < authority.count && authority[index - 1] == .colon
}

extension AccessRecord {
    /// Field 1.
    var type: StaticString {
        switch kind {
        case .http: isTLS ? "https" : "http"
        case .http2: "h2"
        case .grpc: "grpcs"
        case .webSocket: isTLS ? "wss" : "ws"
        }
    }

    /// The scheme of the URL in the request line.
    var scheme: StaticString {
        switch kind {
        case .http, .http2, .grpc: isTLS ? " https://" : " http://"
        case .webSocket: isTLS ? " wss://" : " ws://"
        }
    }
}

extension AccessRecord.MatchedRule {
    /// Field 21; nil means `-`.
    var number: UInt64? {
        switch self {
        case .none: nil
        case .standard: 0
        case .priority(let priority): UInt64(priority)
        }
    }
}

extension AccessRecord.Action {
    /// Field 23; nil means `-`.
    var text: StaticString? {
        switch self {
        case .none: nil
        case .forward: "forward"
        case .fixedResponse: "fixed-response"
        case .redirect: "redirect"
        }
    }
}
