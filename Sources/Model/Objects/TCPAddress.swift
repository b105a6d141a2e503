/// An address and a port to listen on, as in `127.0.0.1:9099` or `[::1]:9099`.
public struct TCPAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address.
    public let host: IPAddress
    /// The port, from 1.
    public let port: Int

    /// Reads an address and a port; nil when the text is not that. An IPv6 address stands in brackets.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        let digits = text[text.index(after: colon)...]
        guard let address = IPAddress(String(host)), address.isIPv4 != isBracketed,
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), digits.first != "0",
            let port = Int(digits), (1...65535).contains(port)
        else { return nil }
        self.host = address
        self.port = port
    }

    /// The text from which it can be read.
    public var description: String { host.isIPv4 ? "\(host):\(port)" : "[\(host)]:\(port)" }

    /// Whether this address and a TCP listener on `address` cannot both bind the same port.
    func overlaps(_ address: String) -> Bool {
        guard let other = IPAddress(address), other.isIPv4 == host.isIPv4 else { return false }
        return other == host || other.isUnspecified || host.isUnspecified
    }
}

extension IPAddress {
    /// Whether it stands for all addresses of a host.
    fileprivate var isUnspecified: Bool { bytes.allSatisfy { $0 == 0 } }
}

extension LoadBalancer {
    /// Reports the listeners whose port is that of `admin.metrics`.
    func validatePorts(beside metrics: TCPAddress?, _ findings: inout Findings) {
        findings.within(.key("listeners")) { findings in
            for (index, listener) in listeners.enumerated() {
                findings.within(.index(index)) { findings in validatePort(of: listener, beside: metrics, &findings) }
            }
        }
    }

    /// Reports this one listener if its port is that of `admin.metrics`.
    func validatePort(of listener: Listener, beside metrics: TCPAddress?, _ findings: inout Findings) {
        guard let metrics, metrics.port == listener.port, listener.protocol.hasTCP,
            addresses.contains(where: metrics.overlaps)
        else { return }
        findings.within(.key("port")) { findings in
            findings.report(
                "port must not be that of admin.metrics", found: "\(listener.port), and admin.metrics is \(metrics)",
                remedy: "Choose another port for one of them.", code: .invalidConfigurationRequest)
        }
    }
}
