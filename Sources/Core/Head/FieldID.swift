/// The header fields that some part of Apus asks for by name, numbered so that asking costs no string comparison.
///
/// Every other field is `.other` and travels as the bytes it came as.
/// Source: the field names of RFC 9110 and RFC 9112; docs/elbv2.md, "Header fields", for the `X-` ones.
public enum FieldID: UInt8, Sendable, CaseIterable {
    case other = 0
    case host, connection, contentLength, transferEncoding, expect, upgrade, te, trailer, keepAlive
    case proxyConnection, http2Settings, xForwardedFor, xForwardedProto, xForwardedPort, xAmznTraceID
    case userAgent, date, server, location, contentType
    /// X-Amzn-Tls-… and X-Amzn-Mtls-…, by which Apus tells targets about TLS. A client must not be able to set them.
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
            case 13: name.equalsIgnoringCase("x-amzn-tls-kx") ? .xAmznTLS : .other
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
    /// The field that a CGI-like server would confuse a field of this name with. Such a server passes fields on as
    /// environment variables, in whose names every byte but letters and digits becomes `_`. Source: RFC 3875 §4.1.18.
    public init(cgiVariable name: Span<UInt8>) {
        var plain = InlineArray<40, UInt8>(repeating: 0x2D)
        guard name.count <= plain.count else {
            self = .other
            return
        }
        for index in 0..<name.count where name[index].isLetter || name[index].isDigit { plain[index] = name[index] }
        self.init(plain.span.extracting(first: name.count))
    }

    /// Whether Apus sets this field for targets, so that a client's field which a target could confuse with it is
    /// removed.
    public var isSetByApus: Bool {
        // No default: adding a field forces a decision here.
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
