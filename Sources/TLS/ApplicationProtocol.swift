/// What is spoken inside a session. Source: RFC 7301; its names are IANA's.
public enum ApplicationProtocol: UInt8, Sendable {
    /// `http/1.1`, and `http/1.0` to clients that offer no better.
    case http1
    /// `h2`.
    case http2

    /// The names that stand for it, the best first.
    var names: [StaticString] {
        switch self {
        case .http1: ["http/1.1", "http/1.0"]
        case .http2: ["h2"]
        }
    }
}
