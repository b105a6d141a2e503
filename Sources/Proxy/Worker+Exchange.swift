import Core
import HTTP1
import Telemetry

extension Worker {
    /// Tells the exchange's state machine what happened and does what it says.
    mutating func handle(_ exchange: Exchange, _ event: ExchangeState.Event) {
        switch exchange.state.receive(event) {
        case .sendRequest: sendRequest(exchange)
        case .tryNextTarget: tryNextTarget(exchange)
        case .retryOrFail: retryOrFail(exchange)
        case .relayResponse: relayResponse(exchange)
        case .finish: complete(exchange)
        case .answer(let status):
            let violation = exchange.bodyViolation
            answer(exchange, status: violation?.status ?? status, word: violation?.word ?? event.word)
        case .truncate: giveUp(exchange, word: exchange.bodyViolation?.word ?? event.word)
        case .abandon:
            exchange.record.status = 460
            counters.countGenerated(status: 460)
            giveUp(exchange, word: event.word)
        }
    }

    /// Goes on with both directions of an exchange as far as they go without waiting.
    mutating func pump(_ exchange: Exchange) {
        if exchange.state.phase == .waiting || exchange.state.phase == .answering { relayRequest(exchange) }
        if exchange.state.phase == .waiting { readResponse(exchange) }
        switch exchange.state.phase {
        case .answering: relayResponse(exchange)
        case .ended where exchange.isJoined: complete(exchange)
        case .connecting, .waiting, .ended: break
        }
        if let target = exchange.target { settle(target) }
    }

    /// Writes the request's head for the target. The body follows in `relayRequest`, and with it the first write.
    private mutating func sendRequest(_ exchange: Exchange) {
        guard let target = exchange.target else { preconditionFailure("exchange: connected to nothing") }
        prepareFields(exchange)
        let request = exchange.request
        let framing: Framing =
            switch request.body {
            case .none: .none
            case .exactly(let count): .length(count)
            case .unknown: .chunked
            }
        target.sending = framing
        target.scan.reset()
        target.decoder = BodyDecoder(.none)
        writeRequestHead(request, framing: framing, into: outbound(of: target))
        exchange.record.target = target.pool.address
    }

    private mutating func relayRequest(_ exchange: Exchange) {
        guard let target = exchange.target, !target.isWriteDead else { return }
        if exchange.isRequestDone {
            if flush(target) == .failed { noteWriteFailure(target) }
            return
        }
        let client = exchange.client
        let consumed = client.consumedCount
        let outcome = relay(from: client, to: target)
        exchange.bodyByteCount += client.consumedCount - consumed
        switch outcome {
        case .ended:
            exchange.isRequestDone = true
            exchange.sentAt = now
            client.requestRate.cancel()
        case .waiting: watchRequestRate(client, target)
        case .turnOver: deferred.append(client.token)
        case .sinkGone: noteWriteFailure(target)
        case .sourceGone: handle(exchange, .clientGone)
        case .sourceMalformed(let violation):
            exchange.bodyViolation = violation
            handle(exchange, .clientMalformed)
        }
    }

    /// The request cannot be completed. An answer may have come before the target closed, so it is looked for.
    private mutating func noteWriteFailure(_ target: TargetConnection) {
        target.isWriteDead = true
        target.isReadable = true
    }

    /// While the target could take more, it is the client who is slow.
    private mutating func watchRequestRate(_ client: ClientConnection, _ target: TargetConnection) {
        let settings = client.listener.settings
        if target.isFlushed && target.isWritable && settings.bodyRateWindowBytes > 0 {
            client.requestRate.begin(now: now, length: settings.bodyRateWindow, passed: client.consumedCount)
        } else {
            client.requestRate.cancel()
        }
    }

    /// Reads the response's head; interim responses on the way are passed on.
    private mutating func readResponse(_ exchange: Exchange) {
        guard let target = exchange.target else { return }
        while true {
            if let inbound = target.inbound, !inbound.isEmpty {
                exchange.hasAnswer = true
                let result = parseResponseHead(
                    inbound.bytes, into: response, requestIsHEAD: exchange.isHEAD, scan: &target.scan)
                switch result {
                case .complete(let head):
                    inbound.consume(head.byteCount)
                    target.scan.reset()
                    if response.status >= 200 { return beginResponse(exchange, target, head) }
                    guard relayInterim(exchange) else { return handle(exchange, .targetMalformed) }
                    continue
                case .refused: return handle(exchange, .targetMalformed)
                case .needMore: break
                }
            }
            switch fill(target) {
            case .got: continue
            case .nothing: return
            case .ended, .failed: return handle(exchange, .targetGone)
            }
        }
    }

