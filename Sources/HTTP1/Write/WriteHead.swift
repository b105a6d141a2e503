import Core

/// What a response says about the connection. Source: RFC 9112 §9.3.
public enum ConnectionOption: Equatable, Sendable {
    /// Nothing: an HTTP/1.1 connection stays open.
    case none
    /// `close`: the connection ends with this response.
    case close
    /// `keep-alive`: the connection stays open, for HTTP/1.0 clients.
    case keepAlive
}

/// The fields that ask for a WebSocket, and those that accept it. Source: RFC 6455 §4.1, §4.2.2.
private let webSocketUpgrade: StaticString = "Connection: Upgrade\r\nUpgrade: websocket\r\n"

/// More than the literals of a head take: version, status, spaces, line ends, and the fields for framing and
/// Connection.
private let headOverheadMax = 128

/// The most bytes that `writeRequestHead` appends for `head`.
public func requestHeadByteCount(_ head: Head) -> Int {
    head.method.count + head.path.count + head.query.count + fieldLinesByteCount(head) + headOverheadMax
}

/// Appends the request line, the fields that were not removed, and this hop's framing; the buffer must have room for
/// `requestHeadByteCount`.
///
/// Without a body, `Content-Length: 0` is written if the client sent it or the method expects content.
/// Source: RFC 9112 §3, §6; RFC 9110 §8.6.
public func writeRequestHead(_ head: Head, framing: Framing, into buffer: Buffer) {
    buffer.append(head.bytes(head.method))
    buffer.append(.space)
    buffer.append(head.bytes(head.path))
    if !head.query.isEmpty { buffer.append(head.bytes(head.query)) }
    buffer.append(" HTTP/1.1\r\n")
    writeFieldLines(head, keepsContentLength: false, into: buffer)
    if head.isWebSocket { buffer.append(webSocketUpgrade) }
    switch framing {
    case .none:
        let isExpected =
            head.body == .exactly(0) || head.methodID == .post || head.methodID == .put || head.methodID == .patch
        buffer.append(isExpected ? "Content-Length: 0\r\n\r\n" : "\r\n")
    case .length(let length):
        writeContentLength(length, into: buffer)
        buffer.append("\r\n")
    case .chunked:
        buffer.append("Transfer-Encoding: chunked\r\n\r\n")
    case .untilClose:
        preconditionFailure("request head: a request cannot end with its connection")
    }
}

/// The most bytes that `writeResponseHead` appends for `head`.
public func responseHeadByteCount(_ head: Head) -> Int {
    head.reason.count + fieldLinesByteCount(head) + headOverheadMax
}

/// Appends the status line, the fields that were not removed, this hop's framing and the connection option; the buffer
/// must have room for `responseHeadByteCount` bytes.
///
/// 1xx, 204 and 304 get no framing, whatever `framing` is. With `.none`, a Content-Length field that the parser kept
/// (response to HEAD, 304) is forwarded. A switch to WebSocket has `Connection: Upgrade`, whatever `connection` is.
/// Source: RFC 9112 §4, §6; RFC 9110 §8.6.
public func writeResponseHead(_ head: Head, framing: Framing, connection: ConnectionOption, into buffer: Buffer) {
    buffer.append("HTTP/1.1 ")
    buffer.append(decimal: UInt64(head.status))
    buffer.append(.space)
    if !head.reason.isEmpty { buffer.append(head.bytes(head.reason)) }
    buffer.append("\r\n")
    let framing = forbidsFraming(head.status) || head.status == 304 ? .none : framing
    writeFieldLines(head, keepsContentLength: framing == .none && !forbidsFraming(head.status), into: buffer)
    switch framing {
    case .none, .untilClose: break
    case .length(let length): writeContentLength(length, into: buffer)
    case .chunked: buffer.append("Transfer-Encoding: chunked\r\n")
    }
    if head.isWebSocket {
        buffer.append(webSocketUpgrade)
        return buffer.append("\r\n")
    }
    switch connection {
    case .none: buffer.append("\r\n")
    case .close: buffer.append("Connection: close\r\n\r\n")
    case .keepAlive: buffer.append("Connection: keep-alive\r\n\r\n")
    }
}

private func writeContentLength(_ length: UInt64, into buffer: Buffer) {
    buffer.append("Content-Length: ")
    buffer.append(decimal: length)
    buffer.append("\r\n")
}
