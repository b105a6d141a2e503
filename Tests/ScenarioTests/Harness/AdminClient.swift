/// A connection to the admin socket that can ask many times.
final class AdminClient: Sendable {
    private let client: RawClient

    /// Connects to the admin socket at `path`.
    init(path: String) throws { client = try RawClient(path: path) }

    /// Seconds that an answer may take.
    var timeout: Double {
        get { client.wire.timeout }
        set { client.wire.timeout = newValue }
    }

    /// Sends a request with a JSON body or none.
    @discardableResult
    func ask(_ method: String, _ path: String, _ body: JSON? = nil) throws -> AdminAnswer {
        try ask(method, path, text: body?.text)
    }

    /// Sends a request with any body, and with these additional field lines.
    func ask(_ method: String, _ path: String, text: String?, fields: [String] = []) throws -> AdminAnswer {
        var request = "\(method) \(path) HTTP/1.1\r\nHost: apus\r\n" + fields.map { "\($0)\r\n" }.joined()
        if let text { request += "Content-Type: application/json\r\nContent-Length: \(text.utf8.count)\r\n" }
        let answer = try client.exchange(request + "\r\n" + (text ?? ""), method: method)
        return AdminAnswer(status: answer.status, text: answer.text, tag: answer["etag"])
    }
}

/// A response of the admin socket.
struct AdminAnswer: Sendable {
    /// The HTTP status.
    let status: Int
    /// The body.
    let text: String

    /// The entity tag.
    let tag: String?

    /// The body as JSON.
    var json: JSON { JSON(parsing: Array(text.utf8)) }
    /// `error.code`: one of ELBv2's.
    var errorCode: String? { json["error"]["code"].string }
}
