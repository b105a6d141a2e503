/// Why a client's connection was refused or closed before it could ask for anything.
public enum RejectionReason: UInt8, CounterLabel {
    /// The listener or the process has as many connections as it may.
    case connectionLimit
    /// The process holds as many bytes as it may.
    case memoryBudget
    /// The process has no descriptor left.
    case descriptorLimit
    /// It came from a network that is not trusted to name clients, to a listener that wants them named.
    case untrustedNetwork
    /// It did not begin with a good PROXY header, or not in time.
    case proxyHeader

    /// As written in metrics.
    public var label: StaticString {
        switch self {
        case .connectionLimit: "connection_limit"
        case .memoryBudget: "memory_budget"
        case .descriptorLimit: "descriptor_limit"
        case .untrustedNetwork: "untrusted_network"
        case .proxyHeader: "proxy_header"
        }
    }
}

/// What a client connection was doing that was closed to make room for another.
public enum EvictedKind: UInt8, CounterLabel {
    /// It had not said anything since it was accepted.
    case silent
    /// It was between requests, and of all such ones for the longest time.
    case idle
    /// It kept a target waiting by taking nothing of its response.
    case stalled

    /// As written in metrics.
    public var label: StaticString {
        switch self {
        case .silent: "silent"
        case .idle: "idle"
        case .stalled: "stalled"
        }
    }
}

/// Which timer ran out.
public enum TimeoutKind: UInt8, CounterLabel {
    /// The client said nothing at all in time.
    case firstByte
    /// The client did not complete a request head in time.
    case requestHead
    /// The client sent or took nothing for too long in the middle of an exchange.
    case clientIdle
    /// The client sent a request body slower than the least rate.
    case requestBodyRate
    /// The client took a response slower than the least rate.
    case responseRate
    /// The client's connection was idle between requests for too long.
    case clientKeepAlive
    /// A request waited too long for its share of the connections to targets, or for a descriptor.
    case targetWait
    /// The target did not accept a connection in time.
    case targetConnect
    /// The target sent nothing for too long.
    case targetIdle
    /// The target's kernel acknowledged nothing for so long that a request which must not be repeated was given up.
    case targetUnacknowledged
    /// A client did not complete its TLS handshake in time.
    case tlsHandshake
    /// A target did not complete its TLS handshake in time.
    case targetTLSHandshake
    /// Both sides of a flow were silent for too long.
    case flowIdle

    /// As written in metrics.
    public var label: StaticString {
        switch self {
        case .firstByte: "first_byte"
        case .requestHead: "request_head"
        case .clientIdle: "client_idle"
        case .requestBodyRate: "request_body_rate"
        case .responseRate: "response_rate"
        case .clientKeepAlive: "client_keep_alive"
        case .targetWait: "target_wait"
        case .targetConnect: "target_connect"
        case .targetIdle: "target_idle"
        case .targetUnacknowledged: "target_unacknowledged"
        case .tlsHandshake: "tls_handshake"
        case .targetTLSHandshake: "target_tls_handshake"
        case .flowIdle: "flow_idle"
        }
    }
}

/// The first digit of a response's status.
public enum StatusClass: UInt8, CounterLabel {
    case informational, success, redirection, clientError, serverError

    /// The class of `status`; anything outside 100–599 counts as `serverError`.
    @inlinable public init(_ status: UInt16) {
        switch status {
        case 100...199: self = .informational
        case 200...299: self = .success
        case 300...399: self = .redirection
        case 400...499: self = .clientError
        default: self = .serverError
        }
    }

    /// As written in metrics.
    public var label: StaticString {
        switch self {
        case .informational: "1xx"
        case .success: "2xx"
        case .redirection: "3xx"
        case .clientError: "4xx"
        case .serverError: "5xx"
        }
    }
}

/// A status that Apus answers with itself. Source: docs/elbv2.md, "Status codes".
public enum GeneratedStatus: UInt8, CounterLabel {
    case badRequest, methodNotAllowed, requestTimeout, contentTooLarge, uriTooLong, expectationFailed
    case clientClosed, tooManyForwarders, protocolMismatch, misdirected
    case internalError, notImplemented, badGateway, unavailable, gatewayTimeout, versionNotSupported
    case redirectTooLong

