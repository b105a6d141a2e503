// How many rules may have a rate limit: each holds memory, which strangers fill.

extension Document {
    /// Reports more rules with a rate limit than there may be.
    func validateRateLimits(_ findings: inout Findings) {
        let count = rateLimitCount
        if count > Limits.rateLimitsMax { findings.tooManyRateLimits(count) }
    }

    /// Reports a change by which `old` rules with a rate limit become `new` ones, if there were too many then.
    func checkRateLimits(_ new: Int, insteadOf old: Int?, _ findings: inout Findings) {
        let added = new - (old ?? 0)
        guard added > 0 else { return }
        let count = rateLimitCount + added
        if count > Limits.rateLimitsMax { findings.tooManyRateLimits(count) }
    }

    private var rateLimitCount: Int { loadBalancers.reduce(0) { $0 + $1.rateLimitCount } }
}

extension LoadBalancer {
    /// How many of its rules have a rate limit.
    var rateLimitCount: Int { listeners.reduce(0) { $0 + $1.rateLimitCount } }
}

extension Listener {
    /// How many of its rules have a rate limit.
    var rateLimitCount: Int { rules.count { $0.rateLimit != nil } }
}

extension Findings {
    fileprivate mutating func tooManyRateLimits(_ count: Int) {
        report(
            "at most \(Limits.rateLimitsMax) rules in all may have apus.rateLimit", found: "\(count)",
            remedy: "Remove some, or let one rule with several path patterns limit what several rules limit now.",
            code: .tooManyRules)
    }
}
