extension Action {
    /// Reads and writes an action, in the form that it has in the file.
    static let codec: Codec<Action> = Form.description.codec.converted(
        to: { form, findings in form.action(&findings) }, from: { Form($0) })

    /// Which of its keys have no effect.
    func keysWithoutEffect(of kind: LoadBalancer.Kind) -> [String] {
        Form.description.keysWithoutEffect(in: Form(self), of: kind)
    }

    /// Keys of ELBv2 that are accepted but have no effect in this version, with their values as written.
    private var withoutEffect: [String: Value] {
        get {
            switch self {
            case .forward(let forward): forward.withoutEffect
            case .fixedResponse(let response): response.withoutEffect
            case .redirect(let redirect): redirect.withoutEffect
            }
        }
        set {
            switch self {
            case .forward(var forward):
                forward.withoutEffect = newValue
                self = .forward(forward)
            case .fixedResponse(var response):
                response.withoutEffect = newValue
                self = .fixedResponse(response)
            case .redirect(var redirect):
                redirect.withoutEffect = newValue
                self = .redirect(redirect)
            }
        }
    }

    /// The places an action may have among others. Source: ELBv2 Action.
    static let orders = 1...50_000

    /// Its place among the actions of its list; nil if it was not given.
    fileprivate var order: Int? { withoutEffect["order"]?.int }

    /// Reads and writes the actions of a rule, or of a listener: in the order of their places, and of those just the
    /// last one says where requests go.
    static let listCodec = Codec<[Action]>.list(codec, count: 1...Limits.actionsMax, code: .tooManyActions)
        .converted(
            to: { actions, findings in
                let before = findings.errors.count
                actions.checkOrder(&findings)
                return findings.errors.count == before ? actions : nil
            }, from: { $0 })

    /// Its type as the file names it.
    var typeName: String { Form(self).type.rawValue }

    /// What an action does.
    private enum Kind: String, Sendable, CaseIterable {
        /// To a target.
        case forward
        /// Answers here.
        case fixedResponse = "fixed-response"
        /// Sends the client elsewhere.
        case redirect
    }

    /// An action as it is written: its type, and an object with what that type needs.
    private struct Form: Sendable {
        /// What it does.
        var type = Kind.forward
        /// The short form of a forward action to one group.
        var targetGroupName: String?
        /// What a forward action needs.
        var forwardConfig: ForwardAction?
        /// What a fixed response needs.
        var fixedResponseConfig: FixedResponse?
        /// What a redirect needs.
        var redirectConfig: Redirect?
        /// Its place among the actions of its list.
        var order: Int?
        /// Keys that are accepted but have no effect.
        var withoutEffect: [String: Value] = [:]

        /// The keys of an action.
        static let description = Description(
            "Action", "an action", blank: Form(),
            keys: [
                Key(
                    "type", \.type, .word(refused: ["authenticate-oidc", "authenticate-cognito", "jwt-validation"]),
                    required: true, "What is done: forward to a target, answer here, or send the client elsewhere."),
                Key(
                    optional: "targetGroupName", \.targetGroupName, .text(.name),
                    "For forward: the target group, when it is only one."),
                Key(
                    optional: "forwardConfig", \.forwardConfig, ForwardAction.description.codec,
                    "For forward: target groups with weights."),
                Key(
                    optional: "fixedResponseConfig", \.fixedResponseConfig, FixedResponse.description.codec,
                    "For fixed-response: the answer."),
                Key(
                    optional: "redirectConfig", \.redirectConfig, Redirect.description.codec,
                    "For redirect: where the client is sent."),
                Key(
                    optional: "order", \.order, .integer(Action.orders),
                    "Its place among the actions of the list, the lowest first."),
            ],
            refused: [
                RefusedKey("targetGroupArn"), RefusedKey("authenticateOidcConfig"),
                RefusedKey("authenticateCognitoConfig"), RefusedKey("jwtValidationConfig"),
            ], withoutEffect: \Form.withoutEffect)

        /// An empty form, before any key was read.
        init() {}

