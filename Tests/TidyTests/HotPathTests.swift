import Testing

/// Constructs that cost an allocation, a lock, a reference count or a dynamic call if they run once per request.
private enum Construct: String, CaseIterable {
    case existential, erased, dictionary, throwing, concurrency, escaping, string, lock, weakReference, printing

    var pattern: String {
        switch self {
        case .existential: #"\bany [A-Z(]"#
        case .erased: #"\b(Any|AnyObject|AnyHashable)\b"#
        case .dictionary: #"\bDictionary\b|\[[A-Z][\w.<>]* ?: ?\[*[A-Z][\w.<>?]*\]"#
        case .throwing: #"\bthrows\b"#
        case .concurrency: #"\b(async|await|actor)\b|\bTask *[.{]"#
        case .escaping: #"@escaping\b"#
        case .string: #"\bString\b"#
        case .lock: #"\b(Mutex|pthread_mutex_t|NSLock)\b"#
        case .weakReference: #"\b(weak|unowned)\b"#
        case .printing: #"\b(print|debugPrint|dump)\("#
        }
    }

    var instead: String {
        switch self {
        case .existential: "an enum of the concrete types, or a generic over one"
        case .erased: "the concrete type"
        case .dictionary: "an array indexed by id, or a Slab and its tokens"
        case .throwing: "an enum that names every outcome"
        case .concurrency: "an event and a state: workers run their own loop"
        case .escaping: "a token and an enum that says what to do with it later"
        case .string: "a Span<UInt8>, a ByteRange of the head, or a StaticString; control prepares texts"
        case .lock: "the worker's own copy, a Counter, or a Mailbox"
        case .weakReference: "a token, which resolves to nothing once its owner is gone"
        case .printing: "a counter, the access log, or mail to control"
        }
    }
}

/// The targets whose code runs on workers.
private let hotTargets: Set<String> = [
    "Core", "HTTP1", "HTTP2", "RegularExpressions", "Routing", "TLS", "Telemetry", "Proxy",
]

