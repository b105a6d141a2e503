import Core

// The line of a flow: in JSON, or in logfmt (`name=value`, quoted where necessary) if the format is ALB's, which has no
// line for flows. Unknown values are null in JSON and left out of logfmt.
extension ConnectionLog {
    /// Writes the line of a flow that has ended.
    public func write(_ record: FlowRecord, names: FlowRecord.Names) {
        let line = line
        line.removeAll()
        if format == .json { line.append("{\"time\":\"") } else { line.append("time=") }
        line.append(timestamp: record.acceptedAt + record.duration)
        if format == .json { line.append(.quote) }
        word("type", record.kind.label)
        text("elb", names.loadBalancer)
        address("client", record.client)
        address("listener", record.listener)
        address("target", record.target)
        text("target_group", names.targetGroup)
        text("server_name", names.serverName)
        number("received_bytes", record.receivedBytes)
        number("sent_bytes", record.sentBytes)
        time("duration", record.duration)
        time("tls_handshake_time", record.handshakeTime)
        time("connect_time", record.connectTime)
        word("ended", record.ending.label)
        word("ended_by", record.endedBy.label)
        word("reason", record.reason)
        begin("conn_trace_id")
        if format == .json { line.append(.quote) }
        line.append(trace: record.trace)
        line.append(format == .json ? "\"}\n" : "\n")
        commit()
    }

    private func begin(_ name: StaticString) {
        line.append(format == .json ? ",\"" : " ")
        line.append(name)
        line.append(format == .json ? "\":" : "=")
    }

    /// Writes a member whose value is unknown.
    private func unknown(_ name: StaticString) {
        guard format == .json else { return }
        begin(name)
        line.append("null")
    }

    private func word(_ name: StaticString, _ word: StaticString?) {
        guard let word else { return unknown(name) }
        begin(name)
        if format == .json { line.append(.quote) }
        line.append(word)
        if format == .json { line.append(.quote) }
    }

    private func text(_ name: StaticString, _ text: Span<UInt8>) {
        if text.isEmpty { return unknown(name) }
        begin(name)
        line.append(.quote)
        line.append(escaping: text, as: format == .json ? .json : .quoted, limit: Limits.logFieldBytesMax)
        line.append(.quote)
    }

    private func number(_ name: StaticString, _ value: UInt64) {
        begin(name)
        line.append(decimal: value)
    }

    private func time(_ name: StaticString, _ time: Nanoseconds?) {
        guard let time else { return unknown(name) }
        begin(name)
        line.append(seconds: time, digitCount: 6)
    }

    private func address(_ name: StaticString, _ address: SocketAddress?) {
        guard let address else { return unknown(name) }
        begin(name)
        if format == .json { line.append(.quote) }
        line.append(address)
        if format == .json { line.append(.quote) }
    }
}
