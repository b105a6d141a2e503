/// A scripted client: sends exactly the bytes it is told to and reads what comes back.
///
/// Shape:  one connection, used by one thread; closed with `close`, `reset` or when let go.
struct RawClient: Sendable {
    /// The connection.
    let socket: Socket
    /// What reads it.
    let wire: Wire

    /// Connects to `host`, from `source` and `sourcePort` where they are given; `receiveBuffer` in bytes makes a slow
    /// reader felt early.
    init(
        port: UInt16, host: String = Socket.loopback, receiveBuffer: Int32? = nil, source: String? = nil,
        sourcePort: UInt16 = 0
    ) throws {
        self.init(
            try Socket.connected(
                port: port, host: host, receiveBuffer: receiveBuffer, source: source, sourcePort: sourcePort))
    }

    /// Connects to a Unix socket.
    init(path: String) throws { self.init(try Socket.connected(path: path)) }

    private init(_ socket: Socket) {
        self.socket = socket
        wire = Wire(socket)
    }

    /// Sends `text` as UTF-8. Scenarios spell every CRLF out, because that is what they are about.
    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Sends bytes as they are.
    func send(_ bytes: [UInt8]) throws { try socket.write(bytes, by: .after(wire.timeout)) }

    /// The next response. `method` is that of the request it answers, because HEAD has no body.
    func response(to method: String = "GET", keep: Wire.Keep = .all) throws -> Message {
        try wire.response(to: method, keep: keep)
    }

    /// Sends `text` and reads one response.
    func exchange(_ text: String, method: String? = nil) throws -> Message {
        try send(text)
        return try response(to: method ?? String(text.prefix { $0 != " " }))
    }

    /// Sends a GET for `path` and reads its response; the connection stays usable.
    func get(_ path: String, host: String = "example.com", fields: String = "") throws -> Message {
        try exchange("GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\(fields)\r\n")
    }

    /// Whether Apus has closed the connection, or does so within `seconds`.
    func ended(within seconds: Double = 10) -> Bool { wire.ended(within: seconds) }

    /// The bytes of the next read as text, or how the connection ended.
    func text(within seconds: Double = 10) -> String {
        let arrival = socket.read(by: .after(seconds))
        if case .bytes(let bytes) = arrival { return String(decoding: bytes, as: UTF8.self) }
        return "\(arrival)"
    }

    /// Sends FIN and goes on reading.
    func endWriting() { socket.endWriting() }
    /// Aborts the connection.
    func reset() { socket.reset() }
    /// Ends the connection.
    func close() { socket.close() }
}
