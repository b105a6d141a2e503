import RegularExpressions

extension Document {
    /// What there is to warn of in the regular expressions of rules: those that need too many steps for some text.
    ///
    /// Each is tried with texts made from it, which takes milliseconds: for `apus check`, and not for a thread that
    /// others wait for.
    /// Limits: `Limits.expressionsTriedMax` expressions; more are not tried.
    public func warningsOfExpressions() -> [DocumentWarning] {
        var warnings: [DocumentWarning] = []
        var tried: [String: HostileInputs.Finding?] = [:]
        for loadBalancer in loadBalancers {
            for listener in loadBalancer.listeners {
                for rule in listener.rules {
                    for (pattern, ignoresCase) in rule.expressions {
                        if tried[pattern] == nil {
                            guard tried.count < Limits.expressionsTriedMax else { continue }
                            tried[pattern] = .some(HostileInputs.worst(for: pattern, ignoresCase: ignoresCase))
                        }
                        guard let finding = tried[pattern] ?? nil else { continue }
                        warnings.append(
                            DocumentWarning(
                                loadBalancer: loadBalancer.name, port: listener.port,
                                message:
                                    "Rule \(rule.priority) of \(loadBalancer.name):\(listener.port) has the regular "
                                    + "expression \(Value.quoted(pattern)), \(finding.consequence).",
                                remedy: "Write it without a repetition inside another and without repetitions side by "
                                    + "side that match the same, or begin it with ^."))
                    }
                }
            }
        }
        return warnings
    }
}

extension HostileInputs.Finding {
    /// What becomes of requests with the text.
    fileprivate var consequence: String {
        let text = "a text of \(byteCount) bytes with \(Value.quoted(repeated)) again and again"
        return isRefused
            ? "which tries too much for \(text): such requests are refused with 500 RegexLimit"
            : "which tries much for \(text): such requests cost a worker milliseconds"
    }
}

extension Rule {
    /// The regular expressions of its conditions and transforms, and whether each is matched without regard to case.
    fileprivate var expressions: [(pattern: String, ignoresCase: Bool)] {
        conditions.flatMap { condition -> [(pattern: String, ignoresCase: Bool)] in
            switch condition {
            case .hostHeaderRegex(let patterns), .httpHeaderRegex(_, let patterns): patterns.map { ($0, true) }
            case .pathPatternRegex(let patterns): patterns.map { ($0, false) }
            default: []
            }
        }
            + transforms.map { transform in
                (transform.config.regex, transform.kind == .hostHeaderRewrite)
            }
    }
}
