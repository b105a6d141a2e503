extension Listener {
    /// The keys of a listener.
    static let description = Description(
        "Listener", "a listener", blank: Listener(port: 0, defaultActions: []),
        keys: [
            Key(
                "protocol", \.protocol,
                .word(refused: ["GENEVE"], code: .unsupportedProtocol),
                required: true, "What is spoken on it."),
            Key("port", \.port, .integer(1...65535), required: true, "Its port."),
            Key(
                "certificates", \.certificates,
                .list(
                    CertificateFiles.description.codec, count: 0...Limits.certificatesMax, code: .tooManyCertificates),
                "Its certificates, chosen by the name that a client asks for (SNI); the first is the default. Only "
                    + "with HTTPS and TLS."),
            Key(
                optional: "sslPolicy", \.sslPolicy, SecurityPolicy.codec,
                "Which versions and ciphers it takes; without it \(SecurityPolicy.standard.name). Only with HTTPS and "
                    + "TLS."),
            Key(
                optional: "alpnPolicy", \.alpnPolicy, AlpnPolicy.codec,
                "Which application protocol is negotiated with clients that offer some (ALPN), a list of one word. "
                    + "Only with TLS."),
            Key(
                optional: "mutualAuthentication", \.mutualAuthentication, MutualAuthentication.description.codec,
                "How clients authenticate with certificates. Only with HTTPS and TLS."),
            Key(optional: "attributes", \.attributes, ListenerAttributes.description.codec, "Its attributes."),
            Key(
                optional: "apus.allow", \.allow, AddressEntry.listCodec,
                "The clients that it takes, by their addresses; without it all. What it does not take is reset before "
                    + "TLS, and a datagram dropped."),
            Key(
                optional: "apus.deny", \.deny, AddressEntry.listCodec,
                "The clients that it does not take, whether apus.allow has them or not."),
            Key(
                "defaultActions", \.defaultActions, Action.listCodec, required: true,
                "What is done when no rule matches."),
            Key(
                "rules", \.rules,
                .list(Rule.description.codec, count: 0...Limits.rulesPerListenerMax, code: .tooManyRules),
                "Its rules; of those that match, the one with the lowest priority decides."),
        ],
        refused: [RefusedKey("tags")],
        check: { listener, findings in
            if listener.protocol.hasTLS, listener.certificates.isEmpty {
                findings.report(
                    "\(listener.protocol.withArticle) listener must have a certificate",
                    remedy: "Add certificates: [{certificateFile: …, privateKeyFile: …}].",
                    code: .certificateNotFound)
            }
            listener.reportMisplaced(&findings)
            if listener.protocol.kind == .network { listener.attributes?.reportOfHTTP(&findings) }
        })

    /// Reports keys that listeners of this protocol do not have.
    private func reportMisplaced(_ findings: inout Findings) {
        let keys: [(key: String, isGiven: Bool, owners: [TrafficProtocol])] = [
            ("certificates", !certificates.isEmpty, [.https, .tls]), ("sslPolicy", sslPolicy != nil, [.https, .tls]),
            ("mutualAuthentication", (mutualAuthentication?.mode ?? .off) != .off, [.https, .tls]),
            ("alpnPolicy", alpnPolicy != nil, [.tls]),
        ]
        for key in keys where !key.owners.contains(`protocol`) {
            let owners = Shape.alternatives(key.owners.map(\.rawValue))
            findings.misplaced(
                [(key.key, key.isGiven)], belongTo: "\(owners) listeners",
                found: "it on \(`protocol`.withArticle) listener", remedy: "Write protocol: \(owners), or remove it.")
        }
        // What a client shows is told to targets in fields of requests, which connections do not have.
        if `protocol` == .tls, mutualAuthentication?.mode == .passthrough {
            findings.within([.key("mutualAuthentication"), .key("mode")]) { findings in
                findings.report(
                    "mode passthrough belongs to HTTPS listeners", found: "it on a TLS listener",
                    remedy: "Write mode: verify, or off.", code: .invalidConfigurationRequest)
            }
        }
        reportIdleTimeouts(&findings)
    }

    /// Reports idle timeouts of what does not come to listeners of this protocol.
    private func reportIdleTimeouts(_ findings: inout Findings) {
        guard let attributes else { return }
        let isNetwork = `protocol`.kind == .network
        let keys: [(key: String, isGiven: Bool, owners: [TrafficProtocol])] = [
            ("tcp.idle_timeout.seconds", attributes.tcpIdleTimeoutSeconds != 350, [.tcp, .tls, .tcpUDP, .tcpQUIC]),
            (
                "apus.udp_idle_timeout.seconds", attributes.udpIdleTimeoutSeconds != 120,
                [.udp, .tcpUDP, .quic, .tcpQUIC]
            ),
        ]
        findings.within(.key("attributes")) { findings in
            for key in keys where !key.owners.contains(`protocol`) {
                findings.misplaced(
                    [(key.key, key.isGiven)],
                    belongTo: "\(Shape.alternatives(key.owners.map(\.rawValue))) listeners",
                    found: "it on \(`protocol`.withArticle) listener",
                    remedy: isNetwork
                        ? "Remove it." : "Write idle_timeout.timeout_seconds in the load balancer's attributes.")
            }
        }
    }
}

extension Listener.AlpnPolicy {
    /// Reads and writes a policy, as the list of one that ELBv2 has.
    static let codec = Codec<[Listener.AlpnPolicy]>.list(.word(), count: 1...1)
        .converted(to: { policies, _ in policies.first }, from: { [$0] })
}

extension Rule {
    /// The keys of a rule.
    static let description = Description(
        "Rule", "a rule", blank: Rule(priority: 0, conditions: [], actions: []),
        keys: [
            Key(
                "priority", \.priority, .integer(1...50000), required: true,
                "Its place among the rules; lower comes first."),
            Key(
                "conditions", \.conditions, .list(Condition.codec, count: 1...Limits.conditionsPerRuleMax),
                required: true,
                "The conditions that a request must meet, all of them; several of http-header and of query-string, at "
                    + "most one of each other field."),
            Key(
                "actions", \.actions, Action.listCodec, required: true, "What is done with the request."),
            Key(
                "transforms", \.transforms, .list(Transform.codec, count: 0...2),
                "What is changed of what the target gets, once the rule has decided; at most one of a type. Only on "
                    + "application load balancers, with forward."),
            Key(
                "apus.requestHeaders", \.requestHeaders, FieldChange.listCodec,
                "Changes of the header fields that the target gets, made one after the other. Only on application load "
                    + "balancers, with forward."),
            Key(
                "apus.responseHeaders", \.responseHeaders, FieldChange.listCodec,
                "Changes of the header fields that the client gets, made one after the other, whoever answers. Only on "
                    + "application load balancers."),
            Key(
                optional: "apus.rateLimit", \.rateLimit, RateLimit.description.codec,
                "How many requests each client may bring by this rule. Only on application load balancers."),
        ],
        refused: [RefusedKey("tags")],
        check: { rule, findings in
            rule.checkConditions(&findings)
            rule.checkTransforms(&findings)
            rule.checkFieldChanges(&findings)
        })
}