/// Files in which a construct is allowed, and why.
private let exemptions: [(file: String, constructs: Set<Construct>, reason: String)] = [
    ("Core/Head/ASCII.swift", [.string], "text for errors and tests"),
    ("Core/Network/DatagramSocket+Open.swift", [.throwing], "opened by control; towards targets, a refusal is rare"),
    ("Core/System/ChildProcess.swift", [.string, .throwing], "the demo's processes"),
    ("Core/System/FileDescriptor.swift", [.string, .throwing], "files are used by control and the log thread"),
    ("Core/System/FileKind.swift", [.string], "for errors about files"),
    ("Core/Network/MessageSocket.swift", [.throwing], "used by control, for upgrades"),
    ("Core/System/FileLock.swift", [.string, .throwing, .lock], "taken once, by control"),
    ("Core/System/Folder.swift", [.string, .throwing], "used at start, and by the command line"),
    ("Core/System/FolderWatch.swift", [.string, .throwing, .dictionary, .lock], "used by control"),
    ("Core/Memory/Mailbox.swift", [.lock], "one message per change, never one per request"),
    ("Core/Network/Netlink.swift", [.throwing, .string], "used by control"),
    ("Core/Network/NotifySocket.swift", [.throwing, .string], "used by control"),
    ("Core/Network/PassedSocket.swift", [.throwing, .string], "used by control"),
    ("Core/Network/RoutingTables.swift", [.throwing, .string], "used by control"),
    ("Core/System/SystemProcess.swift", [.string], "used by the command line"),
    ("Core/Network/Socket+Open.swift", [.string, .throwing], "opened by control; towards targets, a refusal is rare"),
    ("Core/Network/SocketAddress.swift", [.string], "read from configuration, and written for people"),
    ("Core/Simulation/SimulatedNetwork.swift", [.string], "debug builds only: the trace of a simulation"),
    ("Core/Simulation/SimulatedStream.swift", [.string], "debug builds only: the trace of a simulation"),
    ("Core/System/SystemError.swift", [.string], "made when something failed"),
    ("Core/System/SystemUser.swift", [.string, .throwing], "asked once, at start"),
    ("Core/System/Terminal.swift", [.string], "used by the command line"),
    ("Core/System/Thread.swift", [.string, .escaping], "once per thread"),
    ("Core/Network/UnixPath.swift", [.string, .throwing], "used at start, for the admin socket"),
    ("Proxy/Flows/DatagramFlow.swift", [.dictionary], "one look-up per batch of datagrams: their senders have no ids"),
    ("Proxy/Flows/ServerIDTable.swift", [.dictionary], "one look-up per flow of QUIC: server ids are sparse"),
    ("Proxy/Flows/Worker+Tunnel.swift", [.throwing], "once per connection; the error says which side failed"),
    ("Proxy/Plans/CohortPlan.swift", [.string], "values that are pinned, hashed by control"),
    ("Proxy/Plans/ListenerPlan.swift", [.string], "names, made by control; workers hand on their bytes"),
    ("Proxy/Plans/GroupPlan.swift", [.string], "names, made by control; workers hand on their bytes"),
    ("Proxy/Plans/GroupSettings.swift", [.string], "names, made by control; workers hand on their bytes"),
    ("Routing/Health/HealthReason.swift", [.string], "words for answers of the admin socket"),
    ("Routing/Health/HealthState.swift", [.string], "the raw values are ELBv2's words, for the admin socket"),
    ("Routing/Rules/RedirectTemplate.swift", [.string], "compiled by control from the configuration's text"),
    ("Routing/Conditions/HostHeaderCondition.swift", [.string], "compiled by control from the configuration's text"),
    ("Routing/Conditions/PathPatternCondition.swift", [.string], "compiled by control from the configuration's text"),
    ("Routing/Conditions/ServerNameCondition.swift", [.string], "compiled by control from the configuration's text"),
    ("Routing/Conditions/HTTPHeaderCondition.swift", [.string], "compiled by control from the configuration's text"),
    ("Routing/Conditions/RequestMethodCondition.swift", [.string], "compiled by control from the configuration's text"),
    ("Routing/Conditions/QueryStringCondition.swift", [.string], "compiled by control from the configuration's text"),
    ("Routing/Conditions/FieldSelector.swift", [.string], "compiled by control from the configuration's text"),
    (
        "Routing/Conditions/HTTPHeaderRegexCondition.swift", [.string],
        "compiled by control from the configuration's text"
    ),
    ("Routing/Rules/EscapedGlob.swift", [.string], "compiled by control from the configuration's text"),
    ("Routing/Rules/FactIndex.swift", [.dictionary], "compiled by control"),
    ("Routing/Rules/RuleAccess.swift", [.dictionary], "compiled by control"),
    ("Routing/Transforms/FieldTemplate.swift", [.string], "compiled by control from the configuration's text"),
    ("Proxy/Plans/FieldChangePlan.swift", [.string], "compiled by control from the configuration's text"),
    ("Routing/Transforms/Rewrite.swift", [.string], "compiled by control from the configuration's text"),
    ("RegularExpressions/RegularExpression.swift", [.string, .throwing], "compiled by control"),
    ("RegularExpressions/RegularExpression+Prefix.swift", [.string], "read off the pattern by control"),
    ("RegularExpressions/HostileInputs.swift", [.string, .throwing], "what `apus check` tries"),
    ("RegularExpressions/PatternSample.swift", [.string], "what `apus check` tries"),
    ("HTTP2/Session/HTTP2Library.swift", [.string], "for people"),
    ("TLS/Certificates/CertificateTable.swift", [.string, .dictionary], "made by control; one look-up per handshake"),
    ("TLS/Certificates/OCSPCheck.swift", [.string, .throwing], "used by control"),
    ("TLS/Certificates/PEM.swift", [.string], "read by control"),
    ("TLS/Certificates/TLSCertificate.swift", [.string, .throwing], "made by control"),
    ("TLS/Certificates/TLSCertificate+Checks.swift", [.string, .throwing], "used by control"),
    (
        "TLS/Context/TLSClientContext.swift", [.string, .throwing],
        "made by control; the target's name once per handshake"
    ),
    ("TLS/Context/TLSLibrary.swift", [.string], "for people"),
    ("TLS/Certificates/TLSMaterialError.swift", [.string], "for people"),
    ("TLS/Context/TLSPolicy.swift", [.string], "configuration"),
    ("TLS/Context/TLSServerContext.swift", [.throwing], "made by control"),
    ("TLS/Certificates/TLSTrustStore.swift", [.throwing], "made by control"),
    ("Core/Time/UTCText.swift", [.string], "used by control, and once per client certificate"),
    ("TLS/Certificates/X509Facts.swift", [.string], "once per certificate"),
    ("Telemetry/Logs/AccessLog.swift", [.string], "the raw values are the configuration's words"),
    ("Telemetry/Logs/LogFile.swift", [.string, .throwing], "opened by control, written by the log thread"),
    ("Telemetry/Logs/LogWriter.swift", [.throwing, .string, .escaping], "used by the log thread and control"),
    ("Telemetry/Metrics/PrometheusText.swift", [.string], "written by control when somebody asks"),
    ("Telemetry/Logs/SharedLog.swift", [.string, .lock], "used by control; workers have rings of their own"),
    ("Telemetry/Metrics/PrometheusText+Metrics.swift", [.string, .escaping], "written by control when somebody asks"),
]

