import Core
import HTTP1
import Routing
import Telemetry

extension Worker {
    /// Tells the exchange's state machine what happened and does what it says.
    mutating func handle(_ exchange: Exchange, _ event: ExchangeState.Event) {
        let effect = exchange.state.receive(event)
        if let ending = event.attemptEnding, exchange.attemptBeganAt != nil { endAttempt(exchange, ending) }
        switch effect {
        case .sendRequest: sendRequest(exchange)
        case .tryNextTarget: tryNextTarget(exchange)
        case .retryOrFail: retryOrFail(exchange)
        case .connectAgain: connectAgain(exchange)
        case .proceed: break
        case .finish: complete(exchange)
        case .answer(let status):
            let violation = exchange.bodyViolation
            answer(exchange, status: violation?.status ?? status, reasonCode: violation?.reasonCode ?? event.reasonCode)
        case .truncate:
            exchange.isSpoiled = exchange.bodyViolation == nil
            abandonExchange(exchange, reasonCode: exchange.bodyViolation?.reasonCode ?? event.reasonCode)
        case .refuse: refuse(exchange)
        case .abandon:
            // Who broke the protocol did not go away.
            let status: UInt16 = exchange.clientFault == nil ? 460 : 400
            exchange.record.status = status
            counters.countGenerated(status: status)
            abandonExchange(exchange, reasonCode: exchange.clientFault ?? event.reasonCode)
        }
    }

    /// The target's answer, or the rest of it, cannot be passed on.
    private mutating func refuseResponse(_ exchange: Exchange, _ fault: ResponseFault) {
        exchange.responseFault = fault
        counters.malformedResponses.add(fault.reason)
        handle(exchange, .targetMalformed)
    }

    /// Advances both directions of an exchange as far as possible without waiting.
    mutating func advanceExchange(_ exchange: Exchange) {
        switch exchange.state.phase {
        case .deciding, .connecting, .waiting: flushInterim(exchange)
        case .answering, .tunnelling, .ended: break
        }
        switch exchange.state.phase {
        case .waiting, .answering, .tunnelling: relayRequest(exchange)
        case .deciding, .connecting, .ended: break
        }
        if exchange.state.phase == .waiting { readResponse(exchange) }
        switch exchange.state.phase {
        case .answering, .tunnelling: relayResponse(exchange)
        case .ended where exchange.isJoined: complete(exchange)
        case .deciding, .connecting, .waiting, .ended: break
        }
        exchange.target?.shrinkBuffers(&resources)
    }

    /// Writes what is left of `100 Continue` or another interim response: a client may wait for it with its body.
    private mutating func flushInterim(_ exchange: Exchange) {
        if exchange.client.flushOutbound(&resources) == .failed { handle(exchange, .clientGone) }
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
        // Of a body that is too long to be kept nothing needs to be copied.
        let keptMax = exchange.group?.plan.attempts.bodyBytesMax ?? 0
        exchange.keptBytesMax = request.body.isLonger(than: keptMax) ? 0 : keptMax
        target.sending = framing
        target.decoder = BodyDecoder(.none)
        exchange.record.target = target.pool.address
        target.writeHead(exchange, framing: framing, &resources)
    }

    /// Passes on the request's body: first what has to be sent again, then what comes from the client.
    private mutating func relayBody(of exchange: Exchange, from client: ClientSide, to target: TargetSide)
        -> Side.RelayResult
    {
        while let replay = exchange.keptBody.replay {
            if replay.isEmpty {
                exchange.keptBody.endReplay(&resources.buffers)
                continue
            }
            let waiting = replay.count
            guard let moved = target.takeBody(replay, waiting, keeping: exchange, &resources) else { return .sinkGone }
            if moved < waiting && (moved == 0 || !target.isWritable) { return .waiting }
        }
        if exchange.keptBody.isEnded { return target.takeEnd(trailers: nil, &resources) }
        return client.relayBody(to: target, keeping: exchange, workMax: relayWorkMax, &resources)
    }

    /// How much work relaying a body may be in one turn.
    private var relayWorkMax: Int { Limits.relayWorkPerTurnMax / turnDivisor }

    private mutating func relayRequest(_ exchange: Exchange) {
        guard let target = exchange.target, !target.isWriteDead else { return }
        if exchange.requestProgress == .passedOn {
            switch target.flushOutbound(&resources) {
            case .failed: noteWriteFailure(exchange, target)
            case .done: if exchange.state.phase == .tunnelling { target.shutdownWrite(&resources) }
            case .blocked: break
            }
            return
        }
        let client = exchange.client
        switch relayBody(of: exchange, from: client, to: target) {
        case .ended:
            exchange.requestProgress.receive(.passedOn)
            exchange.keptBody.isEnded = true
            if exchange.state.phase == .tunnelling { return relayRequest(exchange) }
            exchange.sentAt = now
            client.requestRate.cancel()
        case .waiting: watchRequestRate(exchange, target)
        case .turnOver: delay(client)
        case .sinkGone: noteWriteFailure(exchange, target)
        case .sourceGone: endRequestShort(exchange, target)
        case .sourceMalformed(let violation):
            exchange.bodyViolation = violation
            handle(exchange, .clientMalformed)
        }
    }

