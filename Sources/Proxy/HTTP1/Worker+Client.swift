import Core
import HTTP1
import Model

extension Worker {
    /// Acts on a client's socket.
    mutating func clientReady(_ client: ClientConnection, _ ready: Poller.Ready) {
        client.transport.noteReady(ready)
        // Once the response is complete and merely waits for room, the next write finds the connection dead.
        if ready.isDead, let exchange = client.exchange, exchange.state.phase != .ended {
            return handle(exchange, .clientGone)
        }
        // Who closes while its request waits for a target leaves its place to others. That it may only have ended its
        // own direction is not worth the place of one that does wait.
        if ready.isEndOfStream, let exchange = client.exchange, exchange.targetWait != nil {
            return handle(exchange, .clientGone)
        }
        advance(client)
    }

    /// Advances a client's side as far as possible without waiting.
    mutating func advance(_ client: ClientSide) {
        switch client.kind {
        case .connection(let connection): advance(connection)
        case .stream(let stream): advance(stream)
        }
    }

    /// Advances a client's connection as far as possible without waiting.
    mutating func advance(_ client: ClientConnection) {
        let consumedBefore = client.consumedCount
        if client.isBacklogged { return }
        let bytesMax = Limits.requestBytesPerTurnMax / UInt64(turnDivisor)
        for _ in 0..<Limits.requestsPerTurnMax / turnDivisor
        where client.consumedCount - consumedBefore < bytesMax {
            switch client.phase {
            case .proxyHeader:
                guard readProxyHeader(client) else { return finishTurn(client) }
            case .handshaking(let since):
                // The most expensive thing that can be asked for.
                guard isServingBacklog else {
                    delay(client)
                    return finishTurn(client)
                }
                guard continueHandshake(client, since: since) else { return finishTurn(client) }
            case .reading:
                guard readRequest(client) else { return finishTurn(client) }
            case .exchanging:
                guard let exchange = client.exchange else { preconditionFailure("client: exchanging nothing") }
                advanceExchange(exchange)
                if client.exchange === exchange { return finishTurn(client) }
            case .lingering:
                return linger(client)
            case .closed:
                return
            }
        }
        delay(client)
        finishTurn(client)
    }

    /// Leaves a connection until its next event: gives back buffers that are empty, and sets its timer.
    mutating func finishTurn(_ client: ClientConnection) {
        guard !client.isClosed else { return }
        client.shrinkBuffers(&resources)
        rearm(client)
    }

    /// Reads a request head and decides what becomes of it. Returns false when there is nothing more to do now.
    private mutating func readRequest(_ client: ClientConnection) -> Bool {
        switch client.awaitRequest(&resources) {
        case .got: break
        case .nothing: return false
        case .ended, .failed:
            close(client)
            return false
        }
        let exchange = freeExchanges.popLast() ?? Exchange()
        switch client.readRequestHead(into: exchange.request, scratch: response, &resources) {
        case .complete(let head):
            begin(exchange, client, head)
            return true
        case .refused(let violation):
            countRefusal(violation)
            let compliance = client.inbound.map { Compliance(headOf: $0.bytes) } ?? .compliant
            refuseHead(
                exchange, client, status: violation.status, reasonCode: violation.reasonCode, compliance: compliance)
            return true
        case .http2:
            keepFree(exchange)
            beginHTTP2(client)
        case .waiting: keepFree(exchange)
        case .gone:
            keepFree(exchange)
            close(client)
        }
        return false
    }

