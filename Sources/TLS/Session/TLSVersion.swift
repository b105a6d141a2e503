/// A version of the protocol. Source: RFC 8446, 5246, 4346, 2246. SSL is never spoken.
public enum TLSVersion: UInt8, Comparable, CaseIterable, Sendable {
    case tls10, tls11, tls12, tls13

    /// As OpenSSL and the logs of an Application Load Balancer have it.
    public var name: StaticString {
        switch self {
        case .tls10: "TLSv1"
        case .tls11: "TLSv1.1"
        case .tls12: "TLSv1.2"
        case .tls13: "TLSv1.3"
        }
    }

    /// As the logs of a Network Load Balancer have it. Source: docs/elbv2.md, "Flow log".
    public var networkName: StaticString {
        switch self {
        case .tls10: "tlsv10"
        case .tls11: "tlsv11"
        case .tls12: "tlsv12"
        case .tls13: "tlsv13"
        }
    }

    /// Its number on the wire, which OpenSSL uses too.
    var number: Int32 { 0x0301 + Int32(rawValue) }

    /// The version with this number on the wire, if it is one of them.
    init?(number: Int32) {
        guard let version = Self.allCases.first(where: { $0.number == number }) else { return nil }
        self = version
    }

    public static func < (one: TLSVersion, other: TLSVersion) -> Bool { one.rawValue < other.rawValue }
}