    /// The status for `code`, or nil if Apus never answers with it for a reason of its own.
    @inlinable public init?(code: UInt16) {
        switch code {
        case 400: self = .badRequest
        case 405: self = .methodNotAllowed
        case 408: self = .requestTimeout
        case 413: self = .contentTooLarge
        case 414: self = .uriTooLong
        case 417: self = .expectationFailed
        case 421: self = .misdirected
        case 460: self = .clientClosed
        case 463: self = .tooManyForwarders
        case 464: self = .protocolMismatch
        case 500: self = .internalError
        case 501: self = .notImplemented
        case 502: self = .badGateway
        case 503: self = .unavailable
        case 504: self = .gatewayTimeout
        case 505: self = .versionNotSupported
        case 507: self = .redirectTooLong
        default: return nil
        }
    }

    /// The three digits.
    public var label: StaticString {
        switch self {
        case .badRequest: "400"
        case .methodNotAllowed: "405"
        case .requestTimeout: "408"
        case .contentTooLarge: "413"
        case .uriTooLong: "414"
        case .expectationFailed: "417"
        case .misdirected: "421"
        case .clientClosed: "460"
        case .tooManyForwarders: "463"
        case .protocolMismatch: "464"
        case .internalError: "500"
        case .notImplemented: "501"
        case .badGateway: "502"
        case .unavailable: "503"
        case .gatewayTimeout: "504"
        case .versionNotSupported: "505"
        case .redirectTooLong: "507"
        }
    }
}

/// Everything one worker counts, whatever it is about; what is about a target group is in `TargetGroupCounters`.
///
/// Shape:  words inside one object, so a worker reaches each at a fixed offset. The worker writes, any thread reads.
/// Source: docs/elbv2.md, "Metrics". `PrometheusText+Metrics` has their public names.
public final class WorkerCounters: Sendable {
    // Clients.

    /// Connections taken from the listening sockets.
    public let connectionsAccepted = Counter()
    /// Client connections open now.
    public let connectionsActive = Gauge()
    /// Connections refused, by reason.
    public let connectionsRejected = CounterSet<RejectionReason>()
    /// Client connections closed because the process held too many bytes and they held the most.
    public let connectionsShed = Counter()
    /// Exchanges that waited because their client had its share of the connections to targets.
    public let shareWaits = Counter()
    /// Exchanges that waited for a descriptor for their connection to a target.
    public let descriptorWaits = Counter()
    /// Client connections closed to make room for others, by what they were doing.
    public let connectionsEvicted = CounterSet<EvictedKind>()
    /// Exchanges, tunnels and flows of datagrams that ended before their own end because the configuration changed or
    /// the process stopped: flows of a UDP listener that was removed, and what the shutdown deadline interrupts. No
    /// other change of the configuration ends any.
    public let connectionsCutByConfiguration = Counter()
    /// Exchanges, tunnels and flows of datagrams cut because their target's deregistration delay was over.
    public let exchangesCutByDeregistration = Counter()
    /// Bytes read from clients.
    public let clientBytesReceived = Counter()
    /// Bytes written to clients.
    public let clientBytesSent = Counter()

    // Flows: connections that are passed on.

    /// Flows begun, by kind.
    public let flows = CounterSet<FlowKind>()
    /// Flows ended, by kind: the others are going on.
    public let flowsEnded = CounterSet<FlowKind>()
    /// Flows that were refused before they had a target, by kind.
    public let flowsRejected = CounterSet<FlowKind>()
    /// How flows ended.
    public let flowEndings = CounterSet<FlowEnding>()
    /// Bytes passed on, both ways, by kind.
    public let flowBytes = CounterSet<FlowKind>()
    /// Resets that were passed on, by who sent them first, and those that we have sent ourselves.
    public let flowResets = CounterSet<FlowParty>()
    /// Datagrams passed on, both ways.
    public let datagrams = Counter()
    /// Datagrams that could not be sent on.
    public let datagramsDropped = Counter()
    /// Flows of datagrams that were the idlest when there were as many as may be.
    public let flowsEvicted = Counter()
    /// Flows sent to a group of which no target was healthy.
    public let failOpenFlows = Counter()

    // Exchanges.

    /// Requests whose head was read, valid or not.
    public let requests = Counter()
    /// Those of them that came over IPv6.
    public let requestsIPv6 = Counter()
    /// Exchanges going on now.
    public let requestsActive = Gauge()
    /// From a request's head read to the last byte of its response handed to the kernel, or to its failure.
    public let requestDuration = LatencyHistogram()
    /// Requests for which a target was chosen.
    public let requestsForwarded = Counter()
    /// Responses that targets gave, as sent to clients.
    public let targetResponses = CounterSet<StatusClass>()
    /// Responses that Apus made, whatever for.
    public let generatedResponses = CounterSet<StatusClass>()
    /// Refusals and failures that Apus answered itself, by status; 460 is counted and not sent.
    public let generatedStatuses = CounterSet<GeneratedStatus>()
    /// Rules tried, default rules excepted.
    public let ruleEvaluations = Counter()
    /// Answers that a fixed-response action gave.
    public let fixedResponses = Counter()
    /// Answers that a redirect action gave.
    public let redirects = Counter()
    /// Requests from which a field with an invalid name was dropped.
    public let invalidHeaderRequestsDropped = Counter()
    /// Requests forwarded with a field whose name is invalid.
    public let invalidHeaderRequestsForwarded = Counter()
    /// Requests that were not compliant with RFC 9112.
    public let nonCompliantRequests = Counter()
    /// Those among them whose path could be read as one that another rule is for, or as one with dot segments.
    public let ambiguousPathRequests = Counter()
    /// Timers that ran out, by kind.
    public let timeouts = CounterSet<TimeoutKind>()