    /// The request cannot be completed. An answer may have come before the target closed, so it is looked for.
    private mutating func noteWriteFailure(_ exchange: Exchange, _ target: TargetSide) {
        exchange.client.requestRate.cancel()
        target.isWriteDead = true
        target.readAgain()
    }

    /// The client's side ended before its request did. With an answer on the way it may: it was told that the
    /// connection closes, and the rest of its request interests nobody. Source: RFC 9112 §9.6; docs/elbv2.md, "Status
    /// codes".
    private mutating func endRequestShort(_ exchange: Exchange, _ target: TargetSide) {
        if exchange.client.isBroken { return handle(exchange, .clientGone) }
        guard exchange.state.isAnswering else { return handle(exchange, .clientMalformed) }
        exchange.client.requestRate.cancel()
        target.isWriteDead = true
    }

    /// While the target can take more, the client is the slow side. Once the response has begun, the client need not
    /// send the rest.
    private mutating func watchRequestRate(_ exchange: Exchange, _ target: TargetSide) {
        let client = exchange.client
        let listener = client.listener
        let isAwaited = exchange.state.phase == .waiting && target.isFlushed && target.isWritable
        if isAwaited && listener.settings.bodyRateWindowBytes > 0 {
            client.requestRate.begin(now: now, length: listener.settings.bodyRateWindow, passed: client.consumedCount)
        } else {
            client.requestRate.cancel()
        }
    }

    /// Reads the response's head; interim responses on the way are passed on.
    mutating func readResponse(_ exchange: Exchange) {
        guard let target = exchange.target else { return }
        while true {
            switch target.readHead(exchange, &resources) {
            case .complete(let head):
                if exchange.request.isWebSocket && response.isWebSocket { return beginWebSocket(exchange, target) }
                if response.status >= 200 { return takeResponse(exchange, target, head) }
                if let fault = relayInterim(exchange) { return refuseResponse(exchange, fault) }
            case .malformed(let fault): return refuseResponse(exchange, fault)
            case .nothing: return
            case .gone: return handle(exchange, .targetGone)
            }
        }
    }

    /// Passes an interim response on to clients that know them. Returns what is wrong if the target must not send it.
    ///
    /// 100 was answered at this hop and ends here; 101 was not asked for, as no Upgrade but a WebSocket's is passed on.
    /// Source: RFC 9110 §15.2.
    private mutating func relayInterim(_ exchange: Exchange) -> ResponseFault? {
        exchange.interimResponses += 1
        guard exchange.interimResponses <= Limits.interimResponsesMax else { return .tooManyInterimResponses }
        guard response.status != 101 else { return .unexpectedUpgrade }
        if response.status != 100 { exchange.client.writeInterim(response, exchange, &resources) }
        return nil
    }

    /// Begins the final response, unless something is wrong with it, or with what has come of its body.
    private mutating func takeResponse(_ exchange: Exchange, _ target: TargetSide, _ head: ParsedHead) {
        if exchange.isExtendedCONNECT && StatusClass(response.status) == .success {
            return refuseResponse(exchange, .upgradeIgnored)
        }
        switch target.checkBody(&resources) {
        case .sound: beginResponse(exchange, target, head)
        case .malformed(let fault): refuseResponse(exchange, fault)
        case .gone: handle(exchange, .targetGone)
        }
    }

    /// Writes the final response's head for the client and relays its body.
    private mutating func beginResponse(_ exchange: Exchange, _ target: TargetSide, _ head: ParsedHead) {
        let client = exchange.client
        endAttempt(exchange, .answered, isServerError: StatusClass(response.status) == .serverError)
        exchange.keptBody.lose(&resources.buffers)
        exchange.answeredAt = now
        exchange.record.status = response.status
        exchange.record.targetStatus = response.status
        countResponse(exchange)
        if exchange.record.kind == .grpc, response.saysGRPCFailed { exchange.isSpoiled = true }
        // An early answer leaves a request behind that nobody may take for the next one's beginning.
        let isEarly = exchange.requestProgress != .passedOn || !target.isFlushed
        exchange.targetPersistence.decide(head.isPersistent && !exchange.facts.isAmbiguous && !isEarly)
        client.requestRate.cancel()
        client.sending = client.framing(of: head.framing, for: exchange)
        exchange.clientPersistence.decide(
            mayPersist(exchange) && exchange.requestProgress == .passedOn && client.sending != .untilClose)
        if response.firstField(.date) == nil { addDate() }
        setResponseFields(exchange)
        if exchange.stickiness.isOn { setStickinessCookies(exchange) }
        client.writeHead(response, exchange, hasBody: !target.decoder.isComplete, &resources)
        handle(exchange, .responseHead)
    }

