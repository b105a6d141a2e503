import Core
import HTTP1
import Model

/// Why a call to the admin socket brought nothing.
public enum AdminClientError: Error, Equatable, Sendable, CustomStringConvertible {
    /// No server listens at the path.
    case noServer(path: String, reason: String)
    /// This user may not connect to the socket at the path.
    case forbidden(path: String, reason: String)
    /// The server rejected the request.
    case refused(AdminError)
    /// The server's answer broke off, or is not HTTP.
    case broken(String)
    /// The server ended the connection before it had answered.
    case unanswered
    /// The response timed out.
    case late(path: String)

    /// With which status a command ends because of it: 3 without a server, else 1.
    public var exitStatus: Int32 {
        if case .noServer = self { 3 } else { 1 }
    }

    /// What is wrong and what to do, on one line.
    public var description: String { refusal.description }
}

extension AdminClientError {
    /// What to do about a socket that is not for us.
    private static func whoMay(_ path: String) -> String {
        guard let owners = UnixPath.owners(of: path) else {
            return "Run it as root, or as a user who may enter the folder of the socket."
        }
        return owners.user == owners.group || owners.user == "root"
            ? "Run it as root, or as a member of group \(owners.group)."
            : "Run it as root, as user \(owners.user), or as a member of group \(owners.group)."
    }

    /// The same for scripts, in the shape of a refusal; of a refusal, as it came.
    public var refusal: AdminError {
        switch self {
        case .refused(let error): error
        case .late(let path): Self.isLate(path)
        case .noServer(let path, let reason):
            AdminError(
                code: "NoServer", status: 503, message: "No apus answers at \(path) (\(reason)).",
                remedy: Self.startOne)
        case .forbidden(let path, let reason):
            AdminError(
                code: "AccessDenied", status: 403,
                message: "User \(SystemUser.currentName) may not connect to \(path) (\(reason)).",
                remedy: Self.whoMay(path))
        case .unanswered:
            AdminError(
                code: "BrokenAnswer", status: 502,
                message: "The admin socket has ended the connection without an answer.", remedy: Self.lookAtLog)
        case .broken(let what):
            AdminError(
                code: "BrokenAnswer", status: 502, message: "The answer of the admin socket \(what).",
                remedy: Self.lookAtLog)
        }
    }

    private static func isLate(_ path: String) -> AdminError {
        AdminError(
            code: "RequestTimeout", status: 504, message: "What answers at \(path) says nothing.",
            remedy: "See whether its process stands still.")
    }

    private static let startOne = "Start one with apus run FILE, or name its socket with --socket or APUS_SOCKET."
    private static let lookAtLog = "Try again, and look at the server's log."
}

/// Speaks to the admin socket of a running Apus, one connection for each call, and waits for the answer.
///
/// Shape:  for the command line and for tests: it blocks.
/// Source: docs/admin-api.md; RFC 9112.
public struct AdminClient: Sendable {
    /// Where the server listens.
    public let path: String
    /// How long nothing may come from it; nil for as long as it takes.
    var timeout: Nanoseconds?

    /// A client of the server that listens at `path`.
    public init(path: String) { self.path = path }

    /// A client that waits at most `timeout` for each piece of an answer.
    init(path: String, timeout: Nanoseconds) {
        self.path = path
        self.timeout = timeout
    }

    /// Asks, and returns what the answer holds. Errors: any `AdminClientError`.
    public func call(_ method: String, _ target: String, body: Value? = nil) throws(AdminClientError) -> Value {
        try call(method, target, bytes: body.map { Array($0.json().utf8) })
    }

    /// The same with a body that is sent as it is.
    func call(_ method: String, _ target: String, bytes: [UInt8]?) throws(AdminClientError) -> Value {
        var answer: [UInt8] = []
        try exchange(method, target, body: bytes) { piece in
            answer += piece
            return true
        }
        do throws(ConfigErrors) {
            return try Value.parse(json: answer)
        } catch {
            throw .broken("is not JSON: \(error.first)")
        }
    }

