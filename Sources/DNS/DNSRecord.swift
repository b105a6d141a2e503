import Core

/// What a record can be asked for. Source: RFC 1035 §3.2.2, RFC 3596, RFC 2782.
public enum DNSRecordType: UInt16, Hashable, Sendable {
    /// IPv4 addresses.
    case a = 1
    /// IPv6 addresses.
    case aaaa = 28
    /// Hosts and ports of a service.
    case srv = 33

    /// Its name, as in `SRV`.
    public var label: String {
        switch self {
        case .a: "A"
        case .aaaa: "AAAA"
        case .srv: "SRV"
        }
    }
}

/// A record of an answer. Those of other types are not read.
public struct DNSRecord: Equatable, Sendable {
    /// What it says of its name.
    public enum Content: Equatable, Sendable {
        /// An address of the type that was asked for, with port 0.
        case address(SocketAddress)
        /// The name is another one for this.
        case alias(String)
        /// A host that offers the service.
        case service(DNSService)
    }

    /// The name that it is about, in lower case.
    public var name: String
    /// How many seconds it may be kept.
    public var secondsToLive: UInt32
    /// What it says.
    public var content: Content

    /// A record of its parts.
    public init(name: String, secondsToLive: UInt32, content: Content) {
        self.name = name
        self.secondsToLive = secondsToLive
        self.content = content
    }

    /// Whether it only leads to another name.
    var isAlias: Bool { if case .alias = content { true } else { false } }
}

/// A host that offers a service. Source: RFC 2782.
public struct DNSService: Hashable, Sendable {
    /// Hosts of a higher number are used when none of a lower one is there.
    public var priority: UInt16
    /// Its share beside those of its priority; 0 for hardly any, or for all the same.
    public var weight: UInt16
    /// Where it listens.
    public var port: UInt16
    /// The name of the host, in lower case; empty if the service is not offered at all.
    public var host: String

    /// A host of a service.
    public init(priority: UInt16, weight: UInt16, port: UInt16, host: String) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.host = host
    }
}
