import Core

/// The file that names this host's name servers. Source: resolv.conf(5).
public enum ResolverFile {
    /// Where it is.
    public static let path = "/etc/resolv.conf"
    /// Where name servers listen that nobody has given a port. Source: RFC 1035 §4.2.
    public static let port: UInt16 = 53

    /// The servers that the file names, in their order. Addresses with a zone are passed over, as are all other lines:
    /// names are looked up as they are written.
    /// Limits: the first three, as the C library has them.
    public static func servers(in text: [UInt8]) -> [SocketAddress] {
        var servers: [SocketAddress] = []
        for line in text.split(separator: UInt8(ascii: "\n")) where servers.count < Limits.serversOfFileMax {
            let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
            guard words.count > 1, words[0].elementsEqual("nameserver".utf8),
                let server = SocketAddress(literal: String(decoding: words[1], as: UTF8.self), port: port)
            else { continue }
            servers.append(server)
        }
        return servers
    }
}
