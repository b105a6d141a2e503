extension Listener {
    /// The keys of a listener.
    static let description = Description(
        "Listener", "a listener", blank: Listener(port: 0, defaultActions: []),
        keys: [
            Key(
                "protocol", \.protocol,
                .word(
                    refused: ["QUIC", "TCP_QUIC", "GENEVE"],
                    code: .unsupportedProtocol),
                required: true, "What is spoken on it."),
            Key("port", \.port, .integer(1...65535), required: true, "Its port."),
            Key(
                "certificates", \.certificates,
                .list(
                    CertificateFiles.description.codec, count: 0...Limits.certificatesMax, code: .tooManyCertificates),
                "Its certificates, chosen by the name a client asks for; the first is for all others. Only with HTTPS "
                    + "and TLS."),
            Key(
                optional: "sslPolicy", \.sslPolicy, SecurityPolicy.codec,
                "Which versions and ciphers it takes; without it \(SecurityPolicy.standard.name). Only with HTTPS and "
                    + "TLS."),
            Key(
                optional: "alpnPolicy", \.alpnPolicy, AlpnPolicy.codec,
                "Which protocol is agreed on with clients that name some (ALPN), a list of one word. Only with TLS."),
            Key(
                optional: "mutualAuthentication", \.mutualAuthentication, MutualAuthentication.description.codec,
                "How clients show who they are. Only with HTTPS."),
            Key(optional: "attributes", \.attributes, ListenerAttributes.description.codec, "Its attributes."),
            Key(
                "defaultActions", \.defaultActions, .list(Action.codec, count: 1...1, code: .tooManyActions),
                required: true, "What is done when no rule matches."),
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
        let keys: [(key: String, isGiven: Bool, owners: [`Protocol`])] = [
            ("certificates", !certificates.isEmpty, [.https, .tls]), ("sslPolicy", sslPolicy != nil, [.https, .tls]),
            ("mutualAuthentication", (mutualAuthentication?.mode ?? .off) != .off, [.https]),
            ("alpnPolicy", alpnPolicy != nil, [.tls]),
        ]
        for key in keys where !key.owners.contains(`protocol`) {
            let owners = Shape.alternatives(key.owners.map(\.rawValue))
            findings.misplaced(
                [(key.key, key.isGiven)], belongTo: "\(owners) listeners",
                found: "it on \(`protocol`.withArticle) listener", remedy: "Write protocol: \(owners), or remove it.")
        }
        reportIdleTimeouts(&findings)
    }

    /// Reports idle timeouts of what does not come to listeners of this protocol.
    private func reportIdleTimeouts(_ findings: inout Findings) {
        guard let attributes else { return }
        let isNetwork = `protocol`.kind == .network
        let keys: [(key: String, isGiven: Bool, owners: [`Protocol`])] = [
            ("tcp.idle_timeout.seconds", attributes.tcpIdleTimeoutSeconds != 350, [.tcp, .tls, .tcpUDP]),
            ("apus.udp_idle_timeout.seconds", attributes.udpIdleTimeoutSeconds != 120, [.udp, .tcpUDP]),
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
                "conditions", \.conditions, .list(Condition.codec, count: 1...3), required: true,
                "What a request must meet, each of them; at most one of a field."),
            Key(
                "actions", \.actions, .list(Action.codec, count: 1...1, code: .tooManyActions), required: true,
                "What is done with the request."),
        ],
        refused: [RefusedKey("transforms"), RefusedKey("tags")],
        check: { rule, findings in
            var seen: Set<String> = []
            for (index, condition) in rule.conditions.enumerated() where !seen.insert(condition.field.rawValue).inserted
            {
                findings.within(.key("conditions")) { findings in
                    findings.within(.index(index)) { findings in
                        findings.report(
                            "a rule must have at most one condition of a field",
                            found: "a second \(condition.field.rawValue)",
                            remedy: "Put all values into one condition: any of them may match.")
                    }
                }
            }
        })
}

extension Rule {
    /// Reports conditions that look at what clients of `listener` do not say.
    func checkConditions(on listener: Listener, _ findings: inout Findings) {
        let fields = listener.protocol.conditionFields
        for (index, condition) in conditions.enumerated() where !fields.contains(condition.field) {
            findings.within([.key("conditions"), .index(index), .key("field")]) { findings in
                findings.report(
                    "a rule of \(listener.protocol.withArticle) listener must look at "
                        + Shape.alternatives(fields.map(\.rawValue)),
                    found: condition.field.rawValue, remedy: "Remove the condition, or the rule.",
                    code: .invalidConfigurationRequest)
            }
        }
    }
}

extension Condition {
    /// What a condition looks at.
    enum Field: String, Sendable, CaseIterable {
        /// The name in the Host field.
        case hostHeader = "host-header"
        /// The path.
        case pathPattern = "path-pattern"
        /// The client's address.
        case sourceIP = "source-ip"
        /// The name that TLS asks for.
        case serverName = "sni"
    }

    /// What this one looks at.
    var field: Field {
        switch self {
        case .hostHeader: .hostHeader
        case .pathPattern: .pathPattern
        case .sourceIP: .sourceIP
        case .serverName: .serverName
        }
    }

