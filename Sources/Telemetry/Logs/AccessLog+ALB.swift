import Core

// The access log line of ALB: 34 fields separated by single spaces, `-` for a field without a value, texts in quotes.
// The comments give the numbers of the fields. Source: docs/elbv2.md, "Access log".
extension AccessLog {
    /// Appends the line of `record`, line feed included.
    // Keeps the column of field numbers aligned.
    // swift-format-ignore
    func appendALB(_ record: AccessRecord, _ request: Head, _ names: AccessRecord.Names) {
        line.append(record.type)                                                // 1
        field(time: record.createdAt + record.duration)                         // 2
        field(name: names.loadBalancer)                                         // 3
        field(address: record.client)                                           // 4
        field(address: record.target)                                           // 5
        field(interval: record.requestProcessingTime)                           // 6
        field(interval: record.targetProcessingTime)                            // 7
        field(interval: record.responseProcessingTime)                          // 8
        field(status: record.status)                                            // 9
        field(status: record.targetStatus)                                      // 10
        field(number: record.receivedBytes)                                     // 11
        field(number: record.sentBytes)                                         // 12
        openQuote()
        appendRequestLine(record, request, as: .quoted)                         // 13
        closeQuote()
        quoted(request, .userAgent, limit: Limits.logUserAgentBytesMax)         // 14
        field(name: names.cipher)                                               // 15
        field(name: names.tlsVersion)                                           // 16
        field(name: names.targetGroup)                                          // 17
        quoted(request, .xAmznTraceID, limit: Limits.logFieldBytesMax)          // 18
        quoted(text: names.serverName)                                          // 19
        quoted(text: names.certificate)                                         // 20
        field(rule: record.matchedRule)                                         // 21
        field(time: record.createdAt)                                           // 22
        quoted(record.action.text)                                              // 23
        quoted(text: names.redirectURL)                                         // 24
        quoted(record.errorReason)                                              // 25
        openQuote()
        append(address: record.target)                                          // 26
        closeQuote()
        openQuote()
        append(status: record.targetStatus)                                     // 27
        closeQuote()
        quoted(record.classification)                                           // 28
        quoted(record.classificationReason)                                     // 29
        line.append(.space)
        line.append(trace: record.connectionTrace)                              // 30
        quoted(text: request.bytes(record.transformedHost))                     // 31
        quoted(text: request.bytes(record.transformedURL))                      // 32
        quoted(record.transformStatus)                                          // 33
        line.append(.space)
        line.append(hostOf: record.listener)                                    // 34
        line.append(.lineFeed)
    }

    private func field(time: UInt64) {
        line.append(.space)
        line.append(timestamp: time)
    }

    private func field(interval: Nanoseconds?) {
        line.append(.space)
        if let interval { line.append(seconds: interval, digitCount: 3) } else { line.append("-1") }
    }

    private func field(number: UInt64) {
        line.append(.space)
        line.append(decimal: number)
    }

    private func field(name: Span<UInt8>) {
        line.append(.space)
        append(text: name, as: .bare)
    }

    private func field(address: SocketAddress?) {
        line.append(.space)
        append(address: address)
    }

    private func field(status: UInt16) {
        line.append(.space)
        append(status: status)
    }

    private func field(rule: AccessRecord.MatchedRule) {
        line.append(.space)
        if let number = rule.number { line.append(decimal: number) } else { line.append("-") }
    }

    private func openQuote() { line.append(" \"") }

    private func closeQuote() { line.append(.quote) }

    private func quoted(_ word: StaticString?) {
        openQuote()
        line.append(word ?? "-")
        closeQuote()
    }

    private func quoted(text: Span<UInt8>) {
        openQuote()
        append(text: text, as: .quoted)
        closeQuote()
    }

    private func quoted(_ request: Head, _ id: FieldID, limit: Int) {
        openQuote()
        appendHeader(request, id, as: .quoted, limit: limit)
        closeQuote()
    }

    private func append(address: SocketAddress?) {
        if let address { line.append(address) } else { line.append("-") }
    }

    private func append(status: UInt16) {
        if status == 0 { line.append("-") } else { line.append(decimal: UInt64(status)) }
    }

    private func append(text: Span<UInt8>, as escaping: Escaping) {
        if text.isEmpty {
            line.append("-")
        } else {
            line.append(escaping: text, as: escaping, limit: Limits.logFieldBytesMax)
        }
    }
}
