import COpenSSL

/// A version of TLS.
public enum TLSVersion: Int, Comparable, Sendable, CaseIterable {
    case tls10, tls11, tls12, tls13

    /// As access logs write it: `TLSv1.3`.
    public var name: StaticString {
        switch self {
        case .tls10: "TLSv1"
        case .tls11: "TLSv1.1"
        case .tls12: "TLSv1.2"
        case .tls13: "TLSv1.3"
        }
    }

    public static func < (left: TLSVersion, right: TLSVersion) -> Bool { left.rawValue < right.rawValue }

    /// The number on the wire. Source: RFC 8446 §4.2.1.
    var number: Int32 { Int32(TLS1_VERSION) + Int32(rawValue) }

    init?(number: Int32) { self.init(rawValue: Int(number - Int32(TLS1_VERSION))) }
}

/// The protocol agreed on by ALPN. Source: RFC 7301; RFC 9113 §3.2.
public enum ApplicationProtocol: Sendable {
    case http1, http2

    /// Its name on the wire.
    var name: StaticString {
        switch self {
        case .http1: "http/1.1"
        case .http2: "h2"
        }
    }
}

/// The OpenSSL that this process runs with.
public enum TLSLibrary {
    /// Its version, as `3.0.15`.
    public static var version: String { unsafe String(cString: apus_openssl_version()) }
}
