import RegularExpressions

extension Document {
    /// What there is to warn of in the regular expressions of rules: those that need too many steps for some text.
    ///
    /// Each is tried with texts made from it, which takes milliseconds: for `apus check`, and not for a thread that
    /// others wait for.
    /// Limits: `Limits.expressionsTriedMax` expressions; the last warning says how many were not tried.
    public func warningsOfExpressions() -> [DocumentWarning] {
        var warnings: [DocumentWarning] = []
        var tried: [String: HostileInputs.Finding?] = [:]
        var untried: Set<String> = []
        var last: (loadBalancer: String, port: Int)?
        for loadBalancer in loadBalancers {
            for listener in loadBalancer.listeners {
                for rule in listener.rules {
                    for expression in rule.expressions {
                        let pattern = expression.pattern
                        if tried[pattern] == nil {
                            guard tried.count < Limits.expressionsTriedMax else {
                                untried.insert(pattern)
                                last = (loadBalancer.name, listener.port)
                                continue
                            }
                            tried[pattern] = .some(
                                HostileInputs.worst(for: pattern, ignoresCase: expression.ignoresCase))
                        }
                        guard let finding = tried[pattern] ?? nil else { continue }
                        warnings.append(
                            DocumentWarning(
                                loadBalancer: loadBalancer.name, port: listener.port,
                                message:
                                    "Rule \(rule.priority) of \(loadBalancer.name):\(listener.port) has the regular "
                                    + "expression \(Value.quoted(pattern)), "
                                    + "\(finding.consequence(isTransform: expression.isTransform)).",
                                remedy: finding.remedy))
                    }
                }
            }
        }
        if let last {
            warnings.append(
                DocumentWarning(
                    loadBalancer: last.loadBalancer, port: last.port,
                    message: "\(counted(untried.count, "regular expression")) beyond the first "
                        + "\(Limits.expressionsTriedMax): not tried with hostile texts.",
                    remedy: "Check files with fewer of them."))
        }
        return warnings
    }
}

extension HostileInputs.Finding {
    /// What becomes of requests with the text.
    fileprivate func consequence(isTransform: Bool) -> String {
        let text = "a text of \(byteCount) bytes with \(Value.quoted(repeated)) again and again"
        return isRefused
            ? "which tries too much for \(text): such requests are refused with 500 "
                + (isTransform ? "TransformReplaceError" : "RegexLimit")
            : "which tries much for \(text): such requests cost a worker milliseconds"
    }

    fileprivate var remedy: String {
        "Write it without a repetition inside another and without repetitions side by side that match the same"
            + (isAnchored ? "." : ", or begin it with ^.")
    }
}

extension Rule {
    /// The regular expressions of its conditions and transforms, and whether each is matched without regard to case.
    fileprivate var expressions: [(pattern: String, ignoresCase: Bool, isTransform: Bool)] {
        conditions.flatMap { condition -> [(pattern: String, ignoresCase: Bool, isTransform: Bool)] in
            switch condition {
            case .hostHeaderRegex(let patterns), .httpHeaderRegex(_, let patterns): patterns.map { ($0, true, false) }
            case .pathPatternRegex(let patterns): patterns.map { ($0, false, false) }
            default: []
            }
        }
            + transforms.map { ($0.config.regex, $0.kind == .hostHeaderRewrite, true) }
    }
}
