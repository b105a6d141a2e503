import Testing

/// Declarations that are not used in Sources, and why they exist.
private let unmentioned = [
    "_rawHashValue": "called by Swift's tables",
    "css": "a content type, made from the raw value in the configuration",
    "cutAfterDecoding": "a reading of paths, made from its number",
    "html": "a content type, made from the raw value in the configuration",
    "javascript": "a content type, made from the raw value in the configuration",
    "openStreamCount": "read by tests and fuzzers: no stream is left",
    "padding": "keeps variables of two threads on different cache lines",
    "subscriberCount": "read by tests: no subscriber is left",
]

/// Variables that are set but not read in Sources, and why.
private let unread = [
    "anomalies": "is kept as long as the services exist",
    "certificateRefresh": "is kept as long as the services exist",
    "hasReceivedGoAway": "read by tests and fuzzers: the session takes no new streams",
    "logLevel": "a requirement of swift-log",
    "lossWatch": "is kept as long as the service exists",
    "memoryWatch": "is kept as long as the service exists",
]

/// Cases that are never created by name in Sources, and why.
private let unmade = [
    "http1Only": "made from the raw value in the configuration",
    "http2Only": "made from the raw value in the configuration",
    "http2Optional": "made from the raw value in the configuration",
    "http2Preferred": "made from the raw value in the configuration",
    "pause": "made from the raw value in the path of a request",
    "promote": "made from the raw value in the path of a request",
    "leastOutstandingRequests": "made from the raw value in the configuration",
    "preserve": "made from the raw value in the configuration",
    "sanDNS": "made from the raw value in the configuration",
    "subjectOU": "made from the raw value in the configuration",
    "tls10": "made from its number on the wire",
    "tls11": "made from its number on the wire",
]

/// Counters of `file` that are never incremented in `sources`.
private func uncountedFindings(_ file: RepositoryFile, in sources: [RepositoryFile]) -> [Finding] {
    let counters = file.text.code.matches(#"let \w+ = (Counter|Gauge|CounterSet<[\w.]+>|LatencyHistogram)\(\)"#)
    let counted = Set(
        sources.flatMap { $0.text.code.matches(#"\b\w+\.(add|record)\("#) }.map { $0.text.prefix { $0 != "." } })
    return counters.compactMap { counter in
        let name = counter.text.split(separator: " ")[1]
        if counted.contains(name) { return nil }
        return Finding(path: file.path, line: counter.line, message: "\(name) is never incremented: remove it")
    }
}

/// Variables of the log records in `file` that are never set in `sources`.
private func unsetFindings(_ file: RepositoryFile, in sources: [RepositoryFile]) -> [Finding] {
    let set = Set(
        sources.flatMap { $0.text.code.matches(#"\b[rR]ecord\.\w+ \+?= "#) }
            .map { String($0.text.split(separator: ".")[1].prefix { $0 != " " }) })
    return file.text.code.matches(#"^    public var \w+(:[^{\n]*)?( =.*)?$"#).compactMap { variable in
        let name = variable.text.split { !$0.isLetter && !$0.isNumber }[2]
        if set.contains(String(name)) { return nil }
        return Finding(path: file.path, line: variable.line, message: "\(name) is never set, so logs never show it")
    }
}

@Suite struct UnusedTests {
    /// The simulated network is left out: tests use it.
    private static let sources = Repository.swiftFiles("Sources").filter { !$0.path.contains("/Simulation/") }
    private static let names = SourceNames(sources)

    @Test func everyDeclarationIsMentioned() {
        for finding in Self.names.unmentioned(besides: unmentioned) { Issue.record("\(finding)") }
    }

    @Test func everyVariableIsRead() {
        for finding in Self.names.unread(besides: unread) { Issue.record("\(finding)") }
    }

    @Test func everyCaseIsMade() {
        for finding in Self.names.unmade(besides: unmade) { Issue.record("\(finding)") }
    }

    @Test func everyCounterIsCounted() {
        let files = Self.sources.filter { $0.path.hasSuffix("Counters.swift") && $0.module == "Telemetry" }
        expectTidy(files) { uncountedFindings($0, in: Self.sources) }
    }

    @Test func everyFactOfALogRecordIsSet() {
        let files = Self.sources.filter { $0.path.hasSuffix("Record.swift") && $0.module == "Telemetry" }
        expectTidy(files) { unsetFindings($0, in: Self.sources.filter { $0.module == "Proxy" }) }
    }

    @Test func exemptionsAreStillNeeded() {
        let names = Self.names
        for name in unmentioned.keys { #expect(names.unmentioned().contains { $0.message.hasPrefix("\(name) ") }) }
        for name in unread.keys { #expect(names.unread().contains { $0.message.hasPrefix("\(name) ") }, "\(name)") }
        for name in unmade.keys { #expect(names.unmade().contains { $0.message.hasPrefix("\(name) ") }, "\(name)") }
    }

    @Test func whatIsUnusedIsCaught() {
        let source = """
            struct Used { var read = 0, isSet = false; func unused() {} }
            enum Phase { case begun, never(Int)
                case over = 3 }
            func use(_ used: Used, label: Int) -> Phase {
                used.isSet = used.read == 1
                switch phase {
                case .never(let value): use(used, label: value)
                case .begun, .over: label ? .over : .begun
                }
            }
            """
        let names = SourceNames([RepositoryFile(path: "Sources/A/B.swift", source)])
        #expect(
            names.unmentioned().map(\.message) == ["unused is declared but not used in Sources: remove it"])
        #expect(names.unread().isEmpty)
        #expect(names.unmade().map(\.message) == ["never is a case that is never created in Sources: remove it"])
        let written = SourceNames([
            RepositoryFile(path: "Sources/A/B.swift", "var total = 0\nfunc f() { total += 1 }\nf()")
        ])
        #expect(written.unread().map(\.line) == [1] && written.unmentioned().isEmpty)
    }

    @Test func whatIsNeverCountedOrSetIsCaught() {
        let counters = RepositoryFile(
            path: "Sources/A/Counters.swift", "    let seen = Counter()\n    let cut = CounterSet<Reason>()")
        let record = RepositoryFile(
            path: "Sources/A/Record.swift", "    public var status: UInt16 = 0\n    public var reason: StaticString?")
        let use = RepositoryFile(path: "Sources/B/C.swift", "counters.seen.add()\nexchange.record.status = 200")
        #expect(uncountedFindings(counters, in: [use]).map(\.line) == [2])
        #expect(unsetFindings(record, in: [use]).map(\.line) == [2])
    }
}
