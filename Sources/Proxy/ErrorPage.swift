import Core

/// The body of an answer that is made here: the page that an Application Load Balancer's users know.
struct ErrorPage {
    /// The reason phrase of the status line.
    let reason: StaticString
    private let status: UInt16

    private static let beforeTitle: StaticString = "<html>\r\n<head><title>"
    private static let beforeHeading: StaticString = "</title></head>\r\n<body>\r\n<center><h1>"
    private static let end: StaticString = "</h1></center>\r\n</body>\r\n</html>\r\n"

    init(_ status: UInt16) {
        self.status = status
        reason = reasonPhrase(status)
    }

    /// Octets of the page.
    var byteCount: Int {
        Self.beforeTitle.utf8CodeUnitCount + Self.beforeHeading.utf8CodeUnitCount + Self.end.utf8CodeUnitCount
            + 2 * (4 + reason.utf8CodeUnitCount)
    }

    /// Appends the page, which must fit.
    func append(to buffer: Buffer) {
        buffer.append(Self.beforeTitle)
        appendStatus(to: buffer)
        buffer.append(Self.beforeHeading)
        appendStatus(to: buffer)
        buffer.append(Self.end)
    }

    private func appendStatus(to buffer: Buffer) {
        buffer.append(decimal: UInt64(status))
        buffer.append(.space)
        buffer.append(reason)
    }
}

/// The reason phrase of a status. Source: RFC 9110 §15; ALB's own words where it has some (elbv2.md §2.3).
func reasonPhrase(_ status: UInt16) -> StaticString {
    switch status {
    case 200: "OK"
    case 201: "Created"
    case 202: "Accepted"
    case 204: "No Content"
    case 301: "Moved Permanently"
    case 302: "Found"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 410: "Gone"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 417: "Expectation Failed"
    case 429: "Too Many Requests"
    case 463: "Too Many Forwarded Addresses"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Temporarily Unavailable"
    case 504: "Gateway Time-out"
    case 505: "HTTP Version Not Supported"
    case 507: "Insufficient Storage"
    default: "Status"
    }
}