        /// The form in which an action is written.
        init(_ action: Action) {
            withoutEffect = action.withoutEffect
            order = withoutEffect.removeValue(forKey: "order")?.int
            switch action {
            case .forward(let forward): (type, forwardConfig) = (.forward, forward)
            case .fixedResponse(let response): (type, fixedResponseConfig) = (.fixedResponse, response)
            case .redirect(let redirect): (type, redirectConfig) = (.redirect, redirect)
            }
        }

        /// The action that was written; nil after a mistake was reported.
        func action(_ findings: inout Findings) -> Action? {
            let given: [(key: String, isGiven: Bool, belongsTo: Kind)] = [
                ("targetGroupName", targetGroupName != nil, .forward),
                ("forwardConfig", forwardConfig != nil, .forward),
                ("fixedResponseConfig", fixedResponseConfig != nil, .fixedResponse),
                ("redirectConfig", redirectConfig != nil, .redirect),
            ]
            for part in given where part.isGiven && part.belongsTo != type {
                findings.within(.key(part.key)) { findings in
                    findings.report(
                        "\(part.key) does not belong to the type \(type.rawValue)",
                        remedy: "Remove it, or write type: \(part.belongsTo.rawValue).",
                        code: .invalidLoadBalancerAction)
                }
                return nil
            }
            var action: Action? =
                switch type {
                case .forward: forward(&findings).map(Action.forward)
                case .fixedResponse:
                    need(fixedResponseConfig, "fixedResponseConfig", &findings).map(Action.fixedResponse)
                case .redirect: need(redirectConfig, "redirectConfig", &findings).map(Action.redirect)
                }
            action?.withoutEffect = withoutEffect
            if let order { action?.withoutEffect["order"] = .int(order) }
            return action
        }

        private func need<Part>(_ part: Part?, _ key: String, _ findings: inout Findings) -> Part? {
            if part == nil {
                findings.report(
                    "an action of type \(type.rawValue) must have the key \(key)", remedy: "Add \(key).",
                    code: .invalidLoadBalancerAction)
            }
            return part
        }

        private func forward(_ findings: inout Findings) -> ForwardAction? {
            guard let name = targetGroupName else {
                return need(forwardConfig, "targetGroupName or forwardConfig", &findings)
            }
            guard let config = forwardConfig else {
                return ForwardAction(targetGroups: [WeightedTargetGroup(targetGroupName: name)])
            }
            guard config.targetGroups.map(\.targetGroupName) == [name] else {
                findings.within(.key("targetGroupName")) { findings in
                    findings.report(
                        "targetGroupName and forwardConfig must name the same single group", found: Value.quoted(name),
                        remedy: "Remove targetGroupName.", code: .invalidLoadBalancerAction)
                }
                return nil
            }
            return config
        }
    }
}

extension ForwardAction {
    /// The keys of `forwardConfig`.
    static let description = Description(
        "ForwardConfig", "the target groups of a forward action", blank: ForwardAction(targetGroups: []),
        keys: [
            Key(
                "targetGroups", \.targetGroups,
                .list(WeightedTargetGroup.description.codec, count: 1...Limits.forwardTargetGroupsMax), required: true,
                "The groups among which requests are divided by weight."),
            Key(
                "targetGroupStickinessConfig", \.stickiness, TargetGroupStickiness.description.codec,
                "Whether clients stay with their group."),
            Key(
                optional: "apus.cohorts", \.cohorts, Cohorts.description.codec,
                "How users are divided by weight, instead of requests: each stays with a group, and a group that gets "
                    + "more weight keeps its users."),
        ],
        check: { forward, findings in
            forward.checkPins(&findings)
            var seen: Set<String> = []
            for (index, group) in forward.targetGroups.enumerated() where !seen.insert(group.targetGroupName).inserted {
                findings.within(.key("targetGroups")) { findings in
                    findings.within(.index(index)) { findings in
                        findings.report(
                            "each target group must stand once", found: Value.quoted(group.targetGroupName),
                            remedy: "Add its weights up in one place.")
                    }
                }
            }
        })
}

