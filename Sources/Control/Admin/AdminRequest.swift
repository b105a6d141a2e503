import Core
import HTTP1
import Model

/// One request to the admin socket, read to its end.
struct AdminRequest {
    /// As in `GET`.
    let method: String
    /// The path as it came, for logs.
    let path: String
    /// The path cut at its slashes, percent-decoded.
    let segments: [String]
    /// The query as keys and values, in order.
    let query: [(key: String, value: String)]
    /// Its body.
    let body: [UInt8]
    /// Who sent it; nil if the system does not tell.
    let client: UnixCredentials?
    /// The value of If-Match, several of them joined; nil without.
    let ifMatch: String?
    /// The value of If-None-Match, several of them joined; nil without.
    let ifNoneMatch: String?
    /// The name of a field with a condition that no change understands; nil without.
    let unknownCondition: String?

    /// The request that `head` and `body` make.
    init(head: Head, body: [UInt8], client: UnixCredentials?) {
        method = head.bytes(head.method).text
        path = head.bytes(head.path).text
        segments = path.split(separator: "/", omittingEmptySubsequences: true).map { Self.decoded($0) }
        query = head.bytes(head.query).text.drop { $0 == "?" }.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decoded(parts[0]), parts.count > 1 ? Self.decoded(parts[1]) : "")
        }
        self.body = body
        self.client = client
        var conditions: [String] = []
        var known: [String] = []
        var unknown: String?
        for index in 0..<head.fieldCount {
            let field = head.field(index)
            let name = head.bytes(field.name)
            if name.equalsIgnoringCase("if-match") {
                conditions.append(head.bytes(field.value).text)
            } else if name.equalsIgnoringCase("if-none-match") {
                known.append(head.bytes(field.value).text)
                unknown = name.text
            } else if name.equalsIgnoringCase("if-unmodified-since") {
                unknown = name.text
            }
        }
        ifMatch = conditions.isEmpty ? nil : conditions.joined(separator: ", ")
        ifNoneMatch = known.isEmpty ? nil : known.joined(separator: ", ")
        unknownCondition = unknown
    }

    /// The user who sent it.
    var user: UInt32? { client?.userID }

    /// What must be in force for the request to be done; nil for anything.
    ///
    /// Errors: If-Match cannot be read; or there is another condition, which would be passed over in silence.
    func condition() throws(AdminError) -> GenerationCondition? {
        let isChange = method != "GET" && method != "HEAD"
        if isChange, let unknownCondition {
            throw AdminError(
                code: "ValidationError", message: "\(unknownCondition) is not understood here.",
                remedy: "Use If-Match with the generation that an ETag told.")
        }
        return try ifMatch.flatMap { text throws(AdminError) in try GenerationCondition(ifMatch: text) }
    }

    /// Whether If-None-Match says that the client already has `generation`.
    ///
    /// Source: RFC 9110 §13.1.2. Entity tags are compared weakly.
    func knows(_ generation: UInt64) -> Bool {
        guard let ifNoneMatch else { return false }
        return ifNoneMatch.split(separator: ",").contains { part in
            let tag = part.trimmingPrefix { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
            return tag == "*" || tag.trimmingPrefix("W/") == "\"\(generation)\""
        }
    }

    /// The body as JSON. Errors: one that says where it is wrong.
    func json() throws(AdminError) -> Value {
        guard !body.isEmpty else {
            throw AdminError(
                code: "ValidationError", message: "\(method) \(path) needs a body, but found none.",
                remedy: "Send a JSON object, as in curl --json '{…}'.")
        }
        do throws(ConfigErrors) {
            return try Value.parse(json: body, file: "")
        } catch {
            throw AdminError(error)
        }
    }

    /// Text with `%XX` resolved, where it is well-formed and gives UTF-8; else the text itself, which names nothing.
    private static func decoded(_ text: Substring) -> String {
        guard text.utf8.contains(.percent) else { return String(text) }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == .percent, index + 2 < bytes.count, let high = bytes[index + 1].hexadecimalValue,
                let low = bytes[index + 2].hexadecimalValue
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(validating: result, as: UTF8.self) ?? String(text)
    }
}

/// What a request to the admin socket is answered with.
enum AdminAnswer {
    /// 200 with this as JSON, and with the generation that it is of, if it is of one, as its ETag.
    case value(Value, generation: UInt64? = nil)
    /// 304: the client already has this generation.
    case notModified(generation: UInt64)
    /// 200 with these bytes.
    case text(StaticString, [UInt8])
    /// 200 with an object on each line, as things happen, after the last `recent` ones that happened.
    case events(recent: Int)
    /// A refusal. `allow` are the methods that would do, of a 405.
    case refused(AdminError, allow: [String] = [])

    /// The status of the response.
    var status: UInt16 {
        switch self {
        case .refused(let error, _): error.status
        case .notModified: 304
        case .value, .text, .events: 200
        }
    }
}