    /// Asks, and hands over each line of the answer as it comes, without its end, until `take` returns false or the
    /// answer ends.
    public func lines(_ target: String, take: (String) -> Bool) throws(AdminClientError) {
        var rest: [UInt8] = []
        try exchange("GET", target, body: nil) { piece in
            rest += piece
            var start = 0
            while let end = rest[start...].firstIndex(of: .lineFeed) {
                guard take(String(decoding: rest[start..<end], as: UTF8.self)) else { return false }
                start = end + 1
            }
            rest.removeFirst(start)
            return true
        }
    }

    private func exchange(
        _ method: String, _ target: String, body: [UInt8]?, take: ([UInt8]) -> Bool
    ) throws(AdminClientError) {
        let socket: Socket
        do throws(SystemError) {
            socket = try Socket.connect(toUnixPath: path)
        } catch {
            throw error.isRefusal
                ? .forbidden(path: path, reason: error.reason) : .noServer(path: path, reason: error.reason)
        }
        defer { socket.close() }
        if let timeout { socket.setTimeout(timeout) }
        send(method, target, body: body, to: socket)
        var answer = AdminClientAnswer(socket: socket, path: path)
        try answer.read(take)
    }

    /// Sends the request. A failure is passed over: a server that refuses a body answers before it has read it.
    private func send(_ method: String, _ target: String, body: [UInt8]?, to socket: Socket) {
        let head = Head()
        head.appendMethod(Array(method.utf8).span)
        let parts = target.split(separator: "?", maxSplits: 1)
        head.path = head.append(Array(parts[0].utf8).span)
        if parts.count > 1 { head.query = head.append(Array("?\(parts[1])".utf8).span) }
        head.authority = head.append("apus")
        let name = head.append("Host")
        head.addField(name: name, value: head.authority, id: .host)
        let buffer = Buffer(capacity: max(requestHeadByteCount(head) + 64, Core.Limits.largeBufferBytes))
        writeRequestHead(head, framing: body.map { .length(UInt64($0.count)) } ?? .none, into: buffer)
        var start = 0
        while true {
            let end = min(start + buffer.freeCount, body?.count ?? 0)
            if let body, end > start { buffer.append(body.span.extracting(start..<end)) }
            start = end
            while !buffer.isEmpty {
                guard case .bytes = socket.write(buffer) else { return }
            }
            if start == body?.count ?? 0 { return }
        }
    }
}

/// The answer to one request, while it is read.
private struct AdminClientAnswer {
    private let socket: Socket
    private let path: String
    private let buffer = Buffer(capacity: Core.Limits.largeBufferBytes)
    private let head = Head()
    private var hasBegun = false

    init(socket: Socket, path: String) {
        self.socket = socket
        self.path = path
    }

    /// Reads to the end, and hands over the body of a good answer piece by piece until `take` returns false. The body
    /// of a refusal is thrown.
    mutating func read(_ take: ([UInt8]) -> Bool) throws(AdminClientError) {
        var reader = MessageReader(.responses)
        var refusal: [UInt8] = []
        while true {
            switch reader.next(buffer, head) {
            case .head: break
            case .data(let count):
                let piece = buffer.takeBytes(count)
                if !isGood { refusal += piece } else if !take(piece) { return }
            case .needMore:
                if try fill() { continue }
                guard hasBegun else { throw .unanswered }
                guard reader.endOfStream() == .complete else { throw .broken("broke off") }
                return try finish(refusal)
            case .end: return try finish(refusal)
            case .refused(let violation): throw .broken("is not HTTP (\(violation.reasonCode))")
            }
        }
    }

    /// Whether the status is one of success.
    private var isGood: Bool { head.status < 300 }

    /// Waits for more. Returns false at the end of the connection.
    private mutating func fill() throws(AdminClientError) -> Bool {
        buffer.compact()
        switch socket.read(into: buffer) {
        case .bytes:
            hasBegun = true
            return true
        case .endOfStream: return false
        // The socket blocks, so this is the end of its timeout.
        case .wouldBlock: throw .late(path: path)
        case .failed: throw hasBegun ? .broken("broke off") : .unanswered
        }
    }

    private func finish(_ refusal: [UInt8]) throws(AdminClientError) {
        guard !isGood else { return }
        guard let error = AdminError(body: refusal, status: head.status) else {
            throw .broken("has status \(head.status) and no reason")
        }
        throw .refused(error)
    }
}
