import RegularExpressions

// How a transform of a rule is written.

extension Transform {
    /// What a transform changes.
    enum Kind: String, Sendable, CaseIterable {
        /// The Host field.
        case hostHeaderRewrite = "host-header-rewrite"
        /// The path and the query.
        case urlRewrite = "url-rewrite"
    }

    /// What this one changes.
    var kind: Kind {
        switch self {
        case .hostHeaderRewrite: .hostHeaderRewrite
        case .urlRewrite: .urlRewrite
        }
    }

    /// What it replaces with what.
    var config: RewriteConfig {
        switch self {
        case .hostHeaderRewrite(let config), .urlRewrite(let config): config
        }
    }

    /// Reads and writes a transform.
    static let codec: Codec<Transform> = Form.description.codec.converted(
        to: { form, findings in form.transform(&findings) }, from: { Form($0) })

    /// The object of one kind of transform, which has a list of one rewrite.
    private struct Rewrites: Sendable {
        /// The rewrites.
        var rewrites: [RewriteConfig] = []

        /// The keys of the object with this name.
        static func description(_ name: String) -> Description<Rewrites> {
            Description(
                name, "what a transform replaces", blank: Rewrites(),
                keys: [
                    Key(
                        "rewrites", \.rewrites, .list(RewriteConfig.description.codec, count: 1...1), required: true,
                        "A list of one rewrite.")
                ])
        }
    }

    /// A transform as it is written.
    private struct Form: Sendable {
        /// What it changes.
        var type = Kind.urlRewrite
        /// For host-header-rewrite.
        var hostHeaderRewriteConfig: Rewrites?
        /// For url-rewrite.
        var urlRewriteConfig: Rewrites?

        /// The keys of a transform.
        static let description = Description(
            "Transform", "a transform", blank: Form(),
            keys: [
                Key(
                    "type", \.type, .word(), required: true,
                    "What it changes of what the target gets: the Host field, or the path with the query."),
                Key(
                    optional: "hostHeaderRewriteConfig", \.hostHeaderRewriteConfig,
                    Rewrites.description("HostHeaderRewriteConfig").codec,
                    "For host-header-rewrite: what is replaced in the host that the request names, in lower case and "
                        + "without port."),
                Key(
                    optional: "urlRewriteConfig", \.urlRewriteConfig, Rewrites.description("UrlRewriteConfig").codec,
                    "For url-rewrite: what is replaced in the path with the query."),
            ])

        /// The form of which nothing has been read.
        init() {}

        /// The form in which a transform is written.
        init(_ transform: Transform) {
            type = transform.kind
            let rewrites = Rewrites(rewrites: [transform.config])
            switch transform {
            case .hostHeaderRewrite: hostHeaderRewriteConfig = rewrites
            case .urlRewrite: urlRewriteConfig = rewrites
            }
        }

        /// The transform that was written; nil after a mistake was reported.
        func transform(_ findings: inout Findings) -> Transform? {
            let configs = [
                (kind: Kind.hostHeaderRewrite, key: "hostHeaderRewriteConfig", rewrites: hostHeaderRewriteConfig),
                (.urlRewrite, "urlRewriteConfig", urlRewriteConfig),
            ]
            if let other = configs.first(where: { $0.rewrites != nil && $0.kind != type }) {
                findings.within(.key(other.key)) { findings in
                    findings.report("\(other.key) does not belong to the type \(type.rawValue)", remedy: "Remove it.")
                }
                return nil
            }
            guard let own = configs.first(where: { $0.kind == type }), let rewrite = own.rewrites?.rewrites.first else {
                let key = type == .urlRewrite ? "urlRewriteConfig" : "hostHeaderRewriteConfig"
                findings.report(
                    "a transform of type \(type.rawValue) must have \(key)",
                    remedy: "Add \(key): {rewrites: [{regex: …, replace: …}]}.")
                return nil
            }
            return type == .urlRewrite ? .urlRewrite(rewrite) : .hostHeaderRewrite(rewrite)
        }
    }
}

extension RewriteConfig {
    /// The keys of a rewrite.
    static let description = Description(
        "RewriteConfig", "a rewrite", blank: RewriteConfig(regex: "", replace: ""),
        keys: [
            Key(
                "regex", \.regex, .regularExpression(length: 1...Limits.rewriteCharactersMax), required: true,
                "The regular expression (PCRE2); without a match the request stays as it is."),
            Key(
                "replace", \.replace, .text(.replacement), required: true,
                "What takes the place of its first match; $1 to $9 are what its groups have captured."),
        ],
        check: { rewrite, findings in rewrite.checkGroups(&findings) })

    /// Reports a group that the regular expression does not have.
    private func checkGroups(_ findings: inout Findings) {
        guard let expression = try? RegularExpression(regex, ignoresCase: false) else { return }
        guard let group = groups(named: replace)?.max(), group > expression.captureCount else { return }
        findings.within(.key("replace")) { findings in
            findings.report(
                "replace must name groups that regex has, which are \(expression.captureCount)", found: "$\(group)",
                remedy: "Put what is to be captured in parentheses, or write $$ for a dollar sign.")
        }
    }
}

/// The groups of a match that `replacement` names, such as `$1` or `${1}`; nil if a `$` stands before something else
/// than a digit, a digit in braces or another `$`.
private func groups(named replacement: String) -> [Int]? {
    var groups: [Int] = []
    var rest = Array(replacement.utf8)[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "$") else { continue }
        guard let next = rest.popFirst() else { return nil }
        if next == UInt8(ascii: "$") { continue }
        let isBraced = next == UInt8(ascii: "{")
        guard let digit = isBraced ? rest.popFirst() : next, (48...57).contains(digit) else { return nil }
        if isBraced, rest.popFirst() != UInt8(ascii: "}") { return nil }
        groups.append(Int(digit) - 48)
    }
    return groups
}

extension TextRule {
    /// What takes the place of a match. Source: ELBv2 RewriteConfig.
    fileprivate static let replacement = TextRule(
        "text of at most 1024 visible characters, where a $ stands before a digit, a digit in braces or another $",
        length: 0...Limits.rewriteCharactersMax, pattern: "^([!-#%-~]|\\$([0-9$]|\\{[0-9]\\}))*$",
        remedy: "Write text such as /v2/$1, and $$ for a dollar sign."
    ) { text in text.utf8.allSatisfy { (0x21...0x7E).contains($0) } && groups(named: text) != nil }
}

extension Rule {
    /// Reports transforms that a rule may not have twice, and those of rules that forward nothing.
    func checkTransforms(_ findings: inout Findings) {
        for (index, transform) in transforms.enumerated()
        where transforms.firstIndex(where: { $0.kind == transform.kind }) != index {
            findings.within([.key("transforms"), .index(index)]) { findings in
                findings.report(
                    "a rule must have at most one transform of a type", found: "a second \(transform.kind.rawValue)",
                    remedy: "Remove one of the two.")
            }
        }
        let forwards = actions.contains { if case .forward = $0 { true } else { false } }
        if !transforms.isEmpty, !forwards {
            findings.within(.key("transforms")) { findings in
                findings.report(
                    "transforms belong to rules that forward to targets",
                    found: "them beside \(actions.map(\.typeName).joined(separator: ", "))",
                    remedy: "Remove them; what other actions answer has fields of its own.",
                    code: .invalidConfigurationRequest)
            }
        }
    }
}
