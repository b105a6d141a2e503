import Core
import HTTP1
import Model

/// Puts together what the admin socket answers.
///
/// Shape: one per server; its head and buffer are reused, and empty between two calls.
final class AdminResponse {
    private let head = Head()
    private let staging = Buffer(capacity: Core.Limits.largeBufferBytes)

    /// The `100 Continue` for a client that waits before it sends its body.
    static let continue100 = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    /// A whole response; without its body for HEAD.
    func bytes(for answer: AdminAnswer, connection: ConnectionOption, isHEAD: Bool) -> [UInt8] {
        if case .notModified(let generation) = answer {
            begin(status: answer.status, contentType: nil)
            addField("ETag", Array("\"\(generation)\"".utf8))
            return takeHead(framing: .none, connection: connection)
        }
        let body: [UInt8]
        var contentType: StaticString = "application/json"
        switch answer {
        case .value(let value, _): body = Array(value.json(pretty: true).utf8)
        case .refused(let error, _): body = Array(error.value.json(pretty: true).utf8)
        case .text(let type, let text): (contentType, body) = (type, text)
        case .events, .notModified: preconditionFailure("admin: this is no response with a body")
        }
        begin(status: answer.status, contentType: contentType)
        if case .value(_, let generation?) = answer { addField("ETag", Array("\"\(generation)\"".utf8)) }
        if case .refused(_, let allow) = answer, !allow.isEmpty {
            addField("Allow", Array(allow.joined(separator: ", ").utf8))
        }
        return takeHead(framing: .length(UInt64(body.count)), connection: connection) + (isHEAD ? [] : body)
    }

    /// The head of a stream of lines: chunks for HTTP/1.1, else until the connection closes.
    func streamHead(isChunked: Bool) -> [UInt8] {
        begin(status: 200, contentType: "application/x-ndjson")
        addField("Cache-Control", Array("no-store".utf8))
        return takeHead(framing: isChunked ? .chunked : .untilClose, connection: isChunked ? .none : .close)
    }

    /// `value` as one line, in chunks if the stream `isChunked`.
    func line(_ value: Value, isChunked: Bool) -> [UInt8] {
        let line = Array((value.json() + "\n").utf8)
        guard isChunked else { return line }
        var bytes: [UInt8] = []
        var start = 0
        while start < line.count {
            let end = min(start + Core.Limits.largeBufferBytes - chunkOverheadMax, line.count)
            writeChunk(line.span.extracting(start..<end), into: staging)
            bytes += take()
            start = end
        }
        return bytes
    }

    private func begin(status: UInt16, contentType: StaticString?) {
        head.reset()
        head.status = status
        head.reason = head.append(Self.phrase(status))
        guard let contentType else { return }
        let name = head.append("Content-Type")
        head.addField(name: name, value: head.append(contentType), id: .contentType)
    }

    private func addField(_ name: StaticString, _ value: [UInt8]) {
        let name = head.append(name)
        head.addField(name: name, value: head.append(value.span), id: .other)
    }

    private func takeHead(framing: Framing, connection: ConnectionOption) -> [UInt8] {
        writeResponseHead(head, framing: framing, connection: connection, into: staging)
        return take()
    }

    private func take() -> [UInt8] { staging.takeBytes(staging.count) }

    /// Source: RFC 9110 §15.
    private static func phrase(_ status: UInt16) -> StaticString {
        switch status {
        case 200: "OK"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 409: "Conflict"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 417: "Expectation Failed"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Status"
        }
    }
}