    private mutating func begin(_ exchange: Exchange, _ client: ClientConnection, _ head: ParsedHead) {
        client.endHead()
        startExchange(exchange, client)
        client.consumedCount += UInt64(head.byteCount)
        client.decoder = BodyDecoder(head.framing)
        // What follows a request for a WebSocket may be meant for one: it must not be read as a request.
        exchange.facts.isPersistent = head.isPersistent && !exchange.request.isWebSocket
        exchange.facts.isAmbiguous = mayBeReadDifferently(head, client.listener.settings.desyncMode)
        exchange.facts.expectsContinue = head.expectsContinue
        let request = exchange.request
        exchange.facts.isHEAD = request.methodID == .head
        if head.compliance != .compliant {
            counters.nonCompliantRequests.add()
            note(head.compliance, of: exchange)
        }
        decide(exchange)
    }

    /// Whether others might read the request differently: it is served, and then both connections are closed. In mode
    /// `monitor` that goes for heads alone that had to be written anew, whatever their class: what a target gets has
    /// one reading then, but something in front of Apus may have had another.
    /// Source: Application Load Balancers user guide, "Desync mitigation mode".
    private func mayBeReadDifferently(
        _ head: ParsedHead, _ mode: LoadBalancerAttributes.DesyncMitigationMode
    ) -> Bool {
        head.isRewritten || (head.compliance.tier >= .ambiguous && mode != .monitor)
    }

    private mutating func note(_ compliance: Compliance, of exchange: Exchange) {
        counters.classified.add(compliance)
        exchange.record.classification = compliance.classification
        exchange.record.classificationReason = compliance.reason
    }

    /// Answers a request whose head cannot be read. Nothing that follows it can be trusted, so all that has come is
    /// counted as part of it and thrown away.
    mutating func refuseHead(
        _ exchange: Exchange, _ client: ClientConnection, status: UInt16, reasonCode: StaticString,
        hint: StaticString = "", compliance: Compliance = .compliant
    ) {
        client.endHead()
        startExchange(exchange, client)
        exchange.requestProgress.receive(.refused)
        note(compliance, of: exchange)
        let request = exchange.request
        exchange.facts.isHEAD = request.methodID == .head
        client.decoder = BodyDecoder(.untilClose)
        client.discardInbound()
        answer(exchange, status: status, reasonCode: reasonCode, hint: hint)
    }

    /// Begins an exchange for a request whose head was read, or could not be.
    mutating func startExchange(_ exchange: Exchange, _ client: ClientSide) {
        exchange.begin(client, now: now, timeOfDay: timeOfDay)
        client.exchange = exchange
        client.lastActivity = now
        counters.requests.add()
        if client.address.family == .ipv6 { counters.requestsIPv6.add() }
        counters.requestsActive.add()
        chargeHead(exchange)
    }

    /// Charges the worker's budget with what the request's head has grown to.
    mutating func chargeHead(_ exchange: Exchange) {
        // The session has charged those of HTTP/2.
        let held = exchange.request.isHTTP2 ? 0 : exchange.request.heldByteCount
        resources.buffers.charge(held - exchange.chargedByteCount)
        exchange.chargedByteCount = held
    }

    private mutating func linger(_ client: ClientConnection) {
        switch client.discardInput(&resources) {
        case .waiting: break
        case .turnOver: delay(client)
        case .over: return close(client)
        }
        finishTurn(client)
    }

    /// Ends a connection after its last answer: says so with a FIN, and waits for the client's own if it still sends.
    mutating func closeAfterAnswer(_ client: ClientConnection) {
        guard !client.isEnded, client.hasUnread else { return close(client) }
        client.transport.shutdownWrite(&resources)
        client.enter(.lingering(until: now + Limits.lingerTime, bytesLeft: Limits.lingerBytesMax))
    }

    /// Gives back everything a connection has. It has no exchange any more.
    mutating func close(_ client: ClientConnection, reset: Bool = false) {
        precondition(client.exchange == nil, "client: closed in the middle of an exchange")
        client.enter(.closed)
        client.discardBuffers(&resources)
        timers.cancel(client.transport.token)
        slab.remove(client.transport.token)
        client.transport.close(reset: reset, &resources)
        reserve.restore()
        clientCount -= 1
        counters.connectionsActive.subtract()
    }
}
