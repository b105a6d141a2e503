import Testing

/// Names that nothing in Sources mentions beside their declarations, and why they are there.
private let unmentioned = [
    "_rawHashValue": "called by Swift's tables",
    "connectionCount": "tests see by it that the demo's target was connected to",
    "css": "a content type, made from what the configuration says",
    "cutAfterDecoding": "a way of reading paths, made from its number",
    "html": "a content type, made from what the configuration says",
    "javascript": "a content type, made from what the configuration says",
    "openStreamCount": "tests and fuzzers see by it that no stream is left",
    "padding": "keeps two threads' words on different lines of the cache",
    "subscriberCount": "tests see by it that nobody is left",
]

/// Variables that are set and that nothing in Sources reads, and why.
private let unread = [
    "certificateRefresh": "lives for as long as the services",
    "hasReceivedGoAway": "tests and fuzzers see by it that a session goes on no longer",
    "lock": "is held for as long as the object lives",
    "logLevel": "a requirement of swift-log",
    "lossWatch": "lives for as long as the service",
    "memoryWatch": "lives for as long as the service",
]

/// Cases that nothing in Sources makes by name, and why.
private let unmade = [
    "http1Only": "made from what the configuration says",
    "http2Only": "made from what the configuration says",
    "http2Optional": "made from what the configuration says",
    "http2Preferred": "made from what the configuration says",
    "preserve": "made from what the configuration says",
    "tls10": "made from its number on the wire",
    "tls11": "made from its number on the wire",
]

/// Counters of `file` that nothing in `sources` counts up.
private func uncountedFindings(_ file: RepositoryFile, in sources: [RepositoryFile]) -> [Finding] {
    let counters = file.text.code.matches(#"let \w+ = (Counter|Gauge|CounterSet<[\w.]+>|LatencyHistogram)\(\)"#)
    let counted = Set(
        sources.flatMap { $0.text.code.matches(#"\b\w+\.(add|record)\("#) }.map { $0.text.prefix { $0 != "." } })
    return counters.compactMap { counter in
        let name = counter.text.split(separator: " ")[1]
        if counted.contains(name) { return nil }
        return Finding(path: file.path, line: counter.line, message: "nothing counts \(name): 0 would prove nothing")
    }
}

/// Variables of the records in `file` that nothing in `sources` sets.
private func unsetFindings(_ file: RepositoryFile, in sources: [RepositoryFile]) -> [Finding] {
    let set = Set(
        sources.flatMap { $0.text.code.matches(#"\b[rR]ecord\.\w+ \+?= "#) }
            .map { String($0.text.split(separator: ".")[1].prefix { $0 != " " }) })
    return file.text.code.matches(#"^    public var \w+(:[^{\n]*)?( =.*)?$"#).compactMap { variable in
        let name = variable.text.split { !$0.isLetter && !$0.isNumber }[2]
        if set.contains(String(name)) { return nil }
        return Finding(path: file.path, line: variable.line, message: "nothing sets \(name): logs would never tell it")
    }
}

@Suite struct UnusedTests {
    /// Without the simulated network, which is for tests.
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
            names.unmentioned().map(\.message) == ["unused is declared and nothing in Sources mentions it: remove it"])
        #expect(names.unread().isEmpty)
        #expect(names.unmade().map(\.message) == ["never is a case that nothing in Sources makes: remove it"])
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