    /// Passes an interim response on to clients that know them. Returns false if the target must not send it.
    ///
    /// 100 was answered at this hop and ends here; 101 was never asked for, as Upgrade is not passed on.
    /// Source: RFC 9110 §15.2.
    private mutating func relayInterim(_ exchange: Exchange) -> Bool {
        exchange.interimResponses += 1
        guard exchange.interimResponses <= Limits.interimResponsesMax, response.status != 101 else { return false }
        let client = exchange.client
        guard response.status != 100, exchange.request.minorVersion > 0 else { return true }
        let outbound = outbound(of: client)
        guard outbound.count + responseHeadByteCount(response) <= Limits.interimBytesMax else { return true }
        outbound.compact()
        writeResponseHead(response, framing: .none, connection: .none, into: outbound)
        _ = flush(client)  // a dead connection is noticed by the next read
        return true
    }

    /// Writes the final response's head for the client and goes on with its body.
    private mutating func beginResponse(_ exchange: Exchange, _ target: TargetConnection, _ head: ParsedHead) {
        let client = exchange.client
        exchange.answeredAt = now
        exchange.record.status = response.status
        exchange.record.targetStatus = response.status
        countResponse(exchange)
        exchange.isTargetPersistent = head.isPersistent && !exchange.isAmbiguous
        let framing = clientFraming(head.framing, exchange)
        exchange.keepsClient = mayKeep(client, exchange) && exchange.isRequestDone && framing != .untilClose
        if response.firstField(.date) == nil { addDate() }
        target.decoder = BodyDecoder(head.framing)
        client.sending = framing
        let outbound = outbound(of: client)
        outbound.compact()  // only interim responses can be waiting there: `Limits.interimBytesMax`
        writeResponseHead(response, framing: framing, connection: connectionOption(exchange), into: outbound)
        handle(exchange, .responseHead)
    }

    /// A body that ends with the target's connection is chunked for clients that know chunks, so that their
    /// connection can go on and a truncated body shows.
    private func clientFraming(_ framing: Framing, _ exchange: Exchange) -> Framing {
        switch framing {
        case .none, .length: framing
        case .chunked, .untilClose: exchange.request.minorVersion > 0 ? .chunked : .untilClose
        }
    }

    private mutating func relayResponse(_ exchange: Exchange) {
        guard !exchange.isResponseDone, let target = exchange.target else { return }
        let client = exchange.client
        switch relay(from: target, to: client) {
        case .ended:
            exchange.isResponseDone = true
            releaseTarget(exchange, reusable: exchange.isTargetPersistent && exchange.isRequestDone)
            handle(exchange, .responseEnd)
        case .waiting: watchResponseRate(client)
        case .turnOver: deferred.append(client.token)
        case .sinkGone: handle(exchange, .clientGone)
        case .sourceGone: handle(exchange, .targetGone)
        case .sourceMalformed: handle(exchange, .targetMalformed)
        }
    }

    /// While something waits for the client to take it, it is the client who is slow. How much it has taken is asked
    /// of the kernel only when a window ends.
    private mutating func watchResponseRate(_ client: ClientConnection) {
        let settings = client.listener.settings
        if !client.isWritable && settings.bodyRateWindowBytes > 0 {
            client.responseRate.begin(now: now, length: settings.bodyRateWindow, passed: 0)
        } else {
            client.responseRate.cancel()
        }
    }

    /// The whole response was handed to the client's connection: finishes once the kernel has taken it.
    mutating func complete(_ exchange: Exchange) {
        switch flush(exchange.client) {
        case .done: finish(exchange)
        case .blocked: watchResponseRate(exchange.client)
        case .failed:
            exchange.keepsClient = false
            finish(exchange)
        }
    }
}

extension ExchangeState.Event {
    /// The word in the Apus-Reason field and in logs, when this event ends an exchange.
    var word: StaticString {
        switch self {
        case .connected, .responseHead, .responseEnd, .answeredHere: "None"
        case .connectFailed: "TargetConnectFailed"
        case .targetGone: "TargetClosedConnection"
        case .targetMalformed: "MalformedResponse"
        case .clientGone: "ClientClosedConnection"
        case .clientMalformed: "BadRequestBody"
        case .clientTimeout: "ClientTimeout"
        case .targetTimeout: "TargetTimeout"
        case .cut: "DeregistrationDelayExpired"
        }
    }
}
