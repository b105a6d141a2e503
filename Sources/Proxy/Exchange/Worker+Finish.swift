import Core
import TLS
import Telemetry

extension Worker {
    /// Ends an exchange whose response was written, and makes the client's connection ready for the next request.
    mutating func finishExchange(_ exchange: Exchange) {
        let client = exchange.client
        let keepsClient = exchange.clientPersistence == .persistent
        releaseExchange(exchange)
        switch client.kind {
        case .connection(let connection):
            if keepsClient { connection.enter(.reading) } else { closeAfterAnswer(connection) }
        case .stream(let stream):
            stream.finish(&resources)
            rearm(stream.connection, at: stream.lingerUntil)
        }
    }

    /// Ends an exchange that cannot be completed, and both connections with it.
    mutating func abandonExchange(_ exchange: Exchange, reasonCode: StaticString) {
        let client = exchange.client
        exchange.record.reason = reasonCode
        exchange.record.reasonDetail = exchange.responseFault?.reasonCode
        let isResponseDone = exchange.responseProgress == .passedOn
        if let code = exchange.target?.resetCode { client.resetCode = code }
        releaseTarget(exchange, reusable: false)
        releaseExchange(exchange)
        abortResponse(to: client, isResponseDone: isResponseDone)
    }

    /// Resets or closes the client's side of an exchange that was released with an incomplete response, so that the
    /// client notices.
    mutating func abortResponse(to client: ClientSide, isResponseDone: Bool) {
        switch client.kind {
        case .connection(let connection):
            close(connection, reset: connection.looksComplete(isResponseDone: isResponseDone))
        case .stream(let stream): stream.abort(&resources)
        }
    }

    /// Writes the log record, and detaches the exchange from both connections.
    private mutating func releaseExchange(_ exchange: Exchange) {
        precondition(exchange.target == nil && exchange.pool == nil, "exchange: released with its target")
        let client = exchange.client
        exchange.keptBody.reset(&resources.buffers)
        if exchange.share != .none { returnTargetShare(exchange) }
        leaveDescriptorQueue(exchange)
        leaveTargetQueue(exchange)
        resources.buffers.charge(-exchange.chargedByteCount)
        exchange.chargedByteCount = 0
        client.requestRate.cancel()
        client.responseRate.cancel()
        client.lastActivity = now
        counters.requestsActive.subtract()
        if exchange.record.kind == .webSocket { counters.webSocketsActive.subtract() }
        counters.requestDuration.record(now.since(exchange.startedAt))
        // Those that found no target have failed as well.
        if let counts = exchange.group?.plan.counters {
            if exchange.state.isForwarded { counts.requestsActive.subtract() }
            counts.requestsEnded.add()
            if exchange.hasFailed { counts.requestsFailed.add() }
            if exchange.record.status == 460, exchange.record.targetStatus == 0 { counts.requestsAbandoned.add() }
        }
        writeRecord(exchange)
        client.exchange = nil
        keepFree(exchange)
    }

    /// Keeps an ended exchange for reuse by the next request.
    mutating func keepFree(_ exchange: Exchange) {
        exchange.end()
        guard exchange.request.heldByteCount <= Limits.freeExchangeBytesMax else { return }
        if freeExchanges.count < Limits.freeExchangesMax { freeExchanges.append(exchange) }
    }

    /// Counts a target's response, and how long it took.
    mutating func countResponse(_ exchange: Exchange) {
        let statusClass = StatusClass(response.status)
        counters.targetResponses.add(statusClass)
        guard let group = exchange.group else { return }
        group.plan.counters.responses.add(statusClass)
        // An early response arrives before the request was passed on, so there is no response time to measure.
        if exchange.requestProgress == .passedOn { group.plan.counters.responseTime.record(now.since(exchange.sentAt)) }
    }

    private mutating func writeRecord(_ exchange: Exchange) {
        guard let accessLog else { return }
        let client = exchange.client
        exchange.record.duration = now.since(exchange.startedAt)
        exchange.record.listener = client.localAddress ?? .unspecified
        exchange.record.receivedBytes = client.consumedCount - exchange.consumedAtStart
        exchange.record.sentBytes = client.writtenCount - exchange.writtenAtStart
        setTimes(exchange)
        let request = exchange.request
        // As ALB does, a response that we make ourselves is logged with the trace that a target would have seen.
        if exchange.requestProgress == .received { setTraceID(request) }
        let loadBalancer = client.listener.logName
        let group = exchange.group?.logName ?? []
        exchange.record.isTLS = client.tls != nil
        exchange.record.connectionTrace = client.trace
        let nothing = InlineArray<0, UInt8>(repeating: 0)
        guard let tls = client.tls else {
            let names = AccessRecord.Names(
                loadBalancer: loadBalancer.span, targetGroup: group.span,
                redirectURL: request.bytes(exchange.redirectURL), cipher: nothing.span, tlsVersion: nothing.span,
                serverName: nothing.span, certificate: nothing.span)
            return accessLog.write(exchange.record, request: request, names: names)
        }
        let certificate = tls.certificateName
        let names = AccessRecord.Names(
            loadBalancer: loadBalancer.span, targetGroup: group.span,
            redirectURL: request.bytes(exchange.redirectURL), cipher: tls.cipherName, tlsVersion: tls.versionName,
            serverName: tls.isNameServed ? tls.serverName : nothing.span, certificate: certificate.span)
        accessLog.write(exchange.record, request: request, names: names)
    }

    /// An early response arrives before the request was sent completely: `sentAt` is then still that of an earlier
    /// request, or later than the response.
    private func setTimes(_ exchange: Exchange) {
        let isSent = exchange.state.isForwarded && exchange.sentAt >= exchange.startedAt
        let isAnswered = exchange.record.targetStatus != 0
        exchange.record.requestProcessingTime = isSent ? exchange.sentAt.since(exchange.startedAt) : nil
        let isTimed = isSent && isAnswered
        exchange.record.targetProcessingTime = isTimed ? exchange.answeredAt.since(exchange.sentAt) : nil
        exchange.record.responseProcessingTime = isAnswered ? now.since(exchange.answeredAt) : nil
    }
}
