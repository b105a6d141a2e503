import Core

// The Connection fields. Source: RFC 9110 §7.6.1, RFC 9112 §9.3.
extension FieldFacts {
    /// Applies the Connection fields, once all fields have been entered, since a field that is named may come before or
    /// after.
    ///
    /// Errors: `badConnection` for more than `Limits.connectionOptionCountMax` options.
    mutating func applyConnection(_ input: Span<UInt8>, to head: Head) -> Violation? {
        var optionCount = 0
        var from = 0
        while let index = head.firstField(.connection, from: from) {
            head.removeField(index)
            from = index + 1
            let value = head.field(index).value
            if value.isEmpty { continue }
            let list = input.extracting(value.start - arenaShift..<value.end - arenaShift)
            if let violation = applyOptions(list, of: input, to: head, &optionCount) { return violation }
        }
        return nil
    }

    private mutating func applyOptions(
        _ list: Span<UInt8>, of input: Span<UInt8>, to head: Head, _ optionCount: inout Int
    ) -> Violation? {
        // Nearly all say one word.
        if list.equalsIgnoringCase("keep-alive") {
            optionCount += 1
            hasKeepAlive = true
            return optionCount > Limits.connectionOptionCountMax ? .badConnection : nil
        }
        var start = 0
        while start < list.count {
            var comma = start
            while comma < list.count, list[comma] != .comma { comma += 1 }
            let first = list.skippingWhitespace(from: start, to: comma)
            let option = list.extracting(first..<list.trimmingWhitespace(from: first, to: comma))
            start = comma + 1
            if option.isEmpty { continue }
            optionCount += 1
            if optionCount > Limits.connectionOptionCountMax { return .badConnection }
            if option.equalsIgnoringCase("close") {
                hasClose = true
            } else if option.equalsIgnoringCase("keep-alive") {
                hasKeepAlive = true
            } else if option.equalsIgnoringCase("upgrade") {
                hasUpgrade = true  // the Upgrade field itself is removed in any case
            } else {
                removeFields(named: option, of: input, from: head)
            }
        }
        return nil
    }

    /// Removes the fields that a Connection option names, except those that a client must not be able to remove.
    private func removeFields(named option: Span<UInt8>, of input: Span<UInt8>, from head: Head) {
        if option.extracting(first: 7).equalsIgnoringCase("x-amzn-") { return }
        switch FieldID(option) {
        case .host, .contentLength, .expect, .xForwardedFor, .xForwardedProto, .xForwardedPort: return
        default: break
        }
        for index in 0..<head.fieldCount {
            let name = head.field(index).name
            guard name.count == option.count else { continue }
            let bytes = input.extracting(name.start - arenaShift..<name.end - arenaShift)
            if bytes.equalsIgnoringCase(option) { head.removeField(index) }
        }
    }
}
