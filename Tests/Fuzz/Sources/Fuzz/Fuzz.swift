import Core

// The functions that libFuzzer calls. `Fuzz requests -runs=0 FILE` tries one input on one subject.

/// The subjects of fuzzing. Each has a folder of its name in `Corpus`; its files are examples of the input.
enum Subject: String, CaseIterable {
    /// Request heads, as a client sends them.
    case requests
    /// Response heads, as a target sends them.
    case responses
    /// Bodies, whatever delimits them.
    case bodies
    /// Configurations, as JSON and as YAML.
    case configurations
    /// The rules of a listener, and requests that they may match.
    case rules
    /// Cookies of stickiness.
    case cookies
    /// Values of header fields that rules set.
    case templates
    /// Answers of name servers.
    case dnsAnswers = "dns-answers"
    /// PROXY headers.
    case proxyHeaders = "proxy-headers"
    /// The first message of a TLS client.
    case clientHellos = "client-hellos"
    /// A whole HTTP/2 connection with a client.
    case http2Clients = "http2-clients"
    /// A whole HTTP/2 connection with a target.
    case http2Targets = "http2-targets"
    /// Requests that go through a running worker to a target that records what it receives.
    case relays

    /// Checks every promise about `input`.
    func check(_ input: Span<UInt8>) {
        switch self {
        case .requests: Requests.check(input)
        case .responses: Responses.check(input)
        case .bodies: Bodies.check(input)
        case .configurations: Configurations.check(input)
        case .rules: Rules.check(input)
        case .cookies: Cookies.check(input)
        case .templates: Templates.check(input)
        case .dnsAnswers: DNSAnswers.check(input)
        case .proxyHeaders: Beginnings.checkProxyHeader(input)
        case .clientHellos: Beginnings.checkClientHello(input)
        case .http2Clients: Sessions.checkServer(input)
        case .http2Targets: Sessions.checkClient(input)
        case .relays: Relays.check(input)
        }
    }
}

/// The subject of this process. Written once, before the first input.
nonisolated(unsafe) private var chosen: Subject?

/// Reads the subject's name from the arguments; the others are for libFuzzer.
@c(LLVMFuzzerInitialize) public func initialize(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> Int32 {
    let name = CommandLine.arguments.dropFirst().first ?? ""
    guard let subject = Subject(rawValue: name) else {
        let names = Subject.allCases.map(\.rawValue).joined(separator: ", ")
        fatalError("the first argument must be the subject, one of \(names), not \"\(name)\"")
    }
    unsafe chosen = subject
    unsafe arguments.pointee[1] = arguments.pointee[0]
    unsafe arguments.pointee += 1
    unsafe count.pointee -= 1
    return 0
}

/// Checks one input.
@c(LLVMFuzzerTestOneInput) public func test(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    unsafe chosen?.check(Span(_unsafeStart: bytes, count: count))
    return 0
}

/// Ends the process, and so the search, unless `promise` holds.
func demand(_ promise: Bool, _ what: @autoclosure () -> String) {
    if !promise { fatalError("broken promise: \(what())") }
}

/// `bytes` as text for messages, its control characters escaped.
func shown(_ bytes: Span<UInt8>) -> String { bytes.text.debugDescription }
