// The conditions of rules: what each is, how it is written, and which listeners have it. One kind of condition is
// added here, and compiled by `CompiledCondition.init` in Control for workers.

/// What a rule demands of a request, or on a network load balancer of a connection. A condition holds when any of its
/// values matches.
///
/// Shape:  in a pattern `*` stands for any number of characters, and `?` for exactly one.
/// Source: ELBv2 RuleCondition.
public enum Condition: Hashable, Sendable {
    /// `host-header`: the name in the Host field, without regard to case.
    case hostHeader([String])
    /// `path-pattern`: the path, without the query, with regard to case.
    case pathPattern([String])
    /// `source-ip`: the network of the client's address. On network load balancers.
    case sourceIP([AddressBlock])
    /// `sni`: the name that a client's TLS asks for, without regard to case. On TCP listeners. ELBv2 has no such
    /// condition.
    case serverName([String])
}

extension Condition {
    /// The property that a condition tests.
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

    /// The property that it tests.
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

        /// The keys of the object for one field, whose patterns must follow `rule`.
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

    /// A condition as it is written: with the values in it, or in an object of their own.
    private struct Form: Sendable {
        /// The property that it tests.
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
                    "What it tests: the name in the Host field, without regard to case, or the path, with regard to "
                        + "case; on network load balancers the client's address, or the server name that its TLS "
                        + "handshake asks for."),
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

        /// The rule for `values` before the field is known.
        private static let valueRule = TextRule(
            "a pattern of 1 to 128 characters", length: 1...Limits.conditionValueCharactersMax,
            remedy: "Write a pattern such as /v1/* or *.example.com.")

        /// An empty form, before any key was read.
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
    /// The protocols of listeners whose rules can test it.
    fileprivate var protocols: [TrafficProtocol] {
        switch self {
        case .hostHeader, .pathPattern: [.http, .https]
        case .sourceIP: [.tcp, .tls, .udp, .tcpUDP]
        case .serverName: [.tcp]
        }
    }

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

extension TrafficProtocol {
    /// The properties that rules of such a listener can test.
    var conditionFields: [Condition.Field] { Condition.Field.allCases.filter { $0.protocols.contains(self) } }
}

extension Rule {
    /// Reports conditions that test what clients of `listener` do not send.
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
