extension Listener {
    /// The keys of a listener.
    static let description = Description(
        "Listener", "a listener", blank: Listener(port: 0, defaultActions: []),
        keys: [
            Key(
                "protocol", \.protocol,
                .word(
                    refused: ["TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC", "GENEVE"],
                    code: .unsupportedProtocol),
                required: true, "What is spoken on it."),
            Key("port", \.port, .integer(1...65535), required: true, "Its TCP port."),
            Key(
                "certificates", \.certificates,
                .list(
                    CertificateFiles.description.codec, count: 0...Limits.certificatesMax, code: .tooManyCertificates),
                "Its certificates, chosen by the name a client asks for; the first is for all others. Only with HTTPS."
            ),
            Key(
                optional: "sslPolicy", \.sslPolicy, SecurityPolicy.codec,
                "Which versions and ciphers it takes; without it \(SecurityPolicy.standard.name). Only with HTTPS."
            ),
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
        refused: [RefusedKey("alpnPolicy"), RefusedKey("tags")],
        check: { listener, findings in
            switch listener.protocol {
            case .https:
                guard listener.certificates.isEmpty else { return }
                findings.report(
                    "an HTTPS listener must have a certificate",
                    remedy: "Add certificates: [{certificateFile: …, privateKeyFile: …}].",
                    code: .certificateNotFound)
            case .http:
                listener.reportTLSOnHTTP(&findings)
            }
        })

    private func reportTLSOnHTTP(_ findings: inout Findings) {
        let keys: [(key: String, isGiven: Bool)] = [
            ("certificates", !certificates.isEmpty), ("sslPolicy", sslPolicy != nil),
            ("mutualAuthentication", (mutualAuthentication?.mode ?? .off) != .off),
        ]
        findings.misplaced(
            keys, belongTo: "HTTPS listeners", found: "it on an HTTP listener",
            remedy: "Write protocol: HTTPS, or remove it.")
    }
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
                "conditions", \.conditions, .list(Condition.codec, count: 1...2), required: true,
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

extension Condition {
    /// What a condition looks at.
    enum Field: String, Sendable, CaseIterable {
        /// The name in the Host field.
        case hostHeader = "host-header"
        /// The path.
        case pathPattern = "path-pattern"
    }

    /// What this one looks at.
    var field: Field {
        switch self {
        case .hostHeader: .hostHeader
        case .pathPattern: .pathPattern
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
        static func description(_ name: String, _ rule: TextRule) -> Description<Values> {
            Description(
                name, "the values of a condition", blank: Values(),
                keys: [
                    Key(
                        "values", \.values, .list(.text(rule), count: 1...Limits.conditionValuesMax), required: true,
                        "The patterns, of which any may match.")
                ], refused: [RefusedKey("regexValues")])
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

        /// The keys of a condition.
        static let description = Description(
            "Condition", "a condition", blank: Form(),
            keys: [
                Key(
                    "field", \.field,
                    .word(refused: ["http-header", "http-request-method", "query-string", "source-ip"]), required: true,
                    "What it looks at: the name in the Host field, in any case, or the path, in the same case."
                ),
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
            ],
            refused: [
                RefusedKey("regexValues"), RefusedKey("httpHeaderConfig"), RefusedKey("httpRequestMethodConfig"),
                RefusedKey("queryStringConfig"), RefusedKey("sourceIpConfig"),
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
            case .hostHeader(let patterns), .pathPattern(let patterns): values = patterns
            }
        }

        /// The condition that was written; nil after a mistake was reported.
        func condition(_ findings: inout Findings) -> Condition? {
            let (own, other, ownKey, otherKey, rule) =
                switch field {
                case .hostHeader:
                    (hostHeaderConfig, pathPatternConfig, "hostHeaderConfig", "pathPatternConfig", TextRule.hostPattern)
                case .pathPattern:
                    (pathPatternConfig, hostHeaderConfig, "pathPatternConfig", "hostHeaderConfig", TextRule.pathPattern)
                }
            if other != nil {
                findings.within(.key(otherKey)) { findings in
                    findings.report("\(otherKey) does not belong to the field \(field.rawValue)", remedy: "Remove it.")
                }
                return nil
            }
            switch (values, own) {
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
                    Codec.list(.text(rule), count: 1...Limits.conditionValuesMax)
                        .decode(.array(values.map(Value.string)), &findings)
                }
                return patterns.map(condition)
            }
        }

        private func condition(_ patterns: [String]) -> Condition {
            switch field {
            case .hostHeader: .hostHeader(patterns)
            case .pathPattern: .pathPattern(patterns)
            }
        }
    }
}
