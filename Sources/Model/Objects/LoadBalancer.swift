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
    /// Words of ELBv2 that say what is done anyway, as they were written: kept for whoever wrote them, without effect.
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

/// The attributes of a load balancer. Those without an `apus.proxy_protocol` or `apus.tls` in their names are of
/// application load balancers alone.
///
/// Units:  seconds where a name says so; fractions are allowed.
/// Source: ELBv2 ModifyLoadBalancerAttributes; the names that begin with `apus.` are ours.
public struct LoadBalancerAttributes: Hashable, Sendable {
    /// What becomes of the X-Forwarded-For field of a request.
    public enum ForwardedForMode: String, Hashable, Sendable, CaseIterable {
        /// The client's address is added to it.
        case append
        /// It is passed on as it came.
        case preserve
        /// It is removed.
        case remove
    }

    /// `idle_timeout.timeout_seconds`: silence either way after which a connection is closed.
    public var idleTimeoutSeconds: Double
    /// `client_keep_alive.seconds`: age at which a client connection takes its last request.
    public var clientKeepAliveSeconds: Double
    /// `routing.http.drop_invalid_header_fields.enabled`: fields with names beyond `[-A-Za-z0-9]+` are dropped.
    public var dropInvalidHeaderFields: Bool
    /// `routing.http.preserve_host_header.enabled`: the Host field is passed on unchanged.
    public var preserveHostHeader: Bool
    /// `routing.http.xff_client_port.enabled`: X-Forwarded-For also says the client's port.
    public var forwardedForClientPort: Bool
    /// `routing.http.xff_header_processing.mode`: what becomes of X-Forwarded-For.
    public var forwardedForMode: ForwardedForMode
    /// `routing.http2.enabled`: HTTPS listeners speak HTTP/2 with clients that want it.
    public var http2: Bool
    /// `routing.http.x_amzn_tls_version_and_cipher_suite.enabled`: targets are told the version and the cipher.
    public var tlsVersionAndCipherSuite: Bool
    /// `apus.h2c.enabled`: HTTP listeners speak HTTP/2 with clients that begin with it.
    public var h2c: Bool
    /// `apus.tls_handshake_timeout.seconds`: time a client has for the handshake.
    public var tlsHandshakeTimeoutSeconds: Double
    /// `apus.proxy_protocol.trusted`: the networks whose connections begin with a PROXY header. Others are closed.
    /// Empty: no connection begins with one.
    public var proxyProtocolTrusted: [AddressBlock]
    /// `apus.proxy_protocol.timeout_seconds`: time a client has for that header.
    public var proxyProtocolTimeoutSeconds: Double
    /// `apus.reason_header.enabled`: answers made here carry an `Apus-Reason` field.
    public var reasonHeader: Bool
    /// `apus.first_byte_timeout.seconds`: time a client has to say anything.
    public var firstByteTimeoutSeconds: Double
    /// `apus.head_timeout.seconds`: time a client has for a whole request head.
    public var headTimeoutSeconds: Double
    /// `apus.min_body_rate.bytes_per_second`: slower bodies are cut; 0 is no such limit.
    public var minBodyRateBytesPerSecond: Int
    /// `apus.min_body_rate.window_seconds`: the window over which that rate is measured.
    public var minBodyRateWindowSeconds: Double
    /// Words of ELBv2 that say what is done anyway, as they were written: kept for whoever wrote them, without effect.
    public var withoutEffect: [String: Value] = [:]

    /// Attributes; without arguments, every default.
    public init(
        idleTimeoutSeconds: Double = 60,
        clientKeepAliveSeconds: Double = 3600,
        dropInvalidHeaderFields: Bool = false,
        preserveHostHeader: Bool = false,
        forwardedForClientPort: Bool = false,
        forwardedForMode: ForwardedForMode = .append,
        http2: Bool = true,
        tlsVersionAndCipherSuite: Bool = false,
        h2c: Bool = false,
        tlsHandshakeTimeoutSeconds: Double = 10,
        proxyProtocolTrusted: [AddressBlock] = [],
        proxyProtocolTimeoutSeconds: Double = 5,
        reasonHeader: Bool = true,
        firstByteTimeoutSeconds: Double = 30,
        headTimeoutSeconds: Double = 10,
        minBodyRateBytesPerSecond: Int = 100,
        minBodyRateWindowSeconds: Double = 20
    ) {
        self.idleTimeoutSeconds = idleTimeoutSeconds
        self.clientKeepAliveSeconds = clientKeepAliveSeconds
        self.dropInvalidHeaderFields = dropInvalidHeaderFields
        self.preserveHostHeader = preserveHostHeader
        self.forwardedForClientPort = forwardedForClientPort
        self.forwardedForMode = forwardedForMode
        self.http2 = http2
        self.tlsVersionAndCipherSuite = tlsVersionAndCipherSuite
        self.h2c = h2c
        self.tlsHandshakeTimeoutSeconds = tlsHandshakeTimeoutSeconds
        self.proxyProtocolTrusted = proxyProtocolTrusted
        self.proxyProtocolTimeoutSeconds = proxyProtocolTimeoutSeconds
        self.reasonHeader = reasonHeader
        self.firstByteTimeoutSeconds = firstByteTimeoutSeconds
        self.headTimeoutSeconds = headTimeoutSeconds
        self.minBodyRateBytesPerSecond = minBodyRateBytesPerSecond
        self.minBodyRateWindowSeconds = minBodyRateWindowSeconds
    }
}
