import Core
import HTTP1

extension Worker {
    /// Acts on a client's socket.
    mutating func clientReady(_ client: ClientConnection, _ ready: Poller.Ready) {
        client.transport.noteReady(ready)
        // Once the response is complete and merely waits for room, the next write finds the connection dead.
        if ready.isDead, let exchange = client.exchange, exchange.state.phase != .ended {
            return handle(exchange, .clientGone)
        }
        advance(client)
    }

    /// Goes on with a client's connection as far as it goes without waiting.
    mutating func advance(_ client: ClientConnection) {
        let consumedBefore = client.consumedCount
        if client.isBacklogged { return }
        let bytesMax = Limits.requestBytesPerTurnMax / UInt64(turnDivisor)
        for _ in 0..<Limits.requestsPerTurnMax / turnDivisor
        where client.consumedCount - consumedBefore < bytesMax {
            switch client.phase {
            case .proxyHeader:
                guard readProxyHeader(client) else { return rest(client) }
            case .handshaking(let since):
                // The most expensive thing that can be asked for.
                guard isServingBacklog else {
                    delay(client)
                    return rest(client)
                }
                guard shakeHands(client, since: since) else { return rest(client) }
            case .reading:
                guard readRequest(client) else { return rest(client) }
            case .exchanging:
                guard let exchange = client.exchange else { preconditionFailure("client: exchanging nothing") }
                pump(exchange)
                if client.exchange === exchange { return rest(client) }
            case .lingering:
                return linger(client)
            case .closed:
                return
            }
        }
        delay(client)
        rest(client)
    }

    /// Leaves a connection until its next event: gives back buffers that are empty, and sets its timer.
    mutating func rest(_ client: ClientConnection) {
        guard !client.isClosed else { return }
        client.settle(&self)
        rearm(client)
    }

    /// Reads a request head and decides what becomes of it. Returns false when there is nothing more to do now.
    private mutating func readRequest(_ client: ClientConnection) -> Bool {
        if client.inbound?.isEmpty ?? true {
            switch client.fill(&self) {
            case .got: break
            case .nothing: return false
            case .ended, .failed:
                close(client)
                return false
            }
        }
        let exchange = freeExchanges.popLast() ?? Exchange()
        while let inbound = client.inbound {
            switch http2Preface(client, inbound) {
            case true?:
                keepFree(exchange)
                beginHTTP2(client)
                return false
            case false?:
                if case .got = client.fill(&self) { continue }
                keepFree(exchange)
                return awaitHead(client)
            case nil: break
            }
            let options = client.listener.options
            switch parseRequestHead(inbound.bytes, into: exchange.request, options: options, scan: &client.scan) {
            case .complete(let head):
                inbound.consume(head.byteCount)
                begin(exchange, client, head)
                return true
            case .refused(let violation):
                countRefusal(violation)
                let compliance = Compliance(violation, in: inbound.bytes)
                refuseHead(
                    exchange, client, status: violation.status, reasonCode: violation.reasonCode,
                    compliance: compliance)
                return true
            case .needMore:
                guard case .got = client.fill(&self) else {
                    keepFree(exchange)
                    return awaitHead(client)
                }
            }
        }
        preconditionFailure("client: a head without a buffer")
    }

    /// Whether the client begins with HTTP/2 where it may: true if it does, false if it cannot be said yet, nil if it
    /// does not. Source: RFC 9113 §3.3, §3.4.
    private func http2Preface(_ client: ClientConnection, _ inbound: Buffer) -> Bool? {
        guard client.listener.settings.speaksH2C, client.tls == nil, client.consumedCount == 0 else { return nil }
        let preface: StaticString = "pri * http/2.0\r\n\r\nsm\r\n\r\n"
        let count = min(preface.utf8CodeUnitCount, inbound.count)
        return inbound.bytes.begins(with: preface, count: count) ? count == preface.utf8CodeUnitCount : nil
    }

    /// A head has begun and is not complete: the absolute deadline runs from its first bytes.
    private mutating func awaitHead(_ client: ClientConnection) -> Bool {
        if client.isEnded {
            close(client)
        } else if client.headDeadline == .distantFuture {
            client.headDeadline = now + client.listener.settings.headTimeout
        }
        return false
    }

