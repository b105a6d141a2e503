/// Reads HTTP/1.1 messages from a socket and keeps every byte that came, in order.
///
/// Both ends of a scenario use it: `RawClient` reads answers with it, `TargetConnection` requests.
/// Shape:  one thread at a time, except `received`, which any thread may read.
final class Wire: @unchecked Sendable {
    /// What is read from.
    let socket: Socket
    /// Seconds that a single read may take.
    var timeout = 15.0

    private var unread: [UInt8] = []
    private var unreadStart = 0
    private var scratch: [UInt8] = []
    private let record = Locked<[UInt8]>([])

    /// What is done with body bytes.
    enum Keep: Sendable { case all, countOnly }

    /// Reads from a connected socket.
    init(_ socket: Socket) { self.socket = socket }

    /// Every byte that came so far, without those of bodies that were only counted.
    var received: [UInt8] { record.value }

    /// Whether bytes have come that no message has taken yet.
    var hasUnread: Bool { unreadStart < unread.count }

    /// The next request's head, or `nil` when the client ended the connection between requests.
    func requestHead() throws -> Message? {
        guard try hasMore() else { return nil }
        var message = try Message(head: head())
        message.framing = try framing(of: message, otherwise: .none)
        return message
    }

    /// The next response with its body, as the answer to `method`. An interim (1xx) response is an answer of its own.
    func response(to method: String = "GET", keep: Keep = .all) throws -> Message {
        var message = try Message(head: head())
        guard message.startLine.hasPrefix("HTTP/1.1 ") || message.startLine.hasPrefix("HTTP/1.0 ") else {
            throw WireError.malformed("not a status line: \(message.startLine)")
        }
        let bodiless = method == "HEAD" || (100..<200).contains(message.status) || [204, 304].contains(message.status)
        message.framing = bodiless ? .none : try framing(of: message, otherwise: .endOfConnection)
        try readBody(of: &message, keep: keep)
        return message
    }

    /// Reads the body that `message.framing` announces.
    func readBody(of message: inout Message, keep: Keep = .all) throws {
        switch message.framing {
        case .none: break
        case .length(let count): try take(count, into: &message, keep: keep)
        case .chunked: try readChunks(into: &message, keep: keep)
        case .endOfConnection:
            while try hasMore() { try take(unread.count - unreadStart, into: &message, keep: keep) }
        }
    }

    /// Whether the other side ended the connection, with nothing more to read. A reset counts as an end here.
    func ended(within seconds: Double? = nil) -> Bool {
        if unreadStart < unread.count { return false }
        let arrival = socket.read(by: .after(seconds ?? timeout))
        guard case .bytes(let bytes) = arrival else { return arrival != .silence }
        keepUnread(bytes)
        return false
    }

    /// Reads until the bytes received contain `text`; `false` when the connection ended or fell silent before.
    func receives(_ text: String, within seconds: Double = 10) -> Bool {
        let wanted = Array(text.utf8)
        let deadline = Deadline.after(seconds)
        while !received.contains(wanted) {
            guard case .bytes(let bytes) = socket.read(by: deadline) else { return false }
            keepUnread(bytes)
        }
        return true
    }

    /// Reads to the end of the connection and gives back what no message has taken.
    func remainder() throws -> [UInt8] {
        while try fill() {}
        defer { unreadStart = unread.count }
        return Array(unread[unreadStart...])
    }

    private func framing(of message: Message, otherwise: Message.Framing) throws -> Message.Framing {
        let codings = message.values("transfer-encoding")
        let lengths = message.values("content-length")
        if !codings.isEmpty {
            guard codings == ["chunked"], lengths.isEmpty else {
                throw WireError.malformed("ambiguous framing: \(codings) and length \(lengths)")
            }
            return .chunked
        }
        guard !lengths.isEmpty else { return otherwise }
        guard lengths.count == 1, let count = Int(lengths[0]), count >= 0 else {
            throw WireError.malformed("content-length \(lengths)")
        }
        return .length(count)
    }

    private func head() throws -> [UInt8] {
        var bytes: [UInt8] = []
        repeat {
            let line = try nextLine()
            bytes += line
            if line.count == 2, bytes.count > 2 { return bytes }
        } while true
    }

    private func readChunks(into message: inout Message, keep: Keep) throws {
        while true {
            let line = try nextLine().dropLast(2)
            guard !line.isEmpty, line.allSatisfy(isHexDigit),
                let count = Int(String(decoding: line, as: UTF8.self), radix: 16)
            else { throw WireError.malformed("chunk header \(printable(line))") }
            if count == 0 { break }
            try take(count, into: &message, keep: keep)
            guard try nextLine().isEmptyLine else { throw WireError.malformed("no CRLF after a chunk") }
        }
        while case let line = try nextLine(), !line.isEmptyLine {
            message.trailers.append(try Message.field(Substring(String(decoding: line.dropLast(2), as: UTF8.self))))
        }
    }

    /// The next line with its CRLF.
    private func nextLine() throws -> [UInt8] {
        var scanned = unreadStart
        while true {
            while scanned < unread.count {
                if unread[scanned] == 0x0A {
                    let line = Array(unread[unreadStart...scanned])
                    unreadStart = scanned + 1
                    guard line.count >= 2, line[line.count - 2] == 0x0D else {
                        throw WireError.malformed("a line ends with a bare LF: \(printable(line))")
                    }
                    return line
                }
                scanned += 1
            }
            let pending = scanned - unreadStart
            try more()
            scanned = unreadStart + pending
        }
    }

    private func take(_ count: Int, into message: inout Message, keep: Keep) throws {
        var left = count
        while left > 0 {
            if unreadStart == unread.count {
                if keep == .countOnly {
                    left -= try countOff(left)
                    continue
                }
                try more()
            }
            let now = min(left, unread.count - unreadStart)
            if keep == .all { message.body += unread[unreadStart..<unreadStart + now] }
            unreadStart += now
            left -= now
        }
        message.bodyCount += count
    }

    /// Reads and discards up to `most` bytes.
    private func countOff(_ most: Int) throws -> Int {
        if scratch.count != min(most, 1 << 18) { scratch = [UInt8](repeating: 0, count: min(most, 1 << 18)) }
        guard let count = socket.discard(into: &scratch, by: .after(timeout)) else {
            throw WireError.ended(after: "\(most) bytes of a body missing")
        }
        return count
    }

    private func hasMore() throws -> Bool {
        try unreadStart < unread.count || fill()
    }

    private func more() throws {
        guard try fill() else { throw WireError.ended(after: printable(received.suffix(300))) }
    }

    /// Reads once; `false` at the end of the connection.
    private func fill() throws -> Bool {
        switch socket.read(by: .after(timeout)) {
        case .bytes(let bytes): keepUnread(bytes)
        case .endOfStream: return false
        case .reset: throw WireError.reset
        case .silence: throw WireError.silence(after: printable(received.suffix(300)))
        }
        return true
    }

    private func keepUnread(_ bytes: [UInt8]) {
        if unreadStart == unread.count {
            unread = []
            unreadStart = 0
        }
        unread += bytes
        record.withLock { $0 += bytes }
    }
}

extension [UInt8] {
    fileprivate var isEmptyLine: Bool { self == [0x0D, 0x0A] }
}

private func isHexDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
}
