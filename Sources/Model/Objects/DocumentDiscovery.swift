/// What a configuration has found rather than writes it: target groups and rules that the labels of containers ask for.
public struct DocumentDiscovery: Hashable, Sendable {
    /// Containers whose labels say which requests they want; nil for none.
    public var docker: LabelDiscovery?

    /// Nothing is found.
    public init() {}
}

/// Containers of a Docker daemon on this host whose labels make target groups and rules, and what they may ask for.
///
/// Source: Docker Engine API, "Containers", "Events".
public struct LabelDiscovery: Hashable, Sendable {
    /// The path of the daemon's Unix socket.
    public var socket = "/var/run/docker.sock"
    /// Where a container is reached.
    public var address = DockerDiscovery.Address.container
    /// The network whose address is used; nil for the one network that a container is in.
    public var network: String?
    /// Patterns of the hosts that containers may have; `*` stands for any characters and `?` for one.
    public var allowHosts: [String] = []
    /// The listeners that containers may have rules on.
    public var allowListeners: [ListenerName] = []

    /// Every default, which allows nothing yet.
    public init() {}
}

/// What names a listener: its load balancer and its port.
public struct ListenerName: Hashable, Sendable, CustomStringConvertible {
    /// Name of the load balancer.
    public var loadBalancer: String
    /// Its port.
    public var port: Int

    /// The listener of `loadBalancer` on `port`.
    public init(loadBalancer: String, port: Int) {
        self.loadBalancer = loadBalancer
        self.port = port
    }

    /// Reads `web:80`; nil if it is none.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let port = Int(parts[1]), (1...65535).contains(port),
            parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            (1...Limits.nameCharactersMax).contains(parts[0].count), TextRule.name.accepts(String(parts[0]))
        else { return nil }
        self.init(loadBalancer: String(parts[0]), port: port)
    }

    /// `web:80`.
    public var description: String { "\(loadBalancer):\(port)" }
}
