// How a change of a header field is written, and what may not be changed.

extension FieldChange {
    /// The keys of a change.
    static let description = Description(
        "HeaderChange", "a change of a header field", blank: FieldChange(action: .set, name: ""),
        keys: [
            Key(
                "action", \.action, .word(), required: true,
                "set gives the field this value in place of all that it has, append beside them; remove takes it "
                    + "away."),
            Key("name", \.name, .text(.changedFieldName), required: true, "Name of the field, in any case."),
            Key(
                optional: "value", \.value, .text(.changedFieldValue),
                "For set and append: text in which placeholders such as #{host} stand for the request's own. Where "
                    + "nothing comes of it, set removes the field and append adds none."),
        ],
        check: { change, findings in
            switch change.action {
            case .set, .append:
                guard change.value == nil else { return }
                findings.report(
                    "a change with action \(change.action.rawValue) must have the key value", remedy: "Add value.")
            case .remove:
                guard change.value != nil else { return }
                findings.within(.key("value")) { findings in
                    findings.report(
                        "value belongs to the actions set and append", found: "it with action remove",
                        remedy: "Remove it, or write action: set.")
                }
            }
        })

    /// The list of a rule.
    static let listCodec = Codec<[FieldChange]>.list(description.codec, count: 0...Limits.fieldChangesMax)

    /// The placeholders of a value, without those that have a name of their own.
    static let placeholders = [
        "protocol", "host", "port", "path", "query", "method", "client-ip", "client-port", "sni",
    ]

    /// What a name stands for that no rule may change; nil if it may.
    fileprivate func reason(isRequest: Bool) -> (what: String, remedy: String)? {
        let word = name.lowercased().replacing("_", with: "-")
        switch word {
        case "host":
            return (
                "which host a request is for",
                isRequest ? "Write a transform of type host-header-rewrite." : "Remove the change."
            )
        case "content-length", "transfer-encoding", "trailer":
            return ("where a message ends", "Remove the change; it is written as it is needed.")
        case "connection", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings", "expect":
            return ("what holds for one connection only", "Remove the change; each connection has its own.")
        case "x-forwarded-for" where isRequest:
            return (
                "what Apus itself tells targets",
                "Write routing.http.xff_header_processing.mode in the load balancer's attributes."
            )
        case "x-forwarded-proto", "x-forwarded-port":
            return isRequest ? ("what Apus itself tells targets", "Choose another name.") : nil
        case "grpc-status", "grpc-message":
            return isRequest ? nil : ("how a call of gRPC ended", "Remove the change.")
        default:
            if isRequest, word.hasPrefix("x-amzn-") {
                return ("what Apus itself tells targets", "Choose another name, one that does not begin with X-Amzn-.")
            }
            if word.hasPrefix("sec-websocket-") {
                return ("how a WebSocket is opened", "Remove the change.")
            }
            return nil
        }
    }
}

extension TextRule {
    /// The name of a field that a rule changes.
    static let changedFieldName = TextRule(
        "a field name of 1 to 64 letters, digits, hyphens and underscores",
        length: 1...Limits.changedFieldNameCharactersMax, pattern: "^[A-Za-z0-9_-]+$",
        remedy: "Write a name such as X-Tenant, without a colon."
    ) { $0.utf8.allSatisfy { isAlphanumeric($0) || "-_".utf8.contains($0) } }

    /// The value that a rule gives to a field.
    static let changedFieldValue = TextRule(
        "1 to 1024 visible characters and spaces, none at either end, with "
            + FieldChange.placeholders.map { "#{\($0)}" }.joined(separator: ", ") + " and #{header NAME} if needed",
        length: 1...Limits.responseFieldValueCharactersMax, pattern: "^[!-~]([ -~]*[!-~])?$",
        remedy: "Write a value such as https://#{host}/#{path}."
    ) { text in
        guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), !text.hasPrefix(" "), !text.hasSuffix(" ") else {
            return false
        }
        var rest = Substring(text)
        while let start = rest.firstRange(of: "#{") {
            rest = rest[start.upperBound...]
            guard let end = rest.firstIndex(of: "}") else { return false }
            let word = String(rest[..<end])
            rest = rest[rest.index(after: end)...]
            if FieldChange.placeholders.contains(word) { continue }
            guard word.hasPrefix("header "), changedFieldName.accepts(String(word.dropFirst(7))),
                (1...Limits.changedFieldNameCharactersMax).contains(word.utf8.count - 7)
            else { return false }
        }
        return true
    }
}

extension Rule {
    /// Reports changes of fields by which `listener` tells targets about TLS, under names of its own: they would not
    /// know which of two is true.
    func checkFieldChanges(on listener: Listener, _ findings: inout Findings) {
        guard let attributes = listener.attributes, !requestHeaders.isEmpty else { return }
        func asCGI(_ name: String) -> String { String(name.lowercased().map { $0 == "_" ? "-" : $0 }) }
        let own = Set(attributes.requestFieldNames.map(asCGI))
        for (index, change) in requestHeaders.enumerated() where own.contains(asCGI(change.name)) {
            findings.within([.key("apus.requestHeaders"), .index(index), .key("name")]) { findings in
                findings.report(
                    "name must not be that of a field by which the listener tells targets about TLS",
                    found: Value.quoted(change.name), remedy: "Write another name.",
                    code: .invalidConfigurationRequest)
            }
        }
    }

    /// Reports changes of fields that messages themselves depend on, and those of requests that go to no target.
    func checkFieldChanges(_ findings: inout Findings) {
        for (key, changes, isRequest) in [
            ("apus.requestHeaders", requestHeaders, true), ("apus.responseHeaders", responseHeaders, false),
        ] {
            for (index, change) in changes.enumerated() {
                guard let reason = change.reason(isRequest: isRequest) else { continue }
                findings.within([.key(key), .index(index), .key("name")]) { findings in
                    findings.report(
                        "name must not be that of a field which says \(reason.what)", found: Value.quoted(change.name),
                        remedy: reason.remedy)
                }
            }
        }
        if requestHeaders.count + responseHeaders.count > Limits.fieldChangesMax {
            findings.within(.key("apus.responseHeaders")) { findings in
                findings.report(
                    "a rule must have at most \(Limits.fieldChangesMax) changes of header fields in all",
                    found: "\(requestHeaders.count + responseHeaders.count)", remedy: "Remove some.")
            }
        }
        let forwards = actions.contains { if case .forward = $0 { true } else { false } }
        if !requestHeaders.isEmpty, !forwards {
            findings.within(.key("apus.requestHeaders")) { findings in
                findings.report(
                    "apus.requestHeaders belongs to rules that forward to targets",
                    found: "it beside \(actions.map(\.typeName).joined(separator: ", "))",
                    remedy: "Remove it, or write apus.responseHeaders for what clients get.",
                    code: .invalidConfigurationRequest)
            }
        }
    }
}