    /// Passes the target's agreement on; from now on bytes go through as they come, until either side ends.
    private mutating func beginWebSocket(_ exchange: Exchange, _ target: TargetSide) {
        let client = exchange.client
        endAttempt(exchange, .answered)
        exchange.keptBody.reset(&resources.buffers)
        exchange.answeredAt = now
        exchange.record.kind = .webSocket
        counters.webSockets.add()
        counters.webSocketsActive.add()
        exchange.record.status = exchange.request.isHTTP2 ? 200 : 101
        exchange.record.targetStatus = 101
        countResponse(exchange)
        exchange.requestProgress.receive(.tunnelOpened)
        exchange.targetPersistence.decide(false)
        exchange.clientPersistence.decide(false)
        client.decoder = BodyDecoder(.untilClose)
        target.decoder = BodyDecoder(.untilClose)
        client.sending = .untilClose
        target.sending = .untilClose
        setResponseFields(exchange)
        if exchange.stickiness.isOn { setStickinessCookies(exchange) }
        client.writeHead(response, exchange, hasBody: true, &resources)
        handle(exchange, .tunnelOpened)
        relayRequest(exchange)
    }

    private mutating func relayResponse(_ exchange: Exchange) {
        guard exchange.responseProgress != .passedOn, let target = exchange.target else { return }
        let client = exchange.client
        switch target.relayBody(to: client, workMax: relayWorkMax, &resources) {
        case .ended:
            exchange.responseProgress.receive(.passedOn)
            let isReusable = exchange.targetPersistence == .persistent && exchange.requestProgress == .passedOn
            releaseTarget(exchange, reusable: isReusable)
            handle(exchange, .responseEnd)
        case .waiting: watchResponseRate(client)
        case .turnOver: delay(client)
        case .sinkGone: handle(exchange, .clientGone)
        case .sourceGone:
            guard let fault = target.responseFault else { return handle(exchange, .targetGone) }
            refuseResponse(exchange, fault)
        case .sourceMalformed(let violation): refuseResponse(exchange, .violation(violation))
        }
    }

    /// While bytes wait for the client to take them, the client is the slow side. How much it has taken is asked of the
    /// kernel only when a window ends.
    private mutating func watchResponseRate(_ client: ClientSide) {
        let listener = client.listener
        if !client.isWritable && listener.settings.bodyRateWindowBytes > 0 {
            client.responseRate.begin(now: now, length: listener.settings.bodyRateWindow, passed: 0)
        } else {
            client.responseRate.cancel()
        }
    }

    /// The whole response was handed to the client's side: finishes once that has passed it on.
    mutating func complete(_ exchange: Exchange) {
        switch exchange.client.flushOutbound(&resources) {
        case .done: finishExchange(exchange)
        case .blocked: watchResponseRate(exchange.client)
        case .failed:
            exchange.clientPersistence.revoke()
            finishExchange(exchange)
        }
    }
}

extension ExchangeState.Event {
    /// The reasonCode in the Apus-Reason field and in logs, when this event ends an exchange.
    var reasonCode: StaticString {
        switch self {
        case .forwarded, .connected, .responseHead, .tunnelOpened, .responseEnd, .answeredHere, .sentAgain: "None"
        case .connectFailed: "TargetConnectFailed"
        case .targetGone: "TargetClosedConnection"
        case .targetMalformed: "MalformedResponse"
        case .clientGone: "ClientClosedConnection"
        case .clientMalformed: "BadRequestBody"
        case .clientTimeout: "ClientTimeout"
        case .targetTimeout: "TargetTimeout"
        case .targetUnresponsive: "TargetUnacknowledged"
        case .cut: "DeregistrationDelayExpired"
        case .stopped: "Shutdown"
        case .leftToClient: "RequestBodyNotKept"
        }
    }

    /// How this event ends the attempt under way; nil if it does not, or says so itself (`endAttempt`).
    fileprivate var attemptEnding: AttemptOutcome.Ending? {
        switch self {
        case .forwarded, .connected, .connectFailed, .sentAgain, .responseHead, .tunnelOpened, .responseEnd,
            .targetGone,
            .answeredHere, .leftToClient:
            nil
        case .targetMalformed: .malformed
        case .clientGone, .clientMalformed, .clientTimeout: .abandoned
        case .targetTimeout: .timedOut
        case .targetUnresponsive: .unacknowledged
        case .cut, .stopped: .cut
        }
    }
}