    // TLS, HTTP/2, gRPC and WebSocket with clients.

    /// TLS handshakes that clients completed.
    public let tlsHandshakes = CounterSet<TLSHandshakeKind>()
    /// TLS connections of clients that failed, in the handshake or behind it.
    public let tlsFailures = CounterSet<TLSFailureReason>()
    /// HTTP/2 connections of clients.
    public let http2Connections = Counter()
    /// Streams that the other side has reset, by who it was.
    public let http2StreamsReset = CounterSet<HTTP2Side>()
    /// HTTP/2 streams that we reset for a fault of the other side's, by who it was.
    public let http2StreamFaults = CounterSet<HTTP2Side>()
    /// Those of clients, by reason.
    public let clientStreamFaults = CounterSet<StreamFaultReason>()
    /// HTTP/2 connections ended because the other side broke the rules or their spirit.
    public let http2Faults = CounterSet<HTTP2FaultReason>()
    /// GOAWAYs received, by from whom.
    public let http2GoAways = CounterSet<HTTP2Side>()
    /// Calls of gRPC among the requests.
    public let grpcRequests = Counter()
    /// WebSockets opened.
    public let webSockets = Counter()
    /// WebSockets open now.
    public let webSocketsActive = Gauge()

    // Targets.

    /// TLS handshakes with targets.
    public let targetTLSHandshakes = CounterSet<TLSHandshakeKind>()
    /// TLS connections to targets that failed.
    public let targetTLSFailures = CounterSet<TLSFailureReason>()
    /// HTTP/2 connections opened to targets.
    public let targetHTTP2Connections = Counter()
    /// Connections opened to targets.
    public let targetConnectionsOpened = Counter()
    /// Requests sent on a connection that had served another before.
    public let targetConnectionsReused = Counter()
    /// Target connections open now, idle ones included.
    public let targetConnectionsActive = Gauge()
    /// Target connections idle now.
    public let targetConnectionsIdle = Gauge()
    /// Connections that could not be opened.
    public let targetConnectFailures = Counter()
    /// Connections that broke in the middle of an exchange.
    public let targetConnectionErrors = Counter()
    /// Bytes read from targets.
    public let targetBytesReceived = Counter()
    /// Bytes written to targets.
    public let targetBytesSent = Counter()
    /// How attempts of exchanges and flows on targets ended.
    public let attempts = CounterSet<AttemptResult>()
    /// Answers of targets that could not be passed on, by the rule they have broken.
    public let malformedResponses = CounterSet<MalformedReason>()
    /// Attempts begun after the first of an exchange or flow had failed.
    public let retries = Counter()
    /// Retries that were not made because the group's budget was spent.
    public let retriesOverBudget = Counter()
    /// Targets that were connected to because another one did not take the connection in its head start.
    public let connectRaces = Counter()
    /// Targets that became suspect, by cause.
    public let suspicions = CounterSet<SuspicionCause>()
    /// Requests sent to a target group of which no target was healthy.
    public let failOpenRequests = Counter()

    // The worker itself.

    /// Events for something that was gone already: harmless, but counted.
    public let staleEvents = Counter()
    /// Bytes held for strangers now: buffers, heads, tables. Source: ARCHITECTURE.md, "Memory".
    public let bytesHeld = Gauge()
    /// Access log lines dropped because the ring was full.
    public let logLinesDropped = Counter()
    /// Connection log lines dropped because the ring was full.
    public let connectionLogLinesDropped = Counter()

    /// All at zero.
    public init() {}

    /// Counts a response that Apus made itself for a reason of its own, as opposed to an action of a rule.
    @inlinable public func countGenerated(status: UInt16) {
        if let generated = GeneratedStatus(code: status) { generatedStatuses.add(generated) }
        if status != 460 { generatedResponses.add(StatusClass(status)) }
    }
}
