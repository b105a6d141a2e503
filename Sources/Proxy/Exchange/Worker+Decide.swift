import Core
import HTTP1
import TLS
import Routing

extension Worker {
    /// Decides what the listener's rules say about a request, and does it.
    mutating func decide(_ exchange: Exchange) {
        removeSpoofedFields(exchange.request, exchange.client.listener)
        switch decision(exchange) {
        case .tooManyForwardedAddresses: answer(exchange, status: 463, reasonCode: "TooManyForwardedAddresses")
        case .misdirected: answer(exchange, status: 421, reasonCode: "HostIsNotServerName")
        case .ambiguousPath:
            countRefusal(.ambiguousPath)
            answer(
                exchange, status: Violation.ambiguousPath.status, reasonCode: Violation.ambiguousPath.reasonCode)
        case .regexLimit(let rule):
            exchange.record.matchedRule = .priority(UInt32(exchange.client.listener.plan.rules[rule].priority))
            counters.regexLimits.add()
            answer(exchange, status: 500, reasonCode: "RegexLimit")
        case .apply(let rule): apply(rule, to: exchange)
        }
    }

    private func decision(_ exchange: Exchange) -> Decision {
        let client = exchange.client
        let plan = client.listener.plan
        let request = exchange.request
        let host = request.host
        // There is no answer yet, so nothing of it is written over in `response`.
        guard let tls = client.tls else {
            return plan.decide(
                request, host: host, from: ClientFacts(client.address), scratch: response, in: resources.matchSpace)
        }
        let facts = ClientFacts(client.address, authentication: tls.authentication, serverName: tls.serverName)
        return plan.decide(request, host: host, from: facts, scratch: response, in: resources.matchSpace)
    }

    /// Does what the rule with this index says; nil stands for the default action.
    private mutating func apply(_ rule: Int?, to exchange: Exchange) {
        let listener = exchange.client.listener
        let action: WorkerListener.Action
        if let rule {
            exchange.record.matchedRule = .priority(UInt32(listener.plan.rules[rule].priority))
            counters.ruleEvaluations.add(UInt64(rule + 1))
            action = listener.actions[rule]
        } else {
            exchange.record.matchedRule = .standard
            counters.ruleEvaluations.add(UInt64(listener.plan.rules.count))
            action = listener.actions[listener.actions.count - 1]
        }
        if listener.plan.hasFieldChanges, let rule, let plan = listener.plan.rules[rule].fieldChanges,
            !makeFieldChanges(exchange, by: plan)
        {
            return
        }
        if !listener.plan.rateLimits.isEmpty, let rule, let limit = listener.plan.rateLimits[rule],
            !admit(exchange, by: limit)
        {
            return
        }
        if listener.plan.hasTransforms, let rule, let plan = listener.plan.rules[rule].transforms,
            !transform(exchange, by: plan)
        {
            return
        }
        guard hasRoomForFieldChanges(exchange) else { return }
        switch action {
        case .forward(let forward): self.forward(exchange, forward)
        case .fixedResponse(let plan): answerFixed(exchange, plan)
        case .redirect(let plan): answerRedirect(exchange, plan)
        }
    }

    /// Whether the rate limit of a rule admits a request. If not, it is answered.
    private mutating func admit(_ exchange: Exchange, by limit: RateLimitPlan) -> Bool {
        let hash = limit.key.limitHash(exchange.request, client: exchange.client.address)
        guard case .rejected(let wait) = limit.limiter.admit(hash, now: now) else { return true }
        counters.rateLimited.add()
        let seconds = max(1, (wait + 999_999_999) / 1_000_000_000)
        answer(exchange, status: 429, reasonCode: "RateLimited", retryAfter: seconds)
        return false
    }

    /// Counts a request that is refused for what is wrong with it.
    mutating func countRefusal(_ violation: Violation) {
        counters.nonCompliantRequests.add()
        if violation == .ambiguousPath { counters.ambiguousPathRequests.add() }
    }

    private mutating func forward(_ exchange: Exchange, _ forward: Forward) {
        exchange.record.action = .forward
        exchange.stickiness.remembersGroup = forward.plan.isSticky
        let bound = forward.plan.isSticky ? boundGroup(exchange, forward) : nil
        guard let group = bound ?? next(exchange, forward) else {
            return answer(exchange, status: 503, reasonCode: "NoWeightedTargetGroup")
        }
        exchange.group = group
        guard mayGo(exchange, to: group) else {
            return answer(exchange, status: 464, reasonCode: "ProtocolMismatch")
        }
        self.forward(exchange)
    }

    /// The group whose turn it is, or the one that the user belongs to.
    private func next(_ exchange: Exchange, _ forward: Forward) -> Group? {
        guard let cohorts = forward.plan.cohorts else { return forward.next() }
        exchange.tellsCohort = true
        return forward.next(exchange.request, client: exchange.client.address, by: cohorts)
    }

    /// Sends the exchange to a target of its group, unless its client has its share of connections to targets, or no
    /// descriptor is left: then it is resumed once that has changed.
    mutating func forward(_ exchange: Exchange) {
        guard let group = exchange.group else { preconditionFailure("exchange: forwarded to no group") }
        // Streams to a target of HTTP/2 share connections.
        if group.plan.version == .http1 {
            guard takeTargetShare(exchange) else { return }
            // An idle connection may serve it; if none does, one is closed for it.
            let mayReuse = counters.targetConnectionsIdle.value > 0
            guard mayReuse || hasDescriptor() else { return awaitDescriptor(exchange) }
        }
        exchange.hash = group.plan.settings.hashKey?.hash(exchange.request, client: exchange.client.address) ?? 0
        exchange.stickiness.isOn = group.isSticky || exchange.stickiness.remembersGroup
        // Who has waited was bound before.
        let bound = group.isSticky && exchange.slot == nil ? boundTarget(exchange, group) : nil
        guard let pool = takeTarget(exchange, group, only: bound) else { return }
        send(exchange, group, to: pool)
    }

    /// Makes the first attempt of an exchange, which has begun (`Group.take`), on a target.
    private mutating func send(_ exchange: Exchange, _ group: Group, to pool: TargetPool) {
        group.retryBudget.noteRequest(now: now)
        counters.requestsForwarded.add()
        handle(exchange, .forwarded)
        group.plan.counters.requests.add()
        group.plan.counters.requestsActive.add()
        if group.isFailOpen {
            counters.failOpenRequests.add()
            group.plan.counters.failOpenRequests.add()
        }
        sendContinue(exchange)
        attempt(exchange, on: pool)
    }

    /// Answers `Expect: 100-continue` at this hop, unless the body is on its way already. RFC 9110 §10.1.1.
    private mutating func sendContinue(_ exchange: Exchange) {
        let client = exchange.client
        guard exchange.facts.expectsContinue, client.inbound?.isEmpty ?? true else { return }
        client.outboundBuffer(&resources).append("HTTP/1.1 100 Continue\r\n\r\n")
        _ = client.flushOutbound(&resources)  // a dead connection is noticed by the next read
    }
}
