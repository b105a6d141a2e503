// An attribute is two entries here: a property with its default, and a key with its codec, its meaning and the kinds of
// load balancer that have it. Reading, writing, the schema and what is reported as misplaced follow from them.

/// The attributes of a load balancer. Only those with `apus.proxy_protocol` or `apus.tls` in their names exist on
/// network load balancers too.
///
/// Units:  seconds where a name says so; fractions are allowed.
/// Source: ELBv2 ModifyLoadBalancerAttributes; the names that begin with `apus.` are ours.
public struct LoadBalancerAttributes: Hashable, Sendable {
    /// What is done with the X-Forwarded-For field of a request.
    public enum ForwardedForMode: String, Hashable, Sendable, CaseIterable {
        /// The client's address is added to it.
        case append
        /// It is passed on as it came.
        case preserve
        /// It is removed.
        case remove
    }

    /// What is done with requests over HTTP/1 that do not follow it to the letter.
    public enum DesyncMitigationMode: String, Hashable, Sendable, CaseIterable {
        /// They are served, written anew where they can be read in two ways.
        case monitor
        /// They are served where they can be read in one way only; then the connections close if others might differ.
        case defensive
        /// They are refused.
        case strictest
    }

    /// `idle_timeout.timeout_seconds`: time without bytes read or written after which a connection is closed.
    public var idleTimeoutSeconds: Double = 60
    /// `client_keep_alive.seconds`: age at which a client connection takes its last request.
    public var clientKeepAliveSeconds: Double = 3600
    /// `routing.http.drop_invalid_header_fields.enabled`: fields with names beyond `[-A-Za-z0-9]+` are dropped.
    public var dropInvalidHeaderFields: Bool = false
    /// `routing.http.preserve_host_header.enabled`: the Host field is passed on unchanged.
    public var preserveHostHeader: Bool = false
    /// `routing.http.xff_client_port.enabled`: X-Forwarded-For also says the client's port.
    public var forwardedForClientPort: Bool = false
    /// `routing.http.xff_header_processing.mode`: what is done with X-Forwarded-For.
    public var forwardedForMode: ForwardedForMode = .append
    /// `routing.http.desync_mitigation_mode`: what is done with requests that are not to the letter.
    public var desyncMitigationMode: DesyncMitigationMode = .defensive
    /// `routing.http2.enabled`: HTTPS listeners speak HTTP/2 with clients that want it.
    public var http2: Bool = true
    /// `routing.http.x_amzn_tls_version_and_cipher_suite.enabled`: targets are told the version and the cipher.
    public var tlsVersionAndCipherSuite: Bool = false
    /// `routing.http.x_amzn_tls_kx.enabled`: targets are told the group of the key exchange.
    public var tlsKeyExchange: Bool = false
    /// `apus.h2c.enabled`: HTTP listeners speak HTTP/2 with clients that send its preface first.
    public var h2c: Bool = false
    /// `apus.tls_handshake_timeout.seconds`: time a client has for the handshake.
    public var tlsHandshakeTimeoutSeconds: Double = 10
    /// `apus.proxy_protocol.trusted`: the networks whose connections begin with a PROXY header. Others are closed.
    /// Empty: no connection begins with one.
    public var proxyProtocolTrusted: [AddressBlock] = []
    /// `apus.proxy_protocol.timeout_seconds`: time a client has for that header.
    public var proxyProtocolTimeoutSeconds: Double = 5
    /// `apus.reason_header.enabled`: responses that Apus makes itself carry an `Apus-Reason` field.
    public var reasonHeader: Bool = true
    /// `apus.first_byte_timeout.seconds`: time a client has to send its first byte.
    public var firstByteTimeoutSeconds: Double = 30
    /// `apus.head_timeout.seconds`: time a client has for a whole request head.
    public var headTimeoutSeconds: Double = 10
    /// `apus.min_body_rate.bytes_per_second`: slower bodies are cut; 0 is no such limit.
    public var minBodyRateBytesPerSecond: Int = 100
    /// `apus.min_body_rate.window_seconds`: the window over which that rate is measured.
    public var minBodyRateWindowSeconds: Double = 20
    /// `load_balancing.cross_zone.enabled`: whether targets of other zones are used; nil for the usual, which is true
    /// for application load balancers and false for network load balancers.
    public var crossZone: Bool?
    /// Keys of ELBv2 that are accepted but have no effect in this version, with their values as written, so that what
    /// was put is shown again.
    public var withoutEffect: [String: Value] = [:]

    /// Every default.
    public init() {}
}

extension LoadBalancerAttributes {
    /// The attributes of a load balancer.
    static let description = Description(
        "LoadBalancerAttributes", "the attributes of a load balancer", blank: LoadBalancerAttributes(), keys: keys,
        refused: [
            RefusedKey("deletion_protection.enabled", accepted: false),
            RefusedKey("access_logs.s3.enabled", accepted: false),
            RefusedKey("access_logs.s3.bucket", accepted: ""), RefusedKey("access_logs.s3.prefix", accepted: ""),
            RefusedKey("connection_logs.s3.enabled", accepted: false, of: .application),
            RefusedKey("connection_logs.s3.bucket", accepted: "", of: .application),
            RefusedKey("connection_logs.s3.prefix", accepted: "", of: .application),
            RefusedKey("health_check_logs.s3.enabled", accepted: false, of: .application),
            RefusedKey("health_check_logs.s3.bucket", accepted: "", of: .application),
            RefusedKey("health_check_logs.s3.prefix", accepted: "", of: .application),
            RefusedKey("ipv6.deny_all_igw_traffic", accepted: false),
            RefusedKey("zonal_shift.config.enabled", accepted: false),
            RefusedKey("waf.fail_open.enabled", accepted: false, of: .application),
            RefusedKey("dns_record.client_routing_policy", accepted: "any_availability_zone", of: .network),
            RefusedKey("secondary_ips.auto_assigned.per_subnet", accepted: 0, of: .network),
        ], withoutEffect: \LoadBalancerAttributes.withoutEffect)

