// How a condition of a rule is written.

extension Condition {
    /// The property that a condition tests.
    enum Field: String, Sendable, CaseIterable {
        /// The name in the Host field.
        case hostHeader = "host-header"
        /// The path.
        case pathPattern = "path-pattern"
        /// A header field.
        case httpHeader = "http-header"
        /// The method.
        case requestMethod = "http-request-method"
        /// The query.
        case queryString = "query-string"
        /// The client's address.
        case sourceIP = "source-ip"
        /// The name that TLS asks for.
        case serverName = "apus.sni"
    }

    /// The property that it tests.
    var field: Field {
        switch self {
        case .hostHeader: .hostHeader
        case .pathPattern: .pathPattern
        case .httpHeader: .httpHeader
        case .requestMethod: .requestMethod
        case .queryString: .queryString
        case .sourceIP, .sourceFamily: .sourceIP
        case .serverName: .serverName
        }
    }

    /// Reads and writes a condition, in the form that it has in the file.
    static let codec: Codec<Condition> = Form.description.codec.converted(
        to: { form, findings in form.condition(&findings) }, from: { Form($0) })
}

extension Condition {
    /// The object that ELBv2 has for a field.
    fileprivate struct Config: Sendable {
        /// The patterns.
        var values: [String]?
        /// The name of the header field.
        var httpHeaderName = ""
        /// The parameters of a query.
        var pairs: [QueryStringPair]?
        /// The family of the client's address.
        var ipAddressType: IPAddressFamily?

        /// The object for one field. `keys` stand before the patterns, which must follow `rule`.
        static func description(
            _ name: String, _ rule: TextRule, keys: [Key<Config>] = [], refused: [RefusedKey] = []
        ) -> Description<Config> {
            Description(
                name, "the values of a condition", blank: Config(),
                keys: keys + [
                    Key(
                        optional: "values", \.values, .list(.text(rule), count: 1...Limits.conditionValuesMax),
                        "The patterns, of which any may match.")
                ], refused: refused)
        }

        /// The name of a header field.
        static let headerName = Key<Config>(
            "httpHeaderName", \.httpHeaderName, .text(.headerName), required: true,
            "The name of the header field, in any case; host-header is for Host.")

        /// The family of an address.
        static let family = Key<Config>(
            optional: "ipAddressType", \.ipAddressType, .word(),
            "In place of values: the family of the client's address. Only on network load balancers that have "
                + "addresses of both families, and as the only condition.")

        /// The object for queries.
        static let query = Description(
            "QueryStringConfig", "the values of a condition", blank: Config(),
            keys: [
                Key(
                    optional: "values", \.pairs,
                    .list(QueryStringPair.description.codec, count: 1...Limits.conditionValuesMax),
                    "The parameters, of which any may match.")
            ])
    }

