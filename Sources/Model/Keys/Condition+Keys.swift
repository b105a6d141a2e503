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
        case .hostHeader, .hostHeaderRegex: .hostHeader
        case .pathPattern, .pathPatternRegex: .pathPattern
        case .httpHeader, .httpHeaderRegex: .httpHeader
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
        /// The regular expressions.
        var regexValues: [String]?
        /// The name of the header field.
        var httpHeaderName = ""
        /// The parameters of a query.
        var pairs: [QueryStringPair]?
        /// The family of the client's address.
        var ipAddressType: IPAddressFamily?

        /// The object for one field. `keys` stand before the patterns, which must follow `rule`.
        static func description(
            _ name: String, _ rule: TextRule, keys: [Key<Config>] = [], hasExpressions: Bool = false
        ) -> Description<Config> {
            let values = Key<Config>(
                optional: "values", \.values, .list(.text(rule), count: 1...Limits.conditionValuesMax),
                "The patterns, of which any may match.")
            return Description(
                name, "the values of a condition", blank: Config(),
                keys: keys + [values] + (hasExpressions ? [expressions] : []))
        }

        /// The regular expressions.
        private static let expressions = Key<Config>(
            optional: "regexValues", \.regexValues, Form.expressions,
            "In place of values: regular expressions (PCRE2), of which any may match, anywhere in the text unless ^ "
                + "and $ say otherwise.")

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
        /// The regular expressions, in the short form.
        var regexValues: [String]?
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
                    "What it tests: on application load balancers the name in the Host field, the path, a header "
                        + "field, the method, the query or the client's address; on network load balancers that "
                        + "address, or the server name that the TLS handshake asks for (sni is an older spelling)."),
                Key(
                    optional: "values", \.values, .list(.text(valueRule), count: 1...Limits.conditionValuesMax),
                    "The patterns, of which any may match; * stands for any characters, ? for one."),
                Key(
                    optional: "regexValues", \.regexValues, expressions,
                    "In place of values, for host-header, path-pattern and http-header: regular expressions (PCRE2), "
                        + "of which any may match, anywhere in the text unless ^ and $ say otherwise."),
                Key(
                    optional: "hostHeaderConfig", \.hostHeaderConfig,
                    Config.description("HostHeaderConfig", .hostPattern, hasExpressions: true).codec,
                    "The same as values, for host-header."),
                Key(
                    optional: "pathPatternConfig", \.pathPatternConfig,
                    Config.description("PathPatternConfig", .pathPattern, hasExpressions: true).codec,
                    "The same as values, for path-pattern."),
                Key(
                    optional: "httpHeaderConfig", \.httpHeaderConfig,
                    Config.description(
                        "HttpHeaderConfig", .headerPattern, keys: [Config.headerName], hasExpressions: true
                    ).codec,
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
            ])

        /// A list of regular expressions.
        static let expressions = Codec.list(
            .regularExpression(length: 1...Limits.conditionValueCharactersMax), count: 1...Limits.conditionValuesMax)

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
            case .hostHeaderRegex(let expressions), .pathPatternRegex(let expressions): regexValues = expressions
            case .httpHeader(let name, let patterns):
                httpHeaderConfig = Config(values: patterns, httpHeaderName: name)
            case .httpHeaderRegex(let name, let expressions):
                httpHeaderConfig = Config(regexValues: expressions, httpHeaderName: name)
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
            guard let config = ownConfig(&findings) else { return nil }
            if let family = config.ipAddressType {
                if config.values == nil { return .sourceFamily(family) }
                findings.within(.key("sourceIpConfig")) { findings in
                    findings.report(
                        "a condition must have values or ipAddressType, not both", remedy: "Remove one of the two.")
                }
                return nil
            }
            switch (config.values, config.regexValues) {
            case (let values?, nil): return condition(config, values)
            case (nil, let expressions?): return condition(config, expressions: expressions)
            case (_?, _?):
                findings.report(
                    "a condition must have values or regexValues, not both", remedy: "Remove one of the two.")
            case (nil, nil):
                if let pairs = config.pairs { return .queryString(pairs) }
                findings.report(
                    "a condition must have values",
                    remedy: field.hasShortForm ? "Add values: a list of patterns." : field.longForm)
            }
            return nil
        }

        /// What was written for the field, in the short form or in its object; nil after a mistake was reported.
        private func ownConfig(_ findings: inout Findings) -> Config? {
            let own = configs.first { $0.field == field }
            var config = own?.config ?? Config()
            let short = [
                ("values", values != nil, field.hasShortForm),
                ("regexValues", regexValues != nil, field.hasExpressions),
            ]
            let isLong =
                config.values != nil || config.regexValues != nil || config.pairs != nil
                || config.ipAddressType != nil
            for (key, isGiven, isAllowed) in short where isGiven && (!isAllowed || isLong) {
                findings.within(.key(key)) { findings in
                    if isAllowed {
                        findings.report(
                            "a condition must have \(key) or \(own?.key ?? key), not both",
                            remedy: "Remove one of the two.")
                    } else {
                        findings.report(
                            "\(key) does not belong to the field \(field.rawValue)",
                            remedy: field.hasShortForm ? "Write values instead." : field.longForm)
                    }
                }
                return nil
            }
            if let values {
                let patterns = findings.within(.key("values")) { findings in
                    Codec.list(.text(field.rule), count: 1...Limits.conditionValuesMax)
                        .decode(.array(values.map(Value.string)), &findings)
                }
                guard let patterns else { return nil }
                config.values = patterns
            }
            if let regexValues { config.regexValues = regexValues }
            let hasValues = config.values != nil || config.regexValues != nil
            if field == .httpHeader, hasValues, config.httpHeaderName.isEmpty {
                findings.report("a condition on http-header must name the field", remedy: field.longForm)
                return nil
            }
            return config
        }

        /// The condition with these patterns.
        private func condition(_ config: Config, _ values: [String]) -> Condition {
            switch field {
            case .hostHeader: .hostHeader(values)
            case .pathPattern: .pathPattern(values)
            case .httpHeader: .httpHeader(name: config.httpHeaderName, values)
            case .requestMethod: .requestMethod(values)
            case .queryString: preconditionFailure("condition: a query is of pairs")
            case .sourceIP: .sourceIP(values.compactMap(AddressBlock.init))
            case .serverName: .serverName(values)
            }
        }

        /// The condition with these regular expressions.
        private func condition(_ config: Config, expressions: [String]) -> Condition {
            switch field {
            case .hostHeader: .hostHeaderRegex(expressions)
            case .pathPattern: .pathPatternRegex(expressions)
            default: .httpHeaderRegex(name: config.httpHeaderName, expressions)
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

    /// Whether it has regular expressions.
    fileprivate var hasExpressions: Bool { self == .hostHeader || self == .pathPattern || self == .httpHeader }

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
