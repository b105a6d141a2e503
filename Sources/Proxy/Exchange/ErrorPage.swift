import Core

/// The body of an error response, in the form of an Application Load Balancer.
struct ErrorPage {
    /// The reason phrase of the status line.
    let reason: StaticString
    private let status: UInt16
    /// A sentence on what to do; may be empty.
    private let hint: StaticString

    private static let beforeTitle: StaticString = "<html>\r\n<head><title>"
    private static let beforeHeading: StaticString = "</title></head>\r\n<body>\r\n<center><h1>"
    private static let afterHeading: StaticString = "</h1></center>\r\n"
    private static let end: StaticString = "</body>\r\n</html>\r\n"

    init(_ status: UInt16, hint: StaticString = "") {
        self.status = status
        self.hint = hint
        reason = reasonPhrase(status)
    }

    /// Bytes of the page.
    var byteCount: Int {
        Self.beforeTitle.utf8CodeUnitCount + Self.beforeHeading.utf8CodeUnitCount
            + Self.afterHeading.utf8CodeUnitCount + Self.end.utf8CodeUnitCount
            + 2 * (4 + reason.utf8CodeUnitCount) + hint.utf8CodeUnitCount
    }

    /// Appends the page, which must fit.
    func append(to buffer: Buffer) {
        buffer.append(Self.beforeTitle)
        appendStatus(to: buffer)
        buffer.append(Self.beforeHeading)
        appendStatus(to: buffer)
        buffer.append(Self.afterHeading)
        buffer.append(hint)
        buffer.append(Self.end)
    }

    private func appendStatus(to buffer: Buffer) {
        buffer.append(decimal: UInt64(status))
        buffer.append(.space)
        buffer.append(reason)
    }
}

/// The reason phrase of a status. Source: IANA's registry of HTTP status codes; ALB's own words where it has some
/// (docs/elbv2.md, "Status codes").
func reasonPhrase(_ status: UInt16) -> StaticString {
    switch status {
    case 200..<300: successPhrase(status)
    case 301: "Moved Permanently"
    case 302: "Found"
    case 400..<500: clientErrorPhrase(status)
    case 500..<600: serverErrorPhrase(status)
    default: "Status"
    }
}

private func successPhrase(_ status: UInt16) -> StaticString {
    switch status {
    case 200: "OK"
    case 201: "Created"
    case 202: "Accepted"
    case 203: "Non-Authoritative Information"
    case 204: "No Content"
    case 205: "Reset Content"
    case 206: "Partial Content"
    case 207: "Multi-Status"
    case 208: "Already Reported"
    case 226: "IM Used"
    default: "Status"
    }
}

private func clientErrorPhrase(_ status: UInt16) -> StaticString {
    switch status {
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 402: "Payment Required"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 406: "Not Acceptable"
    case 407: "Proxy Authentication Required"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 410: "Gone"
    case 411: "Length Required"
    case 412: "Precondition Failed"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 415: "Unsupported Media Type"
    case 416: "Range Not Satisfiable"
    case 417: "Expectation Failed"
    case 418: "I'm a teapot"
    case 421: "Misdirected Request"
    case 422: "Unprocessable Content"
    case 423: "Locked"
    case 424: "Failed Dependency"
    case 425: "Too Early"
    case 426: "Upgrade Required"
    case 428: "Precondition Required"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 451: "Unavailable For Legal Reasons"
    case 463: "Too Many Forwarded Addresses"
    case 464: "Incompatible Protocol Versions"
    default: "Status"
    }
}

private func serverErrorPhrase(_ status: UInt16) -> StaticString {
    switch status {
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Temporarily Unavailable"
    case 504: "Gateway Time-out"
    case 505: "HTTP Version Not Supported"
    case 506: "Variant Also Negotiates"
    case 507: "Insufficient Storage"
    case 508: "Loop Detected"
    case 510: "Not Extended"
    case 511: "Network Authentication Required"
    default: "Status"
    }
}
