/// One connection as a scripted target sees it.
///
/// Shape:  a script's one thread reads and writes; any thread may read the records.
final class TargetConnection: @unchecked Sendable {
    /// What reads it.
    let wire: Wire
    private var peeked: Message?
    private let heads = Locked<[Message]>([])

    /// A connection that was accepted.
    init(_ socket: Socket) {
        wire = Wire(socket)
        wire.timeout = 120
    }

    /// The requests whose heads were read, with their bodies as far as `request` or `readBody` read them.
    var requests: [Message] { heads.value }
    /// Every byte that came, except those of bodies that were only counted.
    var received: [UInt8] { wire.received }

    /// The next request's head; `nil` when Apus ended the connection.
    func head() throws -> Message? {
        let message = try peeked ?? wire.requestHead()
        peeked = nil
        if let message { heads.withLock { $0.append(message) } }
        return message
    }

    /// The next request with its body; `nil` when Apus ended the connection.
    func request(keep: Wire.Keep = .all) throws -> Message? {
        guard var message = try head() else { return nil }
        try readBody(of: &message, keep: keep)
        return message
    }

    /// Reads the body of the request whose head was read last.
    func readBody(of message: inout Message, keep: Wire.Keep = .all) throws {
        try wire.readBody(of: &message, keep: keep)
        let whole = message
        heads.withLock { $0[$0.count - 1] = whole }
    }

    /// Answers with a body of known length.
    func respond(status: Int = 200, body: String = "", fields: String = "") throws {
        try send("HTTP/1.1 \(status) Scripted\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)")
    }

    /// Sends bytes as they are.
    func send(_ text: String) throws { try send(Array(text.utf8)) }
    func send(_ bytes: [UInt8]) throws { try wire.socket.write(bytes, by: .after(wire.timeout)) }

    /// Aborts the connection.
    func reset() { wire.socket.reset() }

    /// Reads the first head without handing it to the script yet.
    func peekRequest() -> Message? {
        peeked = try? wire.requestHead()
        return peeked
    }
}
