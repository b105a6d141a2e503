import Core

// The access log line as one JSON object: ALB's fields in snake case, addresses split into ip and port, as log analysis
// tools name them. Fields without a value are null; times are in seconds with microseconds. Fields of ALB that never
// have a value are left out.
extension AccessLog {
    /// Appends the line of `record`, line feed included.
    func appendJSON(_ record: AccessRecord, _ request: Head, _ names: AccessRecord.Names) {
        line.append("{\"type\":\"")
        line.append(record.type)
        line.append("\",\"time\":\"")
        line.append(timestamp: record.createdAt + record.duration)
        line.append(.quote)
        text("elb", names.loadBalancer)
        address("client", record.client)
        address("target", record.target)
        time("request_processing_time", record.requestProcessingTime)
        time("target_processing_time", record.targetProcessingTime)
        time("response_processing_time", record.responseProcessingTime)
        time("queue_time", record.queueTime)
        number("elb_status_code", record.status == 0 ? nil : UInt64(record.status))
        number("target_status_code", record.targetStatus == 0 ? nil : UInt64(record.targetStatus))
        number("received_bytes", record.receivedBytes)
        number("sent_bytes", record.sentBytes)
        key("request_line")
        line.append(.quote)
        appendRequestLine(record, request, as: .json)
        line.append(.quote)
        header("user_agent", request, .userAgent, limit: Limits.logUserAgentBytesMax)
        text("ssl_cipher", names.cipher)
        text("ssl_protocol", names.tlsVersion)
        text("target_group", names.targetGroup)
        header("trace_id", request, .xAmznTraceID, limit: Limits.logFieldBytesMax)
        text("domain_name", names.serverName)
        text("chosen_cert_arn", names.certificate)
        number("matched_rule_priority", record.matchedRule.number)
        line.append(",\"request_creation_time\":\"")
        line.append(timestamp: record.createdAt)
        line.append(.quote)
        word("actions_executed", record.action.text)
        text("redirect_url", names.redirectURL)
        word("error_reason", record.errorReason)
        reason(record.reason, record.reasonDetail)
        word("classification", record.classification)
        word("classification_reason", record.classificationReason)
        key("conn_trace_id")
        if record.connectionTrace == (0, 0) {
            line.append("null")
        } else {
            line.append(.quote)
            line.append(trace: record.connectionTrace)
            line.append(.quote)
        }
        text("transformed_host", request.bytes(record.transformedHost))
        text("transformed_uri", request.bytes(record.transformedURL))
        word("request_transform_status", record.transformStatus)
        line.append(",\"ip_address\":\"")
        line.append(hostOf: record.listener)
        line.append("\"}\n")
    }

    func key(_ name: StaticString) { line.append(key: name) }

    func text(_ name: StaticString, _ text: Span<UInt8>) { line.append(member: name, text) }

    func word(_ name: StaticString, _ word: StaticString?) {
        key(name)
        if let word {
            line.append(.quote)
            line.append(word)
            line.append(.quote)
        } else {
            line.append("null")
        }
    }

    /// The reason code and its detail, as in the Apus-Reason field.
    private func reason(_ word: StaticString?, _ detail: StaticString?) {
        guard let word, let detail else { return self.word("apus_reason", word) }
        key("apus_reason")
        line.append(.quote)
        line.append(word)
        line.append(.slash)
        line.append(detail)
        line.append(.quote)
    }

    private func header(_ name: StaticString, _ request: Head, _ id: FieldID, limit: Int) {
        key(name)
        if request.firstField(id) == nil {
            line.append("null")
        } else {
            line.append(.quote)
            appendHeader(request, id, as: .json, limit: limit)
            line.append(.quote)
        }
    }

    func number(_ name: StaticString, _ value: UInt64?) {
        key(name)
        if let value { line.append(decimal: value) } else { line.append("null") }
    }

    private func time(_ name: StaticString, _ time: Nanoseconds?) {
        key(name)
        if let time { line.append(seconds: time, digitCount: 6) } else { line.append("null") }
    }

    func address(_ prefix: StaticString, _ address: SocketAddress?) {
        line.append(",\"")
        line.append(prefix)
        line.append("_ip\":")
        if let address {
            line.append(.quote)
            line.append(hostOf: address)
            line.append(.quote)
        } else {
            line.append("null")
        }
        line.append(",\"")
        line.append(prefix)
        line.append("_port\":")
        if let address { line.append(decimal: UInt64(address.port)) } else { line.append("null") }
    }
}