    /// Reads and writes a condition, in the form that it has in the file.
    static let codec: Codec<Condition> = Form.description.codec.converted(
        to: { form, findings in form.condition(&findings) }, from: { Form($0) })

    /// The values in one of the objects that ELBv2 has for each field.
    private struct Values: Sendable {
        /// The patterns.
        var values: [String] = []

        /// The keys of the object for one field, whose patterns keep `rule`.
        static func description(
            _ name: String, _ rule: TextRule, refused: [RefusedKey] = [RefusedKey("regexValues")]
        ) -> Description<Values> {
            Description(
                name, "the values of a condition", blank: Values(),
                keys: [
                    Key(
                        "values", \.values, .list(.text(rule), count: 1...Limits.conditionValuesMax), required: true,
                        "The patterns, of which any may match.")
                ], refused: refused)
        }
    }

    /// A condition as it is written: the values stand in it, or in an object of their own.
    private struct Form: Sendable {
        /// What it looks at.
        var field = Field.pathPattern
        /// The patterns, in the short form.
        var values: [String]?
        /// The patterns of a host-header condition.
        var hostHeaderConfig: Values?
        /// The patterns of a path-pattern condition.
        var pathPatternConfig: Values?
        /// The networks of a source-ip condition.
        var sourceIpConfig: Values?

        /// The keys of a condition.
        static let description = Description(
            "Condition", "a condition", blank: Form(),
            keys: [
                Key(
                    "field", \.field,
                    .word(refused: ["http-header", "http-request-method", "query-string"]), required: true,
                    "What it looks at: the name in the Host field, in any case, or the path, in the same case; on "
                        + "network load balancers the network of the client's address, or the name that its TLS asks "
                        + "for."),
                Key(
                    optional: "values", \.values, .list(.text(valueRule), count: 1...Limits.conditionValuesMax),
                    "The patterns, of which any may match; * stands for any characters, ? for one."),
                Key(
                    optional: "hostHeaderConfig", \.hostHeaderConfig,
                    Values.description("HostHeaderConfig", .hostPattern).codec,
                    "The same as values, for host-header."),
                Key(
                    optional: "pathPatternConfig", \.pathPatternConfig,
                    Values.description("PathPatternConfig", .pathPattern).codec,
                    "The same as values, for path-pattern."),
                Key(
                    optional: "sourceIpConfig", \.sourceIpConfig,
                    Values.description("SourceIpConfig", .addressBlock, refused: [RefusedKey("ipAddressType")]).codec,
                    "The same as values, for source-ip."),
            ],
            refused: [
                RefusedKey("regexValues"), RefusedKey("httpHeaderConfig"), RefusedKey("httpRequestMethodConfig"),
                RefusedKey("queryStringConfig"),
            ])

        /// What stands in `values`, before the field is known.
        private static let valueRule = TextRule(
            "a pattern of 1 to 128 characters", length: 1...Limits.conditionValueCharactersMax,
            remedy: "Write a pattern such as /v1/* or *.example.com.")

        /// The form of which nothing has been read.
        init() {}

        /// The form in which a condition is written.
        init(_ condition: Condition) {
            field = condition.field
            switch condition {
            case .hostHeader(let patterns), .pathPattern(let patterns), .serverName(let patterns): values = patterns
            case .sourceIP(let blocks): values = blocks.map(\.description)
            }
        }

        /// The condition that was written; nil after a mistake was reported.
        func condition(_ findings: inout Findings) -> Condition? {
            let configs = [
                (field: Field.hostHeader, key: "hostHeaderConfig", values: hostHeaderConfig),
                (.pathPattern, "pathPatternConfig", pathPatternConfig), (.sourceIP, "sourceIpConfig", sourceIpConfig),
            ]
            if let other = configs.first(where: { $0.values != nil && $0.field != field }) {
                findings.within(.key(other.key)) { findings in
                    findings.report("\(other.key) does not belong to the field \(field.rawValue)", remedy: "Remove it.")
                }
                return nil
            }
            let own = configs.first { $0.field == field }
            let ownKey = own?.key ?? "values"
            switch (values, own?.values) {
            case (nil, nil):
                findings.report("a condition must have values", remedy: "Add values: a list of patterns.")
                return nil
            case (_?, _?):
                findings.within(.key("values")) { findings in
                    findings.report(
                        "a condition must have values or \(ownKey), not both", remedy: "Remove one of the two.")
                }
                return nil
            case (nil, let own?): return condition(own.values)
            case (let values?, nil):
                let patterns = findings.within(.key("values")) { findings in
                    Codec.list(.text(field.rule), count: 1...Limits.conditionValuesMax)
                        .decode(.array(values.map(Value.string)), &findings)
                }
                return patterns.map(condition)
            }
        }

        private func condition(_ patterns: [String]) -> Condition {
            switch field {
            case .hostHeader: .hostHeader(patterns)
            case .pathPattern: .pathPattern(patterns)
            case .sourceIP: .sourceIP(patterns.compactMap(AddressBlock.init))
            case .serverName: .serverName(patterns)
            }
        }
    }
}

extension Condition.Field {
    /// What its values must be.
    fileprivate var rule: TextRule {
        switch self {
        case .hostHeader: .hostPattern
        case .pathPattern: .pathPattern
        case .sourceIP: .addressBlock
        case .serverName: .serverNamePattern
        }
    }
}
