import RegularExpressions

extension Document {
    /// What there is to warn of in the regular expressions of rules: those that need too many steps for some text.
    ///
    /// Each is tried with texts made from it, which takes milliseconds: for `apus check`, and not for a thread that
    /// others wait for.
    /// Limits: `Limits.expressionsTriedMax` expressions; a warning for each listener says how many more it has.
    public func warningsOfExpressions() -> [DocumentWarning] {
        var trials = ExpressionTrials()
        var warnings: [DocumentWarning] = []
        for loadBalancer in loadBalancers {
            for listener in loadBalancer.listeners {
                func warn(_ message: String, _ remedy: String) {
                    warnings.append(
                        DocumentWarning(
                            loadBalancer: loadBalancer.name, port: listener.port, message: message, remedy: remedy))
                }
                for rule in listener.rules {
                    for expression in rule.expressions {
                        guard let finding = trials.finding(expression.pattern, expression.ignoresCase) else { continue }
                        warn(
                            "Rule \(rule.priority) of \(loadBalancer.name):\(listener.port) has the regular expression "
                                + "\(Value.quoted(expression.pattern)), "
                                + "\(finding.consequence(isTransform: expression.isTransform)).", finding.remedy)
                    }
                }
                if let count = trials.takeUntriedCount() {
                    warn(
                        "\(counted(count, "regular expression")) beyond the first "
                            + "\(Limits.expressionsTriedMax): not tried with hostile texts.",
                        "Check files with fewer of them.")
                }
            }
        }
        return warnings
    }
}

/// Tries each expression of a document once, up to a number.
private struct ExpressionTrials {
    private var findings: [String: HostileInputs.Finding?] = [:]
    private var untried: Set<String> = []

    /// What was found, or had been before; nil if nothing was, or if too many were tried.
    mutating func finding(_ pattern: String, _ ignoresCase: Bool) -> HostileInputs.Finding? {
        if let known = findings[pattern] { return known }
        guard findings.count < Limits.expressionsTriedMax else {
            untried.insert(pattern)
            return nil
        }
        let found = HostileInputs.worst(for: pattern, ignoresCase: ignoresCase)
        findings[pattern] = .some(found)
        return found
    }

    /// How many were not tried since the last call; nil for none.
    mutating func takeUntriedCount() -> Int? {
        defer { untried = [] }
        return untried.isEmpty ? nil : untried.count
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
