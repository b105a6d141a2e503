import Core

// The access log line of a Network Load Balancer for a connection to a TLS listener: 22 fields, or the same as one JSON
// object. Source: docs/elbv2.md, "Flow log".
extension AccessLog {
    /// Writes the line of a connection that has ended.
    public func write(_ record: FlowRecord, names: FlowRecord.Names, tls: FlowRecord.TLSNames) {
        let line = line
        line.removeAll()
        switch format {
        case .alb: appendFields(record, names, tls)
        case .json: appendMembers(record, names, tls)
        }
        commit()
    }

    // Keeps the column of field numbers aligned.
    // swift-format-ignore
    private func appendFields(_ record: FlowRecord, _ names: FlowRecord.Names, _ tls: FlowRecord.TLSNames) {
        line.append("tls 2.0 ")                                                 // 1, 2
        line.append(secondsOf: record.acceptedAt + record.duration)             // 3
        field(names.loadBalancer)                                               // 4
        number(UInt64(record.listener.port))                                    // 5
        line.append(.space)
        line.append(record.client)                                              // 6
        line.append(.space)
        line.append(record.listener)                                            // 7
        number(record.duration / 1_000_000)                                     // 8
        number(record.handshakeTime.map { $0 / 1_000_000 })                     // 9
        number(record.receivedBytes)                                            // 10
        number(record.sentBytes)                                                // 11
        number(record.alert.map(UInt64.init))                                   // 12
        field(tls.certificate)                                                  // 13
        line.append(" -")                                                       // 14
        field(tls.cipher)                                                       // 15
        word(tls.version)                                                       // 16
        field(tls.keyExchange)                                                  // 17
        name(names.serverName)                                                  // 18
        word(tls.clientProtocol)                                                // 19
        word(tls.targetProtocol)                                                // 20
        line.append(.space)
        if tls.offeredProtocols.isEmpty { line.append("-") } else { appendOffered(tls.offeredProtocols, .quote) }  // 21
        line.append(.space)
        line.append(secondsOf: record.acceptedAt)                               // 22
        line.append(.lineFeed)
    }

    private func field(_ text: Span<UInt8>) {
        line.append(.space)
        if text.isEmpty { return line.append("-") }
        line.append(escaping: text, as: .bare, limit: Limits.logFieldBytesMax)
    }

    private func word(_ word: StaticString) {
        line.append(.space)
        if word.utf8CodeUnitCount == 0 { line.append("-") } else { line.append(word) }
    }

    private func number(_ number: UInt64?) {
        line.append(.space)
        if let number { line.append(decimal: number) } else { line.append("-") }
    }

    /// The names of an ALPN list, each in quotes and percent-encoded.
    private func appendOffered(_ list: Span<UInt8>, _ quote: UInt8) {
        var index = 0
        while index < list.count {
            let end = min(list.count, index + 1 + Int(list[index]))
            if index > 0 { line.append(",") }
            line.append(quote)
            appendURLEncoded(list.extracting((index + 1)..<max(index + 1, end)))
            line.append(quote)
            index = end
        }
    }

    /// A host name, percent-encoded so that it cannot end the field.
    private func name(_ text: Span<UInt8>) {
        line.append(.space)
        if text.isEmpty { return line.append("-") }
        appendURLEncoded(text.extracting(0..<min(text.count, Limits.logFieldBytesMax / 3)))
    }

    private func appendURLEncoded(_ text: Span<UInt8>) {
        for index in 0..<text.count {
            let byte = text[index]
            // The characters of registered ALPN names and of host names.
            let isPlain = byte.isDigit || (byte | 0x20) &- 0x61 < 26 || byte == 0x2F || byte == .dot
            if isPlain || byte == 0x2D || byte == 0x5F {
                line.append(byte)
            } else {
                line.append("%")
                line.append(hexadecimal: UInt64(byte), digitCount: 2)
            }
        }
    }

    private func appendMembers(_ record: FlowRecord, _ names: FlowRecord.Names, _ tls: FlowRecord.TLSNames) {
        line.append("{\"type\":\"tls\",\"version\":\"2.0\",\"time\":\"")
        line.append(secondsOf: record.acceptedAt + record.duration)
        line.append(.quote)
        text("elb", names.loadBalancer)
        number("listener", UInt64(record.listener.port))
        address("client", record.client)
        address("destination", record.listener)
        number("connection_time", record.duration / 1_000_000)
        number("tls_handshake_time", record.handshakeTime.map { $0 / 1_000_000 })
        number("received_bytes", record.receivedBytes)
        number("sent_bytes", record.sentBytes)
        number("incoming_tls_alert", record.alert.map(UInt64.init))
        text("chosen_cert_arn", tls.certificate)
        word("chosen_cert_serial", nil)
        text("tls_cipher", tls.cipher)
        word("tls_protocol_version", tls.version.utf8CodeUnitCount == 0 ? nil : tls.version)
        text("tls_keyexchange", tls.keyExchange)
        text("domain_name", names.serverName)
        word("alpn_fe_protocol", tls.clientProtocol.utf8CodeUnitCount == 0 ? nil : tls.clientProtocol)
        word("alpn_be_protocol", tls.targetProtocol.utf8CodeUnitCount == 0 ? nil : tls.targetProtocol)
        key("alpn_client_preference_list")
        line.append("[")
        appendOffered(tls.offeredProtocols, .quote)
        line.append("],\"tls_connection_creation_time\":\"")
        line.append(secondsOf: record.acceptedAt)
        line.append("\"}\n")
    }
}