extension ForwardAction {
    /// Reports pins of groups that the action does not have, and too many.
    fileprivate func checkPins(_ findings: inout Findings) {
        guard let pins = cohorts?.pins, !pins.isEmpty else { return }
        findings.within([.key("apus.cohorts"), .key("pins")]) { findings in
            let count = pins.values.reduce(0) { $0 + $1.count }
            if count > Limits.cohortPinsMax {
                findings.report(
                    "pins must be at most \(Limits.cohortPinsMax)", found: "\(count)", remedy: "Remove some.")
            }
            let names = targetGroups.map(\.targetGroupName)
            for name in pins.keys.sorted() where !names.contains(name) {
                findings.within(.key(name)) { findings in
                    findings.report(
                        "pins must be of the groups of the action", found: Value.quoted(name),
                        remedy: "Write \(Shape.alternatives(names)).")
                }
            }
        }
    }
}

extension Cohorts {
    /// The keys of `apus.cohorts`.
    static let description = Description(
        "Cohorts", "the cohorts of a forward action", blank: Cohorts(),
        keys: [
            Key(
                "key", \.key, .hashKey,
                "What tells users apart; a request that lacks the field or the cookie counts for its client's "
                    + "address."),
            Key("salt", \.salt, .text(.cohortSalt), "Text that makes the division another one than others."),
            Key(
                "pins", \.pins, .map(.list(.text(.cohortPin), count: 1...Limits.cohortPinsMax)),
                "Values of the key that are of a group whatever the weights, by the name of the group."),
        ])
}

extension TextRule {
    /// Text that is hashed with the key of cohorts.
    fileprivate static let cohortSalt = TextRule(
        "text of at most 64 visible characters", length: 0...64, pattern: "^[!-~]*$", remedy: "Write a shorter text."
    ) { $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } }

    /// A value of the key of cohorts.
    fileprivate static let cohortPin = TextRule(
        "a value of 1 to 256 visible characters", length: 1...256, pattern: "^[ -~]+$",
        remedy: "Write the value as requests have it."
    ) { $0.utf8.allSatisfy { (0x20...0x7E).contains($0) } }
}

extension TargetGroupStickiness {
    /// The keys of `targetGroupStickinessConfig`.
    static let description = Description(
        "TargetGroupStickinessConfig", "the stickiness of a forward action", blank: TargetGroupStickiness(),
        keys: [
            Key(
                "enabled", \.isEnabled, .bool,
                "Whether clients stay with their group: by a cookie, or by their address on network load balancers."),
            Key(
                optional: "durationSeconds", \.durationSeconds,
                .integer(StickinessAttributes.seconds, unit: "seconds"),
                "For how long after its last response a client stays with its group; required by stickiness on "
                    + "application load balancers, which alone have it."),
        ])
}

extension WeightedTargetGroup {
    /// The weights a group may have. Source: ELBv2 TargetGroupTuple.
    static let weights = 0...999

    /// The keys of one group in `forwardConfig`.
    static let description = Description(
        "WeightedTargetGroup", "a target group with its weight", blank: WeightedTargetGroup(targetGroupName: ""),
        keys: [
            Key("targetGroupName", \.targetGroupName, .text(.name), required: true, "Name of the group."),
            Key(
                "weight", \.weight, .integer(weights),
                "Its share of the requests is this over the sum of the weights; 0 is none."),
        ],
        refused: [RefusedKey("targetGroupArn")])
}

extension FixedResponse {
    /// The content types that an answer may have. Source: ELBv2 FixedResponseActionConfig.
    private enum ContentType: String, Sendable, CaseIterable {
        /// Text.
        case plain = "text/plain"
        /// A style sheet.
        case css = "text/css"
        /// A page.
        case html = "text/html"
        /// A script.
        case javascript = "application/javascript"
        /// Data.
        case json = "application/json"
    }

    /// The keys of `fixedResponseConfig`.
    static let description = Description(
        "FixedResponseConfig", "a fixed response", blank: FixedResponse(statusCode: 0),
        keys: [
            Key(
                "statusCode", \.statusCode,
                Codec.digits(200...599).converted(
                    to: { code, findings in
                        if code / 100 != 3 { return code }
                        findings.report(
                            "statusCode must be 2xx, 4xx or 5xx", found: "\(code)",
                            remedy: "Use an action of type redirect to send clients elsewhere.")
                        return nil
                    }, from: { $0 }), required: true, "Status code of the answer: 2xx, 4xx or 5xx."),
            Key(
                optional: "contentType", \.contentType,
                Codec<ContentType>.word().converted(
                    to: { type, _ in type.rawValue }, from: { ContentType(rawValue: $0) ?? .plain }),
                "Content type of the answer; text/plain when it is not given."),
            Key(optional: "messageBody", \.messageBody, .text(.fixedBody), "Body of the answer."),
        ])
}