private func hotPathFindings(_ file: RepositoryFile) -> [Finding] {
    let exempt = exemptions.first { $0.file == file.pathInFolder }?.constructs ?? []
    return Construct.allCases.filter { !exempt.contains($0) }.flatMap { construct in
        linesOf(construct, file).map { line in
            Finding(
                path: file.path, line: line,
                message: "\(construct) where workers run: write \(construct.instead); or, if this never runs per "
                    + "request, add an exemption to HotPathTests")
        }
    }
}

private func linesOf(_ construct: Construct, _ file: RepositoryFile) -> [Int] {
    file.text.code.matches(construct.pattern).map(\.line)
}

@Suite struct HotPathTests {
    @Test func workersRunPlainCode() {
        expectTidy(Repository.swiftFiles("Sources").filter { hotTargets.contains($0.module) }, hotPathFindings)
    }

    @Test func exemptionsAreStillNeeded() {
        let files = Repository.swiftFiles("Sources")
        for exemption in exemptions {
            guard let file = files.first(where: { $0.pathInFolder == exemption.file }) else {
                Issue.record("there is no Sources/\(exemption.file): remove its exemption")
                continue
            }
            for construct in exemption.constructs where linesOf(construct, file).isEmpty {
                Issue.record("\(file.path) has no \(construct) any more: remove its exemption")
            }
        }
    }

    @Test(arguments: [
        "var a: any Sequence", "let a: [any Error] = []", "func a(_ b: Any)", "var a: [Token: Int]",
        "var a: Dictionary<Int, Int>", "func a() throws -> Int", "func a() async", "Task { }",
        "func a(_ b: @escaping () -> Void)", "let a: String",
        "let a = Mutex(1)", "weak var a: B?", "print(1)", "var a: [Substring: [Int]]",
    ])
    func isCaught(snippet: String) {
        #expect(hotPathFindings(RepositoryFile(path: "Sources/Proxy/File.swift", snippet)).count == 1)
    }

    @Test(arguments: [
        "// any Sequence", "let a = \"String\"", "let a: StaticString", "let a: [Token]", "a[b ? C : D]",
        "let many = 1",
        "func a(_ b: () -> Void)", "struct Task2 {}", "footprint(1)", "let a: [Int]? = nil", "case anything",
    ])
    func isFine(snippet: String) {
        #expect(hotPathFindings(RepositoryFile(path: "Sources/Proxy/File.swift", snippet)).isEmpty)
    }
}
