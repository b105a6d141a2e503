import Core

/// What a response says about the connection. Source: RFC 9112 §9.3.
public enum ConnectionOption: Equatable, Sendable {
    /// Nothing: an HTTP/1.1 connection goes on.
    case none
    /// The connection ends with this response.
    case close
    /// The connection goes on: for clients that speak HTTP/1.0.
    case keepAlive
}

/// The most octets that `writeRequestHead` appends for `head`.
public func requestHeadByteCount(_ head: Head) -> Int { 0 }

/// Appends the request line, the fields that were not removed, and this hop's framing.
public func writeRequestHead(_ head: Head, framing: Framing, into buffer: Buffer) {}

/// The most octets that `writeResponseHead` appends for `head`.
public func responseHeadByteCount(_ head: Head) -> Int { 0 }

/// Appends the status line, the fields that were not removed, this hop's framing and the connection option.
public func writeResponseHead(_ head: Head, framing: Framing, connection: ConnectionOption, into buffer: Buffer) {}