extension Redirect {
    /// The keys of `redirectConfig`. Source: ELBv2 RedirectActionConfig.
    static let description = Description(
        "RedirectConfig", "a redirect", blank: Redirect(statusCode: .movedPermanently),
        keys: [
            Key(
                "statusCode", \.statusCode, .word(), required: true,
                "Whether the redirect is permanent (301) or temporary (302)."),
            Key(
                "protocol", \.protocol,
                Codec<Scheme>.word().converted(
                    to: { scheme, _ in scheme.rawValue }, from: { Scheme(rawValue: $0) ?? .same }),
                "The protocol; as the request's when it is not given."),
            Key("host", \.host, .text(hostRule), "The host; as the request's when it is not given."),
            Key("port", \.port, portCodec, "The port; as the request's when it is not given."),
            Key("path", \.path, .text(pathRule), "The path; #{path} lacks its leading slash."),
            Key("query", \.query, .text(queryRule), "The query, without the question mark."),
        ],
        check: { redirect, findings in
            let same = Redirect(statusCode: redirect.statusCode, query: redirect.query)
            if redirect == same {
                findings.report(
                    "a redirect must change the protocol, the host, the port or the path",
                    remedy: "Add one of them, or clients would come back forever.", code: .invalidLoadBalancerAction)
            }
        })

    private enum Scheme: String, Sendable, CaseIterable {
        /// Without TLS.
        case http = "HTTP"
        /// With TLS.
        case https = "HTTPS"
        /// The request's own.
        case same = "#{protocol}"
    }

    private static let hostRule = TextRule.redirect(
        "a host of 1 to 128 letters, digits, hyphens and dots", length: 1...128, placeholders: ["host"],
        remedy: "Write a host such as www.example.com, or www.#{host}."
    ) { $0.utf8.allSatisfy { TextRule.isAlphanumeric($0) || "-.".utf8.contains($0) } }

    private static let pathRule = TextRule.redirect(
        "a path of 1 to 128 visible characters that begins with a slash", length: 1...128,
        placeholders: ["host", "port", "path"], remedy: "Write a path such as /new/#{path}."
    ) { $0.hasPrefix("/") && !$0.contains("?") }

    private static let queryRule = TextRule.redirect(
        "a query of at most 128 visible characters", length: 0...128,
        placeholders: ["protocol", "host", "port", "path", "query"],
        remedy: "Write a query such as from=#{host}&#{query}."
    ) { !$0.hasPrefix("?") }

    /// A port as text or number, or `#{port}`.
    private static let portCodec = Codec<String>(
        shape: .either(Codec.digits(1...65535).shape, .word(["#{port}"])),
        decode: { value, findings in
            value.string == "#{port}" ? value.string : Codec.digits(1...65535).decode(value, &findings).map(String.init)
        },
        encode: { port in Int(port).map { .int($0) } ?? .string(port) })
}

extension [Action] {
    /// Reports places that are not unique, and lists of which not just one action says where requests go.
    fileprivate func checkOrder(_ findings: inout Findings) {
        guard count > 1 else { return }
        let before = findings.errors.count
        for (index, action) in enumerated() {
            guard let order = action.order, firstIndex(where: { $0.order == order }) != index else { continue }
            findings.within([.index(index), .key("order")]) { findings in
                findings.report(
                    "order must be unique among the actions of a list", found: "a second \(order)",
                    remedy: "Choose another.", code: .invalidLoadBalancerAction)
            }
        }
        guard findings.errors.count == before else { return }
        // All types that this version has are such: others are refused where they are read.
        findings.report(
            "\(findings.subject) must have exactly one action of type forward, redirect or fixed-response, as the last",
            found: map(\.typeName).joined(separator: ", "),
            remedy: "Remove the others; forwardConfig names several groups in one action.", code: .tooManyActions)
    }
}