    /// A condition as it is written: with the values in it, or in an object of their own.
    fileprivate struct Form: Sendable {
        /// The property that it tests.
        var field = Field.pathPattern
        /// The patterns, in the short form.
        var values: [String]?
        /// The values of a host-header condition.
        var hostHeaderConfig: Config?
        /// The values of a path-pattern condition.
        var pathPatternConfig: Config?
        /// The values of an http-header condition.
        var httpHeaderConfig: Config?
        /// The values of an http-request-method condition.
        var requestMethodConfig: Config?
        /// The values of a query-string condition.
        var queryStringConfig: Config?
        /// The values of a source-ip condition.
        var sourceIpConfig: Config?

        /// The keys of a condition.
        static let description = Description(
            "Condition", "a condition", blank: Form(),
            keys: [
                Key(
                    "field", \.field, .word(aliases: ["sni": .serverName]), required: true,
                    "What it tests: on application load balancers the name in the Host field, the path, a header field, "
                        + "the method, the query or the client's address; on network load balancers that address, or "
                        + "the server name that the TLS handshake asks for (sni is an older spelling)."),
                Key(
                    optional: "values", \.values, .list(.text(valueRule), count: 1...Limits.conditionValuesMax),
                    "The patterns, of which any may match; * stands for any characters, ? for one."),
                Key(
                    optional: "hostHeaderConfig", \.hostHeaderConfig,
                    Config.description("HostHeaderConfig", .hostPattern).codec,
                    "The same as values, for host-header."),
                Key(
                    optional: "pathPatternConfig", \.pathPatternConfig,
                    Config.description("PathPatternConfig", .pathPattern).codec,
                    "The same as values, for path-pattern."),
                Key(
                    optional: "httpHeaderConfig", \.httpHeaderConfig,
                    Config.description("HttpHeaderConfig", .headerPattern, keys: [Config.headerName]).codec,
                    "The header field and its values, for http-header."),
                Key(
                    optional: "httpRequestMethodConfig", \.requestMethodConfig,
                    Config.description("HttpRequestMethodConfig", .requestMethod).codec,
                    "The same as values, for http-request-method: methods, without wildcards."),
                Key(
                    optional: "queryStringConfig", \.queryStringConfig, Config.query.codec,
                    "The parameters of a query, for query-string."),
                Key(
                    optional: "sourceIpConfig", \.sourceIpConfig,
                    Config.description("SourceIpConfig", .addressBlock, keys: [Config.family]).codec,
                    "The same as values, for source-ip."),
            ],
            refused: [RefusedKey("regexValues")])

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
            case .httpHeader(let name, let patterns):
                httpHeaderConfig = Config(values: patterns, httpHeaderName: name)
            case .requestMethod(let methods): requestMethodConfig = Config(values: methods)
            case .queryString(let pairs): queryStringConfig = Config(pairs: pairs)
            case .sourceIP(let blocks): values = blocks.map(\.description)
            case .sourceFamily(let family): sourceIpConfig = Config(ipAddressType: family)
            }
        }

        /// The objects that were written, with their fields.
        private var configs: [(field: Field, key: String, config: Config?)] {
            [
                (.hostHeader, "hostHeaderConfig", hostHeaderConfig),
                (.pathPattern, "pathPatternConfig", pathPatternConfig),
                (.httpHeader, "httpHeaderConfig", httpHeaderConfig),
                (.requestMethod, "httpRequestMethodConfig", requestMethodConfig),
                (.queryString, "queryStringConfig", queryStringConfig),
                (.sourceIP, "sourceIpConfig", sourceIpConfig),
            ]
        }

        /// The condition that was written; nil after a mistake was reported.
        func condition(_ findings: inout Findings) -> Condition? {
            if let other = configs.first(where: { $0.config != nil && $0.field != field }) {
                findings.within(.key(other.key)) { findings in
                    findings.report("\(other.key) does not belong to the field \(field.rawValue)", remedy: "Remove it.")
                }
                return nil
            }
            let own = configs.first { $0.field == field }
            switch (values, own?.config) {
            case (nil, nil):
                findings.report(
                    "a condition must have values",
                    remedy: field.hasShortForm ? "Add values: a list of patterns." : field.longForm)
                return nil
            case (_?, _) where !field.hasShortForm:
                findings.within(.key("values")) { findings in
                    findings.report("values does not belong to the field \(field.rawValue)", remedy: field.longForm)
                }
                return nil
            case (_?, _?):
                findings.within(.key("values")) { findings in
                    findings.report(
                        "a condition must have values or \(own?.key ?? "values"), not both",
                        remedy: "Remove one of the two.")
                }
                return nil
            case (nil, let config?): return condition(config, &findings)
            case (let values?, nil):
                let patterns = findings.within(.key("values")) { findings in
                    Codec.list(.text(field.rule), count: 1...Limits.conditionValuesMax)
                        .decode(.array(values.map(Value.string)), &findings)
                }
                return patterns.flatMap { condition(Config(values: $0), &findings) }
            }
        }

        /// The condition with the values of `config`, each of which is right.
        private func condition(_ config: Config, _ findings: inout Findings) -> Condition? {
            if let family = config.ipAddressType {
                if config.values == nil { return .sourceFamily(family) }
                findings.within(.key("sourceIpConfig")) { findings in
                    findings.report(
                        "a condition must have values or ipAddressType, not both", remedy: "Remove one of the two.")
                }
                return nil
            }
            if field == .queryString, let pairs = config.pairs { return .queryString(pairs) }
            guard let values = config.values else {
                findings.report("a condition must have values", remedy: "Add values: a list of patterns.")
                return nil
            }
            return switch field {
            case .hostHeader: .hostHeader(values)
            case .pathPattern: .pathPattern(values)
            case .httpHeader: .httpHeader(name: config.httpHeaderName, values)
            case .requestMethod: .requestMethod(values)
            case .queryString: preconditionFailure("condition: a query without parameters")
            case .sourceIP: .sourceIP(values.compactMap(AddressBlock.init))
            case .serverName: .serverName(values)
            }
        }
    }
}

extension QueryStringPair {
    /// The keys of a pair.
    static let description = Description(
        "QueryStringPair", "a parameter of a query", blank: QueryStringPair(value: ""),
        keys: [
            Key(
                optional: "key", \.key, .text(.queryPattern),
                "The pattern of the key, in any case; without it any parameter may have the value."),
            Key(
                "value", \.value, .text(.queryPattern), required: true,
                "The pattern of the value, in any case; \\* and \\? stand for the characters themselves."),
        ])
}

extension Condition.Field {
    /// Whether its values may stand beside the field.
    fileprivate var hasShortForm: Bool { self != .httpHeader && self != .queryString }

    /// How its values are written where they may not.
    fileprivate var longForm: String {
        self == .httpHeader
            ? "Write httpHeaderConfig: {httpHeaderName: …, values: […]}."
            : "Write queryStringConfig: {values: [{key: …, value: …}]}."
    }

    /// What its values must be.
    fileprivate var rule: TextRule {
        switch self {
        case .hostHeader: .hostPattern
        case .pathPattern: .pathPattern
        case .httpHeader: .headerPattern
        case .requestMethod: .requestMethod
        case .queryString: .queryPattern
        case .sourceIP: .addressBlock
        case .serverName: .serverNamePattern
        }
    }
}