    private static let keys: [Key<LoadBalancerAttributes>] = [
        Key(
            "idle_timeout.timeout_seconds", \.idleTimeoutSeconds, .number(0.1...4000, unit: "seconds"),
            "Time without bytes read or written after which a connection of a client or of a target is closed."
        ).of(.application),
        Key(
            "client_keep_alive.seconds", \.clientKeepAliveSeconds, .number(0.1...604_800, unit: "seconds"),
            "Age of a client connection after which it is closed with its next response."
        ).of(.application),
        Key(
            "routing.http.drop_invalid_header_fields.enabled", \.dropInvalidHeaderFields, .bool,
            "Whether request fields whose name has more than letters, digits and hyphens are dropped."
        ).of(.application),
        Key(
            "routing.http.preserve_host_header.enabled", \.preserveHostHeader, .bool,
            "Whether the Host field is passed on unchanged."
        ).of(.application),
        Key(
            "routing.http.xff_client_port.enabled", \.forwardedForClientPort, .bool,
            "Whether X-Forwarded-For also says the client's port; only in mode append."
        ).of(.application),
        Key(
            "routing.http.xff_header_processing.mode", \.forwardedForMode, .word(),
            "Whether the client's address is added to X-Forwarded-For, or it is passed on as it came, or removed."
        ).of(.application),
        Key(
            "routing.http.desync_mitigation_mode", \.desyncMitigationMode, .word(),
            "What is done with HTTP/1 requests that are not to the letter: defensive serves those that have one "
                + "reading only, strictest none, monitor also writes anew what has two."
        ).of(.application),
        Key(
            "routing.http2.enabled", \.http2, .bool,
            "Whether HTTPS listeners speak HTTP/2 with clients that want it."
        ).of(.application),
        Key(
            "routing.http.x_amzn_tls_version_and_cipher_suite.enabled", \.tlsVersionAndCipherSuite, .bool,
            "Whether X-Amzn-Tls-Version and X-Amzn-Tls-Cipher-Suite tell targets the TLS version and cipher suite "
                + "negotiated with the client."
        ).of(.application),
        Key(
            "routing.http.x_amzn_tls_kx.enabled", \.tlsKeyExchange, .bool,
            "Whether X-Amzn-Tls-Kx tells targets the group of the key exchange with the client."
        ).of(.application),
        Key(
            "apus.h2c.enabled", \.h2c, .bool,
            "Whether HTTP listeners speak HTTP/2 with clients that send its preface first (prior knowledge, RFC "
                + "9113 §3.3)."
        ).of(.application),
        Key(
            "apus.tls_handshake_timeout.seconds", \.tlsHandshakeTimeoutSeconds, .number(0.1...300, unit: "seconds"),
            "Time a client has for the TLS handshake; then its connection is closed. On a listener with rules by "
                + "sni, a client that sends nothing in that time gets the default action instead."),
        Key(
            "apus.proxy_protocol.trusted", \.proxyProtocolTrusted,
            .list(AddressBlock.codec, count: 0...Limits.trustedNetworksMax),
            "Networks whose connections begin with a PROXY header, version 1 or 2, which names the client. With any, "
                + "connections from elsewhere are closed."),
        Key(
            "apus.proxy_protocol.timeout_seconds", \.proxyProtocolTimeoutSeconds, .number(0.1...300, unit: "seconds"),
            "Time a client has for that header; then its connection is closed."),
        Key(
            "apus.reason_header.enabled", \.reasonHeader, .bool,
            "Whether responses that Apus makes itself give the reason in an Apus-Reason field, as the JSON access "
                + "log does."
        ).of(.application),
        Key(
            "apus.first_byte_timeout.seconds", \.firstByteTimeoutSeconds, .number(0.1...3600, unit: "seconds"),
            "Time a client has to begin its first request; then its connection is closed. A TLS handshake or an "
                + "HTTP/2 preface is not yet a request."
        ).of(.application),
        Key(
            "apus.head_timeout.seconds", \.headTimeoutSeconds, .number(0.1...300, unit: "seconds"),
            "Time a client has for a whole request head; then it is answered 408."
        ).of(.application),
        Key(
            "apus.min_body_rate.bytes_per_second", \.minBodyRateBytesPerSecond,
            .integer(0...1_000_000, unit: "bytes per second"),
            "Lowest rate of request bodies; a request whose body "
                + "comes more slowly is cut; 0 is no limit."
        ).of(.application),
        Key(
            "apus.min_body_rate.window_seconds", \.minBodyRateWindowSeconds, .number(0.1...300, unit: "seconds"),
            "The time over which that rate is measured."
        ).of(.application),
        Key(
            optional: "load_balancing.cross_zone.enabled", \.crossZone, .bool,
            "Whether targets of other zones than runtime.availabilityZone are used, where their group leaves that to "
                + "its load balancer; without it application load balancers use them, and network load balancers do "
                + "not."),
    ]

    /// Reports attributes that network load balancers do not have.
    func reportMisplaced(_ findings: inout Findings) {
        findings.within(.key("attributes")) { findings in
            findings.misplaced(
                Self.description.misplaced(in: self, of: .network), belongTo: "application load balancers",
                found: "it in a network load balancer", remedy: "Remove it, or write type: application.")
        }
    }
}