    private mutating func begin(_ exchange: Exchange, _ client: ClientConnection, _ head: ParsedHead) {
        take(exchange, client)
        client.consumedCount += UInt64(head.byteCount)
        client.decoder = BodyDecoder(head.framing)
        // What follows a request for a WebSocket may be meant for one: it must not be read as a request.
        exchange.facts.isPersistent = head.isPersistent && !exchange.request.isWebSocket
        exchange.facts.isAmbiguous = head.compliance.isAmbiguous
        exchange.facts.expectsContinue = head.expectsContinue
        let request = exchange.request
        exchange.facts.isHEAD = request.bytes(request.method).equals("HEAD")
        if head.compliance != .compliant {
            counters.nonCompliantRequests.add()
            note(head.compliance, of: exchange)
        }
        decide(exchange)
    }

    private func note(_ compliance: Compliance, of exchange: Exchange) {
        exchange.record.classification = compliance.classification
        exchange.record.classificationReason = compliance.reason
    }

    /// Answers a request whose head cannot be read. Nothing that follows it can be trusted, so all that has come is
    /// counted as part of it and thrown away.
    mutating func refuseHead(
        _ exchange: Exchange, _ client: ClientConnection, status: UInt16, reasonCode: StaticString,
        hint: StaticString = "", compliance: Compliance = .compliant
    ) {
        take(exchange, client)
        exchange.requestProgress.receive(.refused)
        note(compliance, of: exchange)
        let request = exchange.request
        exchange.facts.isHEAD = request.bytes(request.method).equals("HEAD")
        client.decoder = BodyDecoder(.untilClose)
        if let inbound = client.inbound {
            client.consumedCount += UInt64(inbound.count)
            inbound.removeAll()
        }
        answer(exchange, status: status, reasonCode: reasonCode, hint: hint)
    }

    private mutating func take(_ exchange: Exchange, _ client: ClientConnection) {
        client.enter(.exchanging)
        client.scan.reset()
        client.headDeadline = .distantFuture
        startExchange(exchange, client)
    }

    /// Begins an exchange for a request whose head was read, or could not be.
    mutating func startExchange(_ exchange: Exchange, _ client: ClientSide) {
        exchange.begin(client, now: now)
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

    /// Reads and throws away what an answered client still sends, so that closing does not reset the answer away.
    private mutating func linger(_ client: ClientConnection) {
        guard case .lingering(let until, var bytesLeft) = client.phase else { return }
        if client.transport.flushSealed(&resources) == .failed { return close(client) }
        var isMore = true
        for _ in 0..<Limits.readsPerTurnMax where isMore {
            if let inbound = client.inbound {
                bytesLeft -= inbound.count
                inbound.removeAll()
            }
            guard bytesLeft > 0, now < until else { return close(client) }
            switch client.fill(&self) {
            case .got: break
            case .nothing: isMore = false
            case .ended, .failed: return close(client)
            }
        }
        client.enter(.lingering(until: until, bytesLeft: bytesLeft))
        if isMore { delay(client) }
        rest(client)
    }

    /// Ends a connection after its last answer: says so with a FIN, and waits for the client's own if it still sends.
    mutating func closeAfterAnswer(_ client: ClientConnection) {
        if client.isEnded { return close(client) }
        let hasUnread = client.transport.isReadable || !(client.inbound?.isEmpty ?? true) || !client.decoder.isComplete
        guard hasUnread else { return close(client) }
        client.transport.shutdownWrite(&resources)
        client.enter(.lingering(until: now + Limits.lingerTime, bytesLeft: Limits.lingerBytesMax))
    }

    /// Gives back everything a connection has. It has no exchange any more.
    mutating func close(_ client: ClientConnection, reset: Bool = false) {
        precondition(client.exchange == nil, "client: closed in the middle of an exchange")
        client.enter(.closed)
        discardBuffers(client)
        timers.cancel(client.transport.token)
        slab.remove(client.transport.token)
        client.transport.close(reset: reset, &resources)
        reserve.restore()
        clientCount -= 1
        counters.connectionsActive.subtract()
    }
}
