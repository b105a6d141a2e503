extension LoadBalancer {
    /// The keys of a load balancer.
    static let description = Description(
        "LoadBalancer", "a load balancer", blank: LoadBalancer(name: ""),
        keys: [
            Key("name", \.name, .text(.name), required: true, "Its name, unique among load balancers."),
            Key("type", \.type, .word(refused: ["gateway"]), "What kind of load balancer it is."),
            Key(
                "addresses", \.addresses, .list(.address, count: 1...Limits.addressesMax),
                "The IPv4 and IPv6 addresses that its listeners bind."),
            Key("attributes", \.attributes, LoadBalancerAttributes.description.codec, "Its attributes."),
            Key(
                "listeners", \.listeners,
                .list(Listener.description.codec, count: 0...Limits.listenersMax, code: .tooManyListeners),
                "Its listeners, one per port."),
        ],
        refused: [
            RefusedKey("scheme", accepted: "internet-facing", "internal"),
            RefusedKey("ipAddressType"), RefusedKey("subnets"), RefusedKey("subnetMappings"),
            RefusedKey("securityGroups"), RefusedKey("tags"), RefusedKey("customerOwnedIpv4Pool"),
            RefusedKey("enablePrefixForIpv6SourceNat", accepted: "off", of: .network), RefusedKey("ipamPools"),
        ],
        withoutEffect: \LoadBalancer.withoutEffect,
        check: { loadBalancer, findings in
            if loadBalancer.type == .network { loadBalancer.attributes.reportOfApplication(&findings) }
            if loadBalancer.name.hasPrefix("internal-") {
                findings.within(.key("name")) { findings in
                    findings.report(
                        "name must not begin with internal-", found: Value.quoted(loadBalancer.name),
                        remedy: "Choose another name.")
                }
            }
            let addresses = loadBalancer.addresses
            for (index, address) in addresses.enumerated() {
                let isRepeated = addresses[..<index].contains(address)
                let inclusion = addresses[..<index].lazy.compactMap { BoundPorts.inclusion($0, address) }.first
                guard isRepeated || inclusion != nil else { continue }
                findings.within([.key("addresses"), .index(index)]) { findings in
                    findings.report(
                        "each address must stand once", found: inclusion.map { "\(address): \($0)" } ?? address,
                        remedy: "Remove one of the two.")
                }
            }
        })
}

extension LoadBalancerAttributes {
    /// The attributes of a load balancer.
    static let description = Description(
        "LoadBalancerAttributes", "the attributes of a load balancer", blank: LoadBalancerAttributes(), keys: keys,
        refused: [
            RefusedKey("deletion_protection.enabled", accepted: false),
            RefusedKey("load_balancing.cross_zone.enabled", accepted: true, false),
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
            RefusedKey("routing.http.desync_mitigation_mode", accepted: "defensive", of: .application),
            RefusedKey("waf.fail_open.enabled", accepted: false, of: .application),
            RefusedKey("dns_record.client_routing_policy", accepted: "any_availability_zone", of: .network),
            RefusedKey("secondary_ips.auto_assigned.per_subnet"),
        ], withoutEffect: \LoadBalancerAttributes.withoutEffect)

