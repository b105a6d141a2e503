import Core
import Routing
import TLS
import Telemetry

/// Stickiness: clients stay with a target, or with a target group, by cookies that name it.
///
/// A cookie that cannot be honoured is as none: the request is balanced like any other, and its response brings a new
/// cookie.
/// Source: docs/stickiness.md.
extension Worker {
    private var secondsSince1970: UInt32 { UInt32(clamping: timeOfDay / 1_000_000_000) }

    // MARK: Requests

    /// The target that a cookie of the request names, if it takes requests.
    func boundTarget(_ exchange: Exchange, _ group: Group) -> TargetPool? {
        guard let stickiness = group.plan.settings.stickiness else { return nil }
        let request = exchange.request
        let kind: StickyCookie.Kind
        let candidates: CookieCandidates
        switch stickiness.kind {
        case .loadBalancerCookie:
            kind = .target
            candidates = CookieCandidates(request, preferred: "AWSALBCORS", other: "AWSALB", application: Span())
        case .applicationCookie(let name):
            kind = .application
            candidates = CookieCandidates(
                request, preferred: "AWSALBAPP-0", other: "AWSALBAPP-0", application: name.span)
            exchange.stickiness.hasApplicationCookie = candidates.hasApplicationCookie
            guard candidates.hasApplicationCookie else {
                group.plan.counters.stickiness.add(.none)
                return nil
            }
        }
        var result = StickinessResult.none
        let scope = scope(exchange, group)
        for index in candidates.values.indices where !candidates.values[index].isEmpty {
            let (found, name) = open(request.bytes(candidates.values[index]), kind, scope, stickiness.seconds)
            result = max(result, found)
            guard let name else { continue }
            switch group.target(named: name, now: now) {
            case .pool(let pool):
                group.plan.counters.stickiness.add(.kept)
                exchange.stickiness.boundName = name
                return pool
            case .gone: result = max(result, .gone)
            case .unavailable: result = max(result, .unavailable)
            }
        }
        group.plan.counters.stickiness.add(result)
        return nil
    }

    /// The group of the action that a cookie of the request names. One whose weight is 0 has no requests at all, so
    /// that a group can be left at once.
    func boundGroup(_ exchange: Exchange, _ forward: Forward) -> Group? {
        let request = exchange.request
        let candidates = CookieCandidates(request, preferred: "AWSALBTGCORS", other: "AWSALBTG", application: Span())
        var result = StickinessResult.none
        let scope = exchange.client.listener.nameHash
        for index in candidates.values.indices where !candidates.values[index].isEmpty {
            let text = request.bytes(candidates.values[index])
            let (found, name) = open(text, .group, scope, forward.plan.stickinessSeconds)
            result = max(result, found)
            guard let name else { continue }
            if let (group, weight) = forward.group(named: name) {
                if weight > 0 {
                    counters.groupStickiness.add(.kept)
                    return group
                }
                result = max(result, .unavailable)
            } else {
                result = max(result, .gone)
            }
        }
        if result == .invalid { exchange.record.errorReason = "AWSALBTGCookieInvalid" }
        counters.groupStickiness.add(result)
        return nil
    }

    /// What a cookie with this value names, or why it names nothing here.
    private func open(
        _ text: Span<UInt8>, _ kind: StickyCookie.Kind, _ scope: UInt64, _ seconds: UInt32
    ) -> (result: StickinessResult, name: UInt64?) {
        guard let bytes = cookieCipher.open(text), let cookie = StickyCookie(bytes) else { return (.invalid, nil) }
        guard cookie.kind == kind, cookie.scope == scope else { return (.foreign, nil) }
        if cookie.isStale(after: seconds, now: secondsSince1970) { return (.expired, nil) }
        return (.none, cookie.name)
    }

    /// Where a cookie counts that names a target.
    private func scope(_ exchange: Exchange, _ group: Group) -> UInt64 {
        var hash = FlowHash(exchange.client.listener.nameHash)
        hash.add(group.nameHash)
        return hash.value
    }

    // MARK: Responses

    /// Adds the cookies that name the target and the group of the exchange to `response`, a final one of its target.
    mutating func setStickinessCookies(_ exchange: Exchange) {
        guard let group = exchange.group, let pool = exchange.pool else { return }
        if exchange.stickiness.remembersGroup {
            let cookie = StickyCookie(
                .group, issuedAt: secondsSince1970, scope: exchange.client.listener.nameHash, name: group.nameHash)
            let text = group.cookie.text(of: cookie, by: cookieCipher)
            addCookie("AWSALBTG", text, "; Path=/")
            addCookie("AWSALBTGCORS", text, "; Path=/; SameSite=None; Secure")
        }
        guard let stickiness = group.plan.settings.stickiness else { return }
        let kind: StickyCookie.Kind = stickiness.kind == .loadBalancerCookie ? .target : .application
        let cookie = StickyCookie(
            kind, issuedAt: secondsSince1970, scope: scope(exchange, group), name: pool.nameHash)
        switch stickiness.kind {
        case .loadBalancerCookie:
            let text = pool.cookie.text(of: cookie, by: cookieCipher)
            addCookie("AWSALB", text, "; Path=/")
            addCookie("AWSALBCORS", text, "; Path=/; SameSite=None; Secure")
        case .applicationCookie(let name):
            guard exchange.stickiness.hasApplicationCookie || setsCookie(name.span) else { return }
            let text = pool.cookie.text(of: cookie, by: cookieCipher)
            addCookie(
                "AWSALBAPP-0", text, exchange.client.tls == nil ? "; Path=/" : "; Path=/; SameSite=None; Secure")
        }
    }

    private mutating func addCookie(_ name: StaticString, _ text: CookieCipher.Text, _ attributes: StaticString) {
        let field = response.beginField("Set-Cookie")
        response.append(name)
        response.append(.equalsSign)
        response.append(text.span)
        response.append("; Expires=")
        cookieExpiry.append(to: response, now: timeOfDay / 1_000_000_000 + Limits.cookieSeconds)
        response.append(attributes)
        response.endField(field, id: .other)
    }

    /// Whether the target sets a cookie of this name by its response, though a rule may keep it from the client.
    private func setsCookie(_ name: Span<UInt8>) -> Bool {
        for index in 0..<response.fieldCount {
            let field = response.field(index)
            guard field.name.count == 10, field.value.count > name.count,
                response.bytes(field.name).equalsIgnoringCase("set-cookie")
            else { continue }
            let value = response.bytes(field.value)
            if value[name.count] == .equalsSign, value.extracting(first: name.count).equals(name) { return true }
        }
        return false
    }
}

/// The one that came further of two.
private func max(_ one: StickinessResult, _ other: StickinessResult) -> StickinessResult {
    one.rawValue < other.rawValue ? other : one
}
