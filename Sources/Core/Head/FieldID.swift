/// The header fields that some part of Apus asks for by name, numbered so that asking costs no string comparison.
///
/// Every other field is `.other` and travels as the bytes it came as.
/// Source: the field names of RFC 9110 and RFC 9112; docs/elbv2.md, "Header fields", for the `X-` ones.
public enum FieldID: UInt8, Sendable, CaseIterable {
    case other = 0
    case host, connection, contentLength, transferEncoding, expect, upgrade, te, trailer, keepAlive
    case proxyConnection, http2Settings, xForwardedFor, xForwardedProto, xForwardedPort, xAmznTraceID
    case userAgent, date, server, location, contentType
    /// What Apus alone may tell targets about TLS: X-Amzn-Tls-… and X-Amzn-Mtls-….
    case xAmznTLS
    case secWebSocketKey

    /// Recognises a field name, ignoring case.
    public init(_ name: Span<UInt8>) {
        self =
            switch name.count {
            case 2: name.equalsIgnoringCase("te") ? .te : .other
            case 4: name.equalsIgnoringCase("host") ? .host : name.equalsIgnoringCase("date") ? .date : .other
            case 6: name.equalsIgnoringCase("expect") ? .expect : name.equalsIgnoringCase("server") ? .server : .other
            case 7:
                name.equalsIgnoringCase("upgrade") ? .upgrade : name.equalsIgnoringCase("trailer") ? .trailer : .other
            case 8: name.equalsIgnoringCase("location") ? .location : .other
            case 10:
                name.equalsIgnoringCase("connection")
                    ? .connection
                    : name.equalsIgnoringCase("user-agent")
                        ? .userAgent
                        : name.equalsIgnoringCase("keep-alive") ? .keepAlive : .other
            case 12: name.equalsIgnoringCase("content-type") ? .contentType : .other
            case 14:
                name.equalsIgnoringCase("content-length")
                    ? .contentLength
                    : name.equalsIgnoringCase("http2-settings") ? .http2Settings : .other
            case 15:
                name.equalsIgnoringCase("x-forwarded-for")
                    ? .xForwardedFor
                    : name.equalsIgnoringCase("x-amzn-trace-id") ? .xAmznTraceID : .other
            case 16:
                name.equalsIgnoringCase("proxy-connection")
                    ? .proxyConnection
                    : name.equalsIgnoringCase("x-forwarded-port") ? .xForwardedPort : .other
            case 17:
                name.equalsIgnoringCase("transfer-encoding")
                    ? .transferEncoding
                    : name.equalsIgnoringCase("x-forwarded-proto")
                        ? .xForwardedProto : name.equalsIgnoringCase("sec-websocket-key") ? .secWebSocketKey : .other
            case 18: name.equalsIgnoringCase("x-amzn-tls-version") ? .xAmznTLS : .other
            case 22: name.equalsIgnoringCase("x-amzn-mtls-clientcert") ? .xAmznTLS : .other
            case 23: name.equalsIgnoringCase("x-amzn-tls-cipher-suite") ? .xAmznTLS : .other
            case 27: name.equalsIgnoringCase("x-amzn-mtls-clientcert-leaf") ? .xAmznTLS : .other
            case 29: name.equalsIgnoringCase("x-amzn-mtls-clientcert-issuer") ? .xAmznTLS : .other
            case 30: name.equalsIgnoringCase("x-amzn-mtls-clientcert-subject") ? .xAmznTLS : .other
            case 31: name.equalsIgnoringCase("x-amzn-mtls-clientcert-validity") ? .xAmznTLS : .other
            case 36: name.equalsIgnoringCase("x-amzn-mtls-clientcert-serial-number") ? .xAmznTLS : .other
            default: .other
            }
    }
    /// The field that servers take one of this name for which hand fields on as variables, as CGI does: to them every
    /// byte but letters and digits is the same. Source: RFC 3875 §4.1.18.
    public init(cgiVariable name: Span<UInt8>) {
        var plain = InlineArray<40, UInt8>(repeating: 0x2D)
        guard name.count <= plain.count else {
            self = .other
            return
        }
        for index in 0..<name.count where name[index].isLetter || name[index].isDigit { plain[index] = name[index] }
        self.init(plain.span.extracting(first: name.count))
    }

    /// Whether targets read in it what Apus tells them, so that a field which they may take for it goes no further.
    public var isSetByApus: Bool {
        // Whoever adds a field decides here, too: there is no default.
        switch self {
        case .host, .connection, .contentLength, .transferEncoding, .upgrade, .te, .xForwardedFor, .xForwardedProto,
            .xForwardedPort, .xAmznTraceID, .xAmznTLS, .secWebSocketKey:
            true
        case .other, .expect, .trailer, .keepAlive, .proxyConnection, .http2Settings, .userAgent, .date, .server,
            .location, .contentType:
            false
        }
    }
}
