/// A version of TLS. SSL 2.0 and 3.0 are not supported. Source: RFC 8446, 5246, 4346, 2246.
public enum TLSVersion: UInt8, Comparable, CaseIterable, Sendable {
    case tls10, tls11, tls12, tls13

    /// The name in OpenSSL and in the logs of an Application Load Balancer.
    public var name: StaticString {
        switch self {
        case .tls10: "TLSv1"
        case .tls11: "TLSv1.1"
        case .tls12: "TLSv1.2"
        case .tls13: "TLSv1.3"
        }
    }

    /// The name in the logs of a Network Load Balancer. Source: docs/elbv2.md, "Flow log".
    public var networkName: StaticString {
        switch self {
        case .tls10: "tlsv10"
        case .tls11: "tlsv11"
        case .tls12: "tlsv12"
        case .tls13: "tlsv13"
        }
    }

    /// The number on the wire, which OpenSSL uses too.
    var number: Int32 { 0x0301 + Int32(rawValue) }

    /// The version with this number on the wire; nil if it is not supported.
    init?(number: Int32) {
        guard let version = Self.allCases.first(where: { $0.number == number }) else { return nil }
        self = version
    }

    public static func < (one: TLSVersion, other: TLSVersion) -> Bool { one.rawValue < other.rawValue }
}
