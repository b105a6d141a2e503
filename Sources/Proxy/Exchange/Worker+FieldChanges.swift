import Core
import HTTP1
import Routing

/// What a rule does to the fields of its requests and of the responses to them. Source: docs/headers.md.
extension Worker {
    /// Changes the request's fields as `plan` says, and notes that those of its response are to be changed. Returns
    /// false if more would come of it than a head may have, and the request was answered.
    mutating func changeFields(_ exchange: Exchange, by plan: FieldChangesPlan) -> Bool {
        let request = exchange.request
        exchange.requestedPath = request.path
        exchange.requestedQuery = request.query
        let (added, addedToResponse) = byteCounts(plan, exchange)
        // Beyond what a client may send there is no room for what is added to every request.
        let total = plan.request.isEmpty ? 0 : requestHeadByteCount(request) + added
        guard max(added, addedToResponse) <= Limits.fieldChangesBytesMax, total <= HTTP1.Limits.requestHeadBytesMax
        else { return refuseFieldChanges(exchange) }
        if !plan.response.isEmpty { exchange.fieldChanges = plan }
        let isWhole = apply(plan.request, to: request, of: exchange, isRequest: true)
        guard isWhole, plan.request.isEmpty || requestHeadByteCount(request) <= HTTP1.Limits.requestHeadBytesMax else {
            return refuseFieldChanges(exchange)
        }
        return true
    }

    private mutating func refuseFieldChanges(_ exchange: Exchange) -> Bool {
        counters.fieldChangesRefused.add()
        answer(exchange, status: 500, reasonCode: "HeaderChangesTooLong")
        return false
    }

    /// Changes the fields of `response` as the rule says that decided for its request.
    func changeResponseFields(_ exchange: Exchange) {
        guard let plan = exchange.fieldChanges else { return }
        if !apply(plan.response, to: response, of: exchange, isRequest: false) { counters.fieldChangesRefused.add() }
    }

    /// Makes one change after the other, as long as they add no more than they may: the value of one may hold what
    /// another has made. Returns whether all of them were made.
    private func apply(_ changes: [FieldChangePlan], to head: Head, of exchange: Exchange, isRequest: Bool) -> Bool {
        var room = Limits.fieldChangesBytesMax
        for change in changes {
            var count = 0
            withFacts(exchange) { facts in count = change.byteCountMax(facts) }
            guard count <= room else { return false }
            room -= count
            apply(change, to: head, of: exchange, isRequest: isRequest)
        }
        return true
    }

    /// How many bytes the changes add to the request and to the response at most.
    private func byteCounts(_ plan: FieldChangesPlan, _ exchange: Exchange) -> (request: Int, response: Int) {
        var counts = (request: 0, response: 0)
        withFacts(exchange) { facts in
            for change in plan.request { counts.request += change.byteCountMax(facts) }
            for change in plan.response { counts.response += change.byteCountMax(facts) }
        }
        return counts
    }

    private func apply(_ change: FieldChangePlan, to head: Head, of exchange: Exchange, isRequest: Bool) {
        guard change.action != .remove else {
            return head.removeFields(named: change.name.span, ofCGI: isRequest, before: head.fieldCount)
        }
        let fieldCount = head.fieldCount
        let start = head.byteCount
        let name = head.beginField(change.name.span)
        let valueStart = head.byteCount
        withFacts(exchange) { facts in change.value.write(facts, to: head) }
        // Nothing came of it: there is no such field.
        if head.byteCount == valueStart { head.truncate(to: start) } else { head.endField(name, id: change.id) }
        if change.action == .set { head.removeFields(named: change.name.span, ofCGI: isRequest, before: fieldCount) }
    }

    private func withFacts(_ exchange: Exchange, _ body: (borrowing PlaceholderFacts) -> Void) {
        let client = exchange.client
        let port = client.listener.plan.port
        guard let tls = client.tls else {
            return body(
                PlaceholderFacts(
                    exchange.request, path: exchange.requestedPath, query: exchange.requestedQuery, port: port,
                    client: client.address))
        }
        body(
            PlaceholderFacts(
                exchange.request, path: exchange.requestedPath, query: exchange.requestedQuery, port: port,
                client: client.address, serverName: tls.serverName))
    }
}

extension FieldChangePlan {
    /// How many bytes it adds at most: a line.
    fileprivate func byteCountMax(_ facts: borrowing PlaceholderFacts) -> Int {
        action == .remove ? 0 : name.count + value.byteCountMax(facts) + 4
    }
}

extension Head {
    /// Removes those of the first `count` fields that have this name. `ofCGI`: those too that a target could take for
    /// it, since it passes them on as environment variables.
    fileprivate func removeFields(named name: Span<UInt8>, ofCGI: Bool, before count: Int) {
        for index in 0..<count where !field(index).isRemoved {
            let bytes = bytes(field(index).name)
            let isSame = ofCGI ? bytes.isSameCGIVariable(as: name) : bytes.equalsIgnoringCase(name)
            if isSame { removeField(index) }
        }
    }
}
