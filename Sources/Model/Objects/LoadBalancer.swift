/// One load balancer: the addresses it listens on, its attributes, and its listeners.
public struct LoadBalancer: Hashable, Sendable {
    /// What kind of load balancer it is.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Layer 7: HTTP.
        case application
        /// Layer 4: connections of TCP, with TLS or not, and datagrams, whose bytes are not looked at.
        case network
    }

    /// Its name, unique among load balancers.
    public var name: String
    /// What kind it is. The key is `type`.
    public var type: Kind
    /// The IPv4 and IPv6 addresses that every listener binds.
    public var addresses: [String]
    /// Its attributes.
    public var attributes: LoadBalancerAttributes
    /// Its listeners, one per port.
    public var listeners: [Listener]
    /// Keys of ELBv2 that are accepted but have no effect in this version, with their values as written, so that what
    /// was put is shown again.
    public var withoutEffect: [String: Value] = [:]

    /// A load balancer.
    public init(
        name: String,
        type: Kind = .application,
        addresses: [String] = ["0.0.0.0"],
        attributes: LoadBalancerAttributes = LoadBalancerAttributes(),
        listeners: [Listener] = []
    ) {
        self.name = name
        self.type = type
        self.addresses = addresses
        self.attributes = attributes
        self.listeners = listeners
    }
}
