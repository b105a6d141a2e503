import Core
import HTTP1
import Telemetry

/// Responses that Apus makes itself: errors, fixed responses and redirects.
extension Worker {
    /// Answers with an error page of our own and ends the exchange. `reasonCode` names the cause, for clients and logs;
    /// `hint` is a paragraph of the page that tells what to do, `retryAfter` the seconds after which another try is
    /// worth it.
    mutating func answer(
        _ exchange: Exchange, status: UInt16, reasonCode: StaticString, hint: StaticString = "",
        retryAfter: UInt64? = nil
    ) {
        let detail = exchange.responseFault?.reasonCode
        exchange.record.reason = reasonCode
        exchange.record.reasonDetail = detail
        counters.countGenerated(status: status)
        if exchange.record.kind == .grpc && status != 464 {
            return answerGRPC(exchange, GRPCStatus(httpStatus: status), reasonCode, detail)
        }
        response.reset()
        response.status = status
        let page = ErrorPage(status, hint: hint)
        addField("Server", "apus")
        addDate()
        addField("Content-Type", "text/html")
        if status == 405 { addField("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH") }
        if let retryAfter {
            let name = response.beginField("Retry-After")
            response.append(decimal: retryAfter)
            response.endField(name, id: .other)
        }
        if exchange.client.listener.settings.addsReason { addField("Apus-Reason", reasonCode, detail) }
        response.reason = response.append(page.reason)
        // What was wrong with the request may hide where the next one begins.
        let isUnreadable = status == 400 || status == 408 || status == 413 || status == 414 || status == 505
        send(exchange, bodyCount: page.byteCount, closes: isUnreadable || exchange.state.isCut) { page.append(to: $0) }
    }

    /// Answers a gRPC call: its client expects a gRPC status in a response with HTTP status 200. Source: gRPC over
    /// HTTP2, "Responses", Trailers-Only.
    private mutating func answerGRPC(
        _ exchange: Exchange, _ status: GRPCStatus, _ reasonCode: StaticString, _ detail: StaticString?
    ) {
        response.reset()
        response.status = 200
        addField("Server", "apus")
        addDate()
        addField("Content-Type", "application/grpc")
        let number = response.beginField("grpc-status")
        response.append(decimal: UInt64(status.number))
        if GRPCStatus.isFailure(Int(status.number)) { exchange.isSpoiled = true }
        response.endField(number, id: .other)
        addField("grpc-message", reasonCode, detail)
        send(exchange, bodyCount: nil, closes: exchange.state.isCut) { _ in }
    }

    /// Sends the fixed response of a rule.
    mutating func answerFixed(_ exchange: Exchange, _ plan: FixedResponsePlan) {
        // To an extended CONNECT it would say that there is a tunnel. Source: RFC 8441 §5.
        if exchange.isExtendedCONNECT && StatusClass(plan.status) == .success {
            return answer(exchange, status: 501, reasonCode: "UnsupportedProtocol")
        }
        exchange.record.action = .fixedResponse
        counters.fixedResponses.add()
        counters.generatedResponses.add(StatusClass(plan.status))
        response.reset()
        response.status = plan.status
        response.reason = response.append(reasonPhrase(plan.status))
        addField("Server", "apus")
        addDate()
        if !plan.contentType.isEmpty {
            let name = response.beginField("Content-Type")
            let contentType = plan.contentType
            response.append(contentType.span)
            response.endField(name, id: .contentType)
        }
        let body = plan.body
        send(exchange, bodyCount: body.count, closes: false) { $0.append(body.span) }
    }

    /// Sends a redirect.
    mutating func answerRedirect(_ exchange: Exchange, _ plan: RedirectPlan) {
        exchange.record.action = .redirect
        let request = exchange.request
        let port = exchange.client.listener.plan.port
        let location: ByteRange
        switch plan.template.write(into: request, scheme: exchange.client.tls == nil ? .http : .https, port: port) {
        case .written(let range): location = range
        case .hostMissing: return answer(exchange, status: 400, reasonCode: "HostMissing")
        case .tooLong: return answer(exchange, status: 507, reasonCode: "RedirectTooLong")
        }
        exchange.redirectURL = location
        counters.redirects.add()
        counters.generatedResponses.add(.redirection)
        response.reset()
        response.status = plan.status
        let page = ErrorPage(plan.status)
        response.reason = response.append(page.reason)
        addField("Server", "apus")
        addDate()
        addField("Content-Type", "text/html")
        let name = response.beginField("Location")
        response.append(request.bytes(location))
        response.endField(name, id: .location)
        send(exchange, bodyCount: page.byteCount, closes: false) { page.append(to: $0) }
    }

    /// Writes `response` and a body of `bodyCount` bytes, nil if it has none, and finishes the exchange.
    private mutating func send(
        _ exchange: Exchange, bodyCount: Int?, closes: Bool, _ writeBody: (Buffer) -> Void
    ) {
        let client = exchange.client
        exchange.record.status = response.status
        exchange.answeredAt = now
        // A request that ends with its head is done though nobody looked for its body.
        let isRequestDone = client.decoder.isComplete || exchange.requestProgress == .passedOn
        exchange.clientPersistence.decide(!closes && isRequestDone && mayPersist(exchange))
        let bodyCount = response.status == 204 || response.status == 304 ? nil : bodyCount
        let hasBody = !exchange.facts.isHEAD && (bodyCount ?? 0) > 0
        client.sending = bodyCount.map { .length(UInt64($0)) } ?? .none
        setResponseFields(exchange)
        client.writeHead(response, exchange, hasBody: hasBody, &resources)
        if hasBody {
            writeBody(client.outboundBuffer(&resources))
            _ = client.endBody(trailers: nil, &resources)  // a dead connection is noticed in `complete`
        }
        exchange.responseProgress.receive(.passedOn)
        releaseTarget(exchange, reusable: false)
        // It waits for no target any more, though its client may not have taken the answer yet.
        if exchange.share == .waiting { returnTargetShare(exchange) }
        leaveDescriptorQueue(exchange)
        leaveTargetQueue(exchange)
        // From now on it is the client's turn, which has as long for it as for any other response.
        client.lastActivity = now
        // An event that was answered by an error has ended the exchange already.
        if exchange.state.phase == .ended { complete(exchange) } else { handle(exchange, .answeredHere) }
    }

    /// Whether the client's connection may serve another request, as far as both sides and the configuration say.
    func mayPersist(_ exchange: Exchange) -> Bool {
        let client = exchange.client
        return !exchange.facts.isAmbiguous && !client.listener.isRemoved && finishDeadline == nil
            && client.mayFollow(exchange, now: now)
    }

    /// Adds a field; `detail` stands behind its value and a slash.
    private func addField(_ name: StaticString, _ value: StaticString, _ detail: StaticString? = nil) {
        let name = response.beginField(name)
        response.append(value)
        if let detail {
            response.append(.slash)
            response.append(detail)
        }
        response.endField(name, id: .other)
    }

    /// Adds the Date field: this second's. RFC 9110 §6.6.1.
    mutating func addDate() {
        let name = response.beginField("Date")
        date.append(to: response, now: timeOfDay / 1_000_000_000)
        response.endField(name, id: .date)
    }
}
