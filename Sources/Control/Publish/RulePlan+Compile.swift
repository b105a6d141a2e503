import Core
import Model
import Proxy
import Routing

// Compiles the rules of a document into the plans that workers use.

extension RulePlan {
    /// The plan of `rule` for one worker; `groupIDs` has the `GroupPlan.id` of each group, `limiter` the buckets of its
    /// rate limit, if it has one.
    init(_ rule: Rule, _ groupIDs: [String: Int], _ expressions: ExpressionCache, limiter: RateLimiter?) {
        self.init(
            priority: rule.priority, conditions: rule.conditions.map { CompiledCondition($0, expressions) },
            action: ActionPlan(rule.actions, groupIDs), transforms: TransformPlan(rule.transforms, expressions),
            fieldChanges: FieldChangesPlan(rule),
            rateLimit: rule.rateLimit.flatMap { limit in limiter.map { RateLimitPlan(limit.key, $0) } })
    }
}

extension FieldChangesPlan {
    /// The changes of `rule`; nil without any.
    fileprivate convenience init?(_ rule: Rule) {
        if rule.requestHeaders.isEmpty && rule.responseHeaders.isEmpty { return nil }
        self.init(
            request: rule.requestHeaders.map(FieldChangePlan.init),
            response: rule.responseHeaders.map(FieldChangePlan.init))
    }
}

extension FieldChangePlan {
    /// `change` as workers make it.
    fileprivate init(_ change: FieldChange) {
        let action: Action =
            switch change.action {
            case .set: .set
            case .append: .append
            case .remove: .remove
            }
        self.init(action, name: change.name, value: change.value ?? "")
    }
}

/// The buckets of a rule's rate limit, which all workers and all addresses of its listener share. They are kept as long
/// as the limit stays as it is.
struct RuleLimiter {
    /// Whose they are.
    struct Key: Hashable {
        let loadBalancer: String
        /// The port of the listener, of which a load balancer has one.
        let port: Int
        let priority: Int
    }

    /// What they were made for.
    let limit: RateLimit
    let limiter: RateLimiter

    /// The buckets of each rule of `loadBalancers` that has a rate limit: those of `last` where the limit is the same.
    static func limiters(of loadBalancers: [LoadBalancer], last: [Key: RuleLimiter]) -> [Key: RuleLimiter] {
        var limiters: [Key: RuleLimiter] = [:]
        for loadBalancer in loadBalancers {
            for listener in loadBalancer.listeners {
                for rule in listener.rules {
                    guard let limit = rule.rateLimit else { continue }
                    let key = Key(loadBalancer: loadBalancer.name, port: listener.port, priority: rule.priority)
                    if let old = last[key], old.limit == limit {
                        limiters[key] = old
                    } else {
                        limiters[key] = RuleLimiter(limit)
                    }
                }
            }
        }
        return limiters
    }

    private init(_ limit: RateLimit) {
        self.limit = limit
        limiter = RateLimiter(rate: limit.requestsPerSecond, burst: limit.burstOrDefault)
    }
}

extension TransformPlan {
    /// `transforms` as one worker applies them; nil without any.
    fileprivate convenience init?(_ transforms: [Transform], _ expressions: ExpressionCache) {
        var host: HostHeaderRewrite?
        var url: URLRewrite?
        for transform in transforms {
            switch transform {
            case .hostHeaderRewrite(let config):
                host = HostHeaderRewrite(Rewrite(config, ignoresCase: true, expressions))
            case .urlRewrite(let config): url = URLRewrite(Rewrite(config, ignoresCase: false, expressions))
            }
        }
        if host == nil && url == nil { return nil }
        self.init(host: host, url: url)
    }
}

extension Rewrite {
    /// `config` as one worker applies it.
    fileprivate init(_ config: RewriteConfig, ignoresCase: Bool, _ expressions: ExpressionCache) {
        self.init(expressions.copy(of: config.regex, ignoresCase: ignoresCase), replacement: config.replace)
    }
}

extension CompiledCondition {
    /// `condition` as one worker tests it.
    fileprivate init(_ condition: Condition, _ expressions: ExpressionCache) {
        self =
            switch condition {
            case .hostHeader(let values): .hostHeader(HostHeaderCondition(values.map(withoutLastDot)))
            case .hostHeaderRegex(let patterns):
                .hostRegex(HostRegexCondition(patterns.map { expressions.copy(of: $0, ignoresCase: true) }))
            case .pathPattern(let values): .pathPattern(PathPatternCondition(values))
            case .pathPatternRegex(let patterns):
                .pathRegex(PathRegexCondition(patterns.map { expressions.copy(of: $0, ignoresCase: false) }))
            case .httpHeader(let name, let values): .httpHeader(HTTPHeaderCondition(name: name, values))
            case .httpHeaderRegex(let name, let patterns):
                .httpHeaderRegex(
                    HTTPHeaderRegexCondition(
                        name: name, patterns.map { expressions.copy(of: $0, ignoresCase: true) }))
            case .requestMethod(let methods): .requestMethod(RequestMethodCondition(methods))
            case .queryString(let pairs): .queryString(QueryStringCondition(pairs.map { ($0.key, $0.value) }))
            case .sourceFamily(let family): .sourceFamily(SourceFamilyCondition(family == .ipv4 ? .ipv4 : .ipv6))
            case .sourceIP(let blocks): .sourceIP(SourceIPCondition(blocks.map(AddressRange.init)))
            case .serverName(let values): .serverName(ServerNameCondition(values.map(withoutLastDot)))
            }
    }
}

/// The pattern without the dot that may end a complete name: `hostName` in Proxy removes that dot before rules are
/// tested. After a wildcard the dot stays, or `*.` would match every name.
private func withoutLastDot(_ pattern: String) -> String {
    guard pattern.hasSuffix("."), let before = pattern.dropLast().last, before != "*", before != "?" else {
        return pattern
    }
    return String(pattern.dropLast())
}

extension ActionPlan {
    /// The one action of a rule, or a listener's default.
    init(_ actions: [Action], _ groupIDs: [String: Int]) {
        guard let action = actions.first else { preconditionFailure("publisher: a valid document has an action here") }
        switch action {
        case .forward(let forward):
            self = .forward(
                ForwardPlan(
                    groups: forward.targetGroups.map { target in
                        guard let id = groupIDs[target.targetGroupName] else {
                            preconditionFailure("publisher: no group \(target.targetGroupName)")
                        }
                        return id
                    }, weights: forward.targetGroups.map(\.weight), isSticky: forward.stickiness.isEnabled,
                    stickinessSeconds: UInt32(forward.stickiness.durationSeconds ?? 0),
                    cohorts: forward.cohorts.map {
                        CohortPlan($0, groups: forward.targetGroups.map(\.targetGroupName))
                    }))
        case .fixedResponse(let response):
            let body = response.messageBody ?? ""
            // Source: ELBv2 FixedResponseActionConfig; RFC 9110 §15.3.5.
            let contentType = response.contentType ?? (response.statusCode == 204 ? "" : "text/plain")
            self = .fixedResponse(
                FixedResponsePlan(
                    status: UInt16(response.statusCode), contentType: Array(contentType.utf8), body: Array(body.utf8)))
        case .redirect(let redirect):
            let template = RedirectTemplate(
                scheme: redirect.protocol, host: redirect.host, port: redirect.port, path: redirect.path,
                query: redirect.query)
            self = .redirect(RedirectPlan(status: redirect.statusCode == .found ? 302 : 301, template: template))
        }
    }
}
