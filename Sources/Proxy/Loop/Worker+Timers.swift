import Core
import HTTP1
import Telemetry

/// Deadlines. Each connection has one timer, set to its earliest deadline and moved only to an earlier one: activity
/// does not move it; when it fires too early, it is set again. So a request costs no timer call.
extension Worker {
    /// Sets a connection's timer if `deadline` is before the one it is set to.
    mutating func setTimer(of transport: inout Transport, at deadline: Instant) {
        guard deadline < transport.timer else { return }
        transport.timer = deadline
        timers.schedule(transport.token, at: deadline)
    }

    /// Whether idle clients are waited for a moment only. A client whose connection is closed just as it sends a
    /// request has lost it; so where another process serves already, they have all the time there is.
    private var hurriesIdleClients: Bool { finishDeadline != nil && !isSucceeded }

    /// Sets the client's timer if its next deadline is before the one the timer is set to.
    mutating func rearm(_ client: ClientConnection) {
        setTimer(of: &client.transport, at: client.nextDeadline(isFinishing: hurriesIdleClients))
    }

    /// Sets the target's deadline, and its timer if that is before the one the timer is set to.
    mutating func schedule(_ target: TargetConnection, at deadline: Instant) {
        target.deadline = deadline
        setTimer(of: &target.transport, at: deadline)
    }

    /// The client's timer has fired: acts on the deadline that has come, or sets the timer again.
    mutating func clientTimerFired(_ client: ClientConnection) {
        client.transport.timer = .distantFuture
        guard client.nextDeadline(isFinishing: hurriesIdleClients) <= now else { return rearm(client) }
        switch client.phase {
        case .proxyHeader:
            counters.connectionsRejected.add(.proxyHeader)
            return close(client)
        case .handshaking: return handshakeTimedOut(client)
        case .reading: readingTimedOut(client)
        case .exchanging: exchangeTimedOut(client)
        case .lingering: return close(client)
        case .closed: preconditionFailure("client: a timer after closed")
        }
        advance(client)
    }

    private mutating func readingTimedOut(_ client: ClientConnection) {
        guard client.headDeadline != .distantFuture else {
            let timeout = client.listener.settings.idleTimeout(hasAsked: !client.isSilent)
            counters.timeouts.add(timeout.isFirstByte ? .firstByte : .clientKeepAlive)
            return close(client)
        }
        counters.timeouts.add(.requestHead)
        let exchange = freeExchanges.popLast() ?? Exchange()
        refuseHead(exchange, client, status: 408, reasonCode: "RequestHeadTimeout")
    }

    mutating func exchangeTimedOut(_ client: ClientSide) {
        guard let exchange = client.exchange else { preconditionFailure("client: exchanging nothing") }
        let listener = client.listener
        if exchange.attempts.nextAt <= now {
            joinRace(exchange)
            // It may have been answered, and released.
            guard client.exchange === exchange else { return }
        }
        if client.requestRate.deadline <= now {
            let isFast = client.requestRate.isFastEnough(
                now: now, length: listener.settings.bodyRateWindow, passed: client.consumedCount,
                minimum: listener.settings.bodyRateWindowBytes)
            if !isFast { return timeOut(exchange, .requestBodyRate, .clientTimeout) }
        }
        if client.responseRate.deadline <= now {
            let isFast = client.responseRate.isFastEnough(
                now: now, length: listener.settings.bodyRateWindow, passed: client.takenCount(),
                minimum: listener.settings.bodyRateWindowBytes)
            if !isFast { return timeOut(exchange, .responseRate, .clientTimeout) }
        }
        if let wait = exchange.targetWait {
            return wait.deadline <= now ? targetWaitTimedOut(exchange) : ()
        }
        let isWaiting = exchange.share == .waiting || exchange.descriptorTicket != nil
        if client.exchangeIdleDeadline <= now, isWaiting, exchange.state.phase == .deciding {
            counters.timeouts.add(.targetWait)
            let reasonCode: StaticString = exchange.share == .waiting ? "TargetConnectionShare" : "DescriptorLimit"
            return answer(exchange, status: 503, reasonCode: reasonCode)
        }
        guard client.exchangeIdleDeadline <= now, !isTaking(client), !isTaking(exchange.target) else { return }
        if isWaitingForClient(exchange) {
            timeOut(exchange, .clientIdle, .clientTimeout)
        } else {
            timeOut(exchange, .targetIdle, .targetTimeout)
        }
    }

    /// Whether the kernel's send buffer of a side still drains though nothing else happens; then the side counts as
    /// active.
    private func isTaking(_ side: Side?) -> Bool {
        guard let side, side.hasTakenMore() else { return false }
        side.lastActivity = now
        return true
    }

    /// Whether the exchange waits for the client: for the rest of its request, or for it to read what is waiting.
    private func isWaitingForClient(_ exchange: Exchange) -> Bool {
        if !exchange.client.isFlushed || !exchange.client.isWritable { return true }
        guard let target = exchange.target else { return false }
        return exchange.requestProgress != .passedOn && target.isFlushed && target.isWritable
    }

    private mutating func timeOut(_ exchange: Exchange, _ kind: TimeoutKind, _ event: ExchangeState.Event) {
        counters.timeouts.add(kind)
        // The response is complete and only waits in the kernel's buffer: there is nothing left to answer.
        if exchange.state.phase == .ended { return abandonExchange(exchange, reasonCode: event.reasonCode) }
        handle(exchange, event)
    }

    /// The target's timer has fired: acts if its deadline has come, or sets the timer again.
    mutating func targetTimerFired(_ target: TargetConnection) {
        target.transport.timer = .distantFuture
        guard target.deadline != .distantFuture else { return }
        guard target.deadline <= now else { return schedule(target, at: target.deadline) }
        switch target.phase {
        case .connecting:
            counters.timeouts.add(target.transport.connectTimeoutKind)
            connectFailed(target, .connectTimedOut)
        case .idle:
            target.pool.removeIdle(target)
            counters.targetConnectionsIdle.subtract()
            close(target)
        case .busy: lookAt(target)
        case .closed: preconditionFailure("target: a deadline after closed")
        }
    }
}
