/// What is spoken inside a session. Source: RFC 7301; its names are IANA's.
public enum ApplicationProtocol: UInt8, Sendable {
    /// `http/1.1`, and `http/1.0` to clients that offer no better.
    case http1
    /// `h2`.
    case http2
    /// `http/1.0`, as what was agreed on: where `http1` may be spoken, so may this.
    case http10

    /// Its best name, for logs.
    public var logName: StaticString { names[0] }

    /// The names that stand for it, the best first.
    var names: [StaticString] {
        switch self {
        case .http1: ["http/1.1", "http/1.0"]
        case .http2: ["h2"]
        case .http10: ["http/1.0"]
        }
    }

    /// The best name of each, as a client offers them. Source: RFC 7301 §3.1.
    static func list(_ protocols: [ApplicationProtocol]) -> [UInt8] {
        var list: [UInt8] = []
        for name in protocols.compactMap(\.names.first) {
            list.append(UInt8(name.utf8CodeUnitCount))
            name.withUTF8Buffer { list += unsafe Array($0) }
        }
        return list
    }
}
