import Core
import HTTP1
import TLS
import Routing

extension Worker {
    /// Finds the rule of a request and does what it says.
    mutating func decide(_ exchange: Exchange) {
        let listener = exchange.client.listener
        let request = exchange.request
        if forwardedAddressCount(request) > Limits.forwardedAddressesMax {
            return answer(exchange, status: 463, reasonCode: "TooManyForwardedAddresses")
        }
        let host = hostForRouting(request)
        if isMisdirected(exchange, request.bytes(host)) {
            return answer(exchange, status: 421, reasonCode: "HostIsNotServerName")
        }
        let rule = listener.plan.rules.firstMatch(host: request.bytes(host), path: request.bytes(request.path))
        // Whoever asks in two ways at once gets neither: the target would find what the rule for it keeps away.
        if request.isPathAmbiguous, isAmbiguous(exchange, host, rule) {
            countRefusal(.ambiguousPath)
            return answer(
                exchange, status: Violation.ambiguousPath.status, reasonCode: Violation.ambiguousPath.reasonCode)
        }
        let action: Listener.Action
        if let rule {
            exchange.record.matchedRule = .priority(UInt32(listener.plan.priorities[rule]))
            counters.ruleEvaluations.add(UInt64(rule + 1))
            action = listener.actions[rule]
        } else {
            exchange.record.matchedRule = .standard
            counters.ruleEvaluations.add(UInt64(listener.plan.priorities.count))
            action = listener.actions[listener.actions.count - 1]
        }
        switch action {
        case .forward(let forward): self.forward(exchange, forward)
        case .fixedResponse(let plan): answerFixed(exchange, plan)
        case .redirect(let plan): answerRedirect(exchange, plan)
        }
    }

    /// Whether targets may read the path as one for which another rule was made.
    private func isAmbiguous(_ exchange: Exchange, _ host: ByteRange, _ rule: Int?) -> Bool {
        let request = exchange.request
        // There is no answer yet, so nothing of it is written over.
        return exchange.client.listener.plan.rules.isAmbiguous(
            host: request.bytes(host), path: request.bytes(request.path), matched: rule, scratch: response)
    }

    /// Counts a request that is refused for what is wrong with it.
    mutating func countRefusal(_ violation: Violation) {
        counters.nonCompliantRequests.add()
        if violation == .ambiguousPath { counters.ambiguousPathRequests.add() }
    }

    /// A client that has shown a certificate for one name must not reach what another name guards with its own.
    /// Source: docs/elbv2.md, "Client certificates"; RFC 9110 §15.5.20.
    private func isMisdirected(_ exchange: Exchange, _ host: Span<UInt8>) -> Bool {
        let client = exchange.client
        guard let tls = client.tls else { return false }
        // Who came in before clients had to be verified has to come again.
        if client.listener.tls?.authentication == .verify && tls.authentication != .verify { return true }
        return tls.authentication != .off && !tls.serverName.isEmpty && !tls.serverName.equalsIgnoringCase(host)
    }

    private mutating func forward(_ exchange: Exchange, _ forward: Forward) {
        exchange.record.action = .forward
        guard let group = forward.next() else {
            return answer(exchange, status: 503, reasonCode: "NoWeightedTargetGroup")
        }
        exchange.group = group
        let request = exchange.request
        let isPOST = request.bytes(request.method).equals("POST")
        guard RequestProtocol(request).mayGo(to: group.plan.version, isPOST: isPOST) else {
            return answer(exchange, status: 464, reasonCode: "ProtocolMismatch")
        }
        self.forward(exchange)
    }

    /// Sends the exchange to a target of its group, unless its client has its share of connections to targets, or no
    /// descriptor is left: then it goes on once that has changed.
    mutating func forward(_ exchange: Exchange) {
        guard let group = exchange.group else { preconditionFailure("exchange: forwarded to no group") }
        // Streams to a target of HTTP/2 share connections.
        if group.plan.version == .http1 {
            guard exchange.client.mayTakeTarget(exchange, &self) else { return }
            // An idle connection may serve it; if none does, one is closed for it.
            let mayReuse = counters.targetConnectionsIdle.value > 0
            guard mayReuse || hasDescriptor() else { return awaitDescriptor(exchange) }
        }
        guard let pool = group.pick(now: now) else { return answer(exchange, status: 503, reasonCode: "NoTargets") }
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
        outbound(of: client).append("HTTP/1.1 100 Continue\r\n\r\n")
        _ = client.flush(&self)  // a dead connection is noticed by the next read
    }

    /// The host's name in lower case: in the arena, where it need not be copied again for each rule.
    private func hostForRouting(_ request: Head) -> ByteRange {
        let authority = hostName(request.bytes(request.authority), in: request.authority)
        let bytes = request.bytes(authority)
        for index in 0..<bytes.count where bytes[index] != bytes[index].lowercased {
            return request.appendLowercased(authority)
        }
        return authority
    }

    private func forwardedAddressCount(_ request: Head) -> Int {
        var total = 0
        var next = request.firstField(.xForwardedFor)
        while let index = next {
            let value = request.bytes(request.field(index).value)
            total += 1
            for position in 0..<value.count where value[position] == .comma { total += 1 }
            next = request.firstField(.xForwardedFor, from: index + 1)
        }
        return total
    }
}

/// The part of an authority before its port. Source: RFC 3986 §3.2.
func hostRange(_ authority: Span<UInt8>, in range: ByteRange) -> ByteRange {
    var index = authority.count
    while index > 0 {
        index -= 1
        if authority[index] == .colon { return ByteRange(start: range.start, count: index) }
        guard authority[index].isDigit else { break }
    }
    return range
}

/// The host that an authority names, as rules and TLS know it: without port, and without the dot at the end that says
/// that a name is complete. SNI and certificates never have that dot. Source: RFC 6066 §3; RFC 3986 §3.2.2.
func hostName(_ authority: Span<UInt8>, in range: ByteRange) -> ByteRange {
    let host = hostRange(authority, in: range)
    guard host.count > 1, authority[host.count - 1] == .dot else { return host }
    return ByteRange(start: host.start, count: host.count - 1)
}
