import Core

/// The changes to a response's fields before it is sent to the client, the target's or Apus's own.
/// Source: docs/elbv2.md, "Listener attributes".
extension Worker {
    /// Applies what the attributes of the client's listener say to `response`, a final one, and then what the rule says
    /// that decided for the request.
    func setResponseFields(_ exchange: Exchange) {
        setListenerFields(exchange.client.listener)
        changeResponseFields(exchange)
    }

    private func setListenerFields(_ listener: WorkerListener) {
        guard listener.changesResponses else { return }
        for field in listener.settings.responseFields {
            removeFields(named: field.name)
            guard let value = field.value else { continue }
            let name = response.beginField(field.name.span)
            response.append(value.span)
            response.endField(name, id: .other)
        }
    }

    private func removeFields(named name: [UInt8]) {
        for index in 0..<response.fieldCount where !response.field(index).isRemoved {
            if response.bytes(response.field(index).name).equalsIgnoringCase(name.span) { response.removeField(index) }
        }
    }
}