    private static let keys: [Key<LoadBalancerAttributes>] = [
        Key(
            "idle_timeout.timeout_seconds", \.idleTimeoutSeconds, .number(0.1...4000, unit: "seconds"),
            "Silence either way after which a connection of a client or of a target is closed."),
        Key(
            "client_keep_alive.seconds", \.clientKeepAliveSeconds, .number(0.1...604_800, unit: "seconds"),
            "Age of a client connection after which its next answer is its last."),
        Key(
            "routing.http.drop_invalid_header_fields.enabled", \.dropInvalidHeaderFields, .bool,
            "Whether request fields whose name has more than letters, digits and hyphens are dropped."),
        Key(
            "routing.http.preserve_host_header.enabled", \.preserveHostHeader, .bool,
            "Whether the Host field is passed on unchanged."),
        Key(
            "routing.http.xff_client_port.enabled", \.forwardedForClientPort, .bool,
            "Whether X-Forwarded-For also says the client's port; only in mode append."),
        Key(
            "routing.http.xff_header_processing.mode", \.forwardedForMode, .word(),
            "Whether the client's address is added to X-Forwarded-For, or it is passed on as it came, or removed."),
        Key(
            "routing.http2.enabled", \.http2, .bool,
            "Whether HTTPS listeners speak HTTP/2 with clients that want it."),
        Key(
            "routing.http.x_amzn_tls_version_and_cipher_suite.enabled", \.tlsVersionAndCipherSuite, .bool,
            "Whether X-Amzn-Tls-Version and X-Amzn-Tls-Cipher-Suite tell targets what was agreed on with the client."),
        Key(
            "apus.h2c.enabled", \.h2c, .bool,
            "Whether HTTP listeners speak HTTP/2 with clients that begin with it (prior knowledge, RFC 9113 §3.3)."),
        Key(
            "apus.tls_handshake_timeout.seconds", \.tlsHandshakeTimeoutSeconds, .number(0.1...300, unit: "seconds"),
            "Time a client has for the TLS handshake; then its connection is closed. A client that says nothing at all "
                + "where rules ask for its name (sni) gets the default action instead."),
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
            "Whether answers that are made here say why in an Apus-Reason field, as the access log does in JSON."),
        Key(
            "apus.first_byte_timeout.seconds", \.firstByteTimeoutSeconds, .number(0.1...3600, unit: "seconds"),
            "Time a client has to begin its first request; then its connection is closed. TLS and HTTP/2 are no "
                + "request."
        ),
        Key(
            "apus.head_timeout.seconds", \.headTimeoutSeconds, .number(0.1...300, unit: "seconds"),
            "Time a client has for a whole request head; then it is answered 408."),
        Key(
            "apus.min_body_rate.bytes_per_second", \.minBodyRateBytesPerSecond,
            .integer(0...1_000_000, unit: "bytes per second"), "Request bodies that come more slowly are cut; 0 is off."
        ),
        Key(
            "apus.min_body_rate.window_seconds", \.minBodyRateWindowSeconds, .number(0.1...300, unit: "seconds"),
            "The time over which that rate is measured."),
    ]

    /// Reports attributes that only application load balancers have.
    fileprivate func reportOfApplication(_ findings: inout Findings) {
        let standard = LoadBalancerAttributes()
        let keys: [(key: String, isGiven: Bool)] = [
            ("idle_timeout.timeout_seconds", idleTimeoutSeconds != standard.idleTimeoutSeconds),
            ("client_keep_alive.seconds", clientKeepAliveSeconds != standard.clientKeepAliveSeconds),
            ("routing.http.drop_invalid_header_fields.enabled", dropInvalidHeaderFields),
            ("routing.http.preserve_host_header.enabled", preserveHostHeader),
            ("routing.http.xff_client_port.enabled", forwardedForClientPort),
            ("routing.http.xff_header_processing.mode", forwardedForMode != standard.forwardedForMode),
            ("routing.http2.enabled", http2 != standard.http2),
            ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", tlsVersionAndCipherSuite),
            ("apus.h2c.enabled", h2c), ("apus.reason_header.enabled", reasonHeader != standard.reasonHeader),
            (
                "apus.first_byte_timeout.seconds",
                firstByteTimeoutSeconds != standard.firstByteTimeoutSeconds
            ),
            ("apus.head_timeout.seconds", headTimeoutSeconds != standard.headTimeoutSeconds),
            (
                "apus.min_body_rate.bytes_per_second",
                minBodyRateBytesPerSecond != standard.minBodyRateBytesPerSecond
            ), ("apus.min_body_rate.window_seconds", minBodyRateWindowSeconds != standard.minBodyRateWindowSeconds),
        ]
        findings.within(.key("attributes")) { findings in
            findings.misplaced(
                keys, belongTo: "application load balancers", found: "it in a network load balancer",
                remedy: "Remove it, or write type: application.")
        }
    }
}
