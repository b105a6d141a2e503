/// An application protocol that is negotiated by ALPN. Source: RFC 7301; the names are IANA's.
public enum ApplicationProtocol: UInt8, Sendable {
    /// `http/1.1`, and `http/1.0` for clients that offer nothing newer.
    case http1
    /// `h2`.
    case http2
    /// `http/1.0`, as a result of the negotiation; allowed wherever `http1` is.
    case http10

    /// Its preferred name, for logs.
    public var logName: StaticString { names[0] }

    /// Its ALPN names, the preferred one first.
    var names: [StaticString] {
        switch self {
        case .http1: ["http/1.1", "http/1.0"]
        case .http2: ["h2"]
        case .http10: ["http/1.0"]
        }
    }

    /// The ALPN list of a ClientHello, with the preferred name of each. Source: RFC 7301 §3.1.
    static func list(_ protocols: [ApplicationProtocol]) -> [UInt8] {
        var list: [UInt8] = []
        for name in protocols.compactMap(\.names.first) {
            list.append(UInt8(name.utf8CodeUnitCount))
            name.withUTF8Buffer { list += unsafe Array($0) }
        }
        return list
    }
}
