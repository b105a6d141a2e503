import Core
import HTTP1
import Routing

/// What a rule does to the fields of its requests and of the responses to them. Source: docs/headers.md.
///
/// All values are made when the rule has decided, of the request as it came: so no change sees what another has made,
/// and their length is known before anything is sent. They wait in the request's head, as fields that are removed.
extension Worker {
    /// Makes the values for the fields that `plan` changes. Returns false if they are too long, and the request was
    /// answered.
    mutating func makeFieldChanges(_ exchange: Exchange, by plan: FieldChangesPlan) -> Bool {
        let request = exchange.request
        var counts = (request: 0, response: 0)
        withFacts(exchange) { facts in
            for change in plan.request { counts.request += change.byteCountMax(facts) }
            for change in plan.response { counts.response += change.byteCountMax(facts) }
        }
        guard max(counts.request, counts.response) <= Limits.fieldChangesBytesMax else {
            refuseFieldChanges(exchange)
            return false
        }
        let first = request.fieldCount
        withFacts(exchange) { facts in
            for change in plan.request { request.addRemoved(change, facts) }
            for change in plan.response { request.addRemoved(change, facts) }
        }
        exchange.fieldChanges = FieldChanges(plan: plan, first: first, requestByteCount: counts.request)
        return true
    }

    /// Whether the request has room for what the rule adds, whatever its transforms have made of it. If not it was
    /// answered.
    mutating func hasRoomForFieldChanges(_ exchange: Exchange) -> Bool {
        guard let changes = exchange.fieldChanges, changes.requestByteCount > 0 else { return true }
        // Beyond what a client may send there is no room for what is added to every request.
        let byteCount =
            requestHeadByteCount(exchange.request) + exchange.record.transformedHost.count + changes.requestByteCount
        if byteCount <= HTTP1.Limits.requestHeadBytesMax { return true }
        refuseFieldChanges(exchange)
        return false
    }

    private mutating func refuseFieldChanges(_ exchange: Exchange) {
        exchange.fieldChanges = nil
        counters.fieldChangesRefused.add()
        answer(exchange, status: 500, reasonCode: "HeaderChangesTooLong")
    }

    /// Changes the fields that the target gets.
    func changeRequestFields(_ exchange: Exchange) {
        guard let changes = exchange.fieldChanges else { return }
        let request = exchange.request
        for (index, change) in changes.plan.request.enumerated() {
            if change.action != .append { request.removeFields(named: change.name.span, ofCGI: true) }
            let field = changes.first + index
            if !request.field(field).value.isEmpty { request.restoreField(field) }
        }
    }

    /// Changes the fields of `response`, which the client gets.
    func changeResponseFields(_ exchange: Exchange) {
        guard let changes = exchange.fieldChanges else { return }
        let request = exchange.request
        let first = changes.first + changes.plan.request.count
        for (index, change) in changes.plan.response.enumerated() {
            if change.action != .append { response.removeFields(named: change.name.span, ofCGI: false) }
            let value = request.field(first + index).value
            if value.isEmpty { continue }
            let name = response.beginField(change.name.span)
            response.append(request.bytes(value))
            response.endField(name, id: change.id)
        }
    }

    private func withFacts(_ exchange: Exchange, _ body: (borrowing PlaceholderFacts) -> Void) {
        let client = exchange.client
        let port = client.listener.plan.port
        guard let tls = client.tls else {
            return body(PlaceholderFacts(exchange.request, port: port, client: client.address))
        }
        body(PlaceholderFacts(exchange.request, port: port, client: client.address, serverName: tls.serverName))
    }
}

/// What the rule of a request does to fields: the values lie in the request's head.
struct FieldChanges {
    /// What is changed.
    let plan: FieldChangesPlan
    /// The index of the field of the first change; those of the others follow, requests before responses.
    let first: Int
    /// How many bytes the request grows by at most.
    let requestByteCount: Int
}

extension FieldChangePlan {
    /// How many bytes it adds at most: a line.
    fileprivate func byteCountMax(_ facts: borrowing PlaceholderFacts) -> Int {
        action == .remove ? 0 : name.count + value.byteCountMax(facts) + 4
    }
}

extension Head {
    /// Adds the field of a change as one that is removed; its value is empty where nothing comes of it.
    fileprivate func addRemoved(_ change: FieldChangePlan, _ facts: borrowing PlaceholderFacts) {
        let index = fieldCount
        let name = beginField(change.name.span)
        if change.action != .remove { change.value.write(facts, to: self) }
        endField(name, id: change.id)
        removeField(index)
    }

    /// Removes the fields that have this name. `ofCGI`: those too that a target could take for it, since it passes them
    /// on as environment variables.
    fileprivate func removeFields(named name: Span<UInt8>, ofCGI: Bool) {
        for index in 0..<fieldCount where !field(index).isRemoved {
            let bytes = bytes(field(index).name)
            let isSame = ofCGI ? bytes.isSameCGIVariable(as: name) : bytes.equalsIgnoringCase(name)
            if isSame { removeField(index) }
        }
    }
}
