import HTTP1
import HTTP2
import Routing

/// Why a client's connection was rejected before its first request.
public enum RejectionReason: UInt8, CounterLabel {
    /// The listener or the process has reached its limit on connections.
    case connectionLimit
    /// The process has used up its memory budget.
    case memoryBudget
    /// The process is out of descriptors.
    case descriptorLimit
    /// The listener requires a PROXY header, and the connection came from a network that is not trusted to send one.
    case untrustedNetwork
    /// The PROXY header was missing, malformed or late.
    case proxyHeader
    /// The listener's lists of addresses do not allow the client.
    case deniedAddress

    /// The label's value in metrics.
    public var label: StaticString {
        switch self {
        case .connectionLimit: "connection_limit"
        case .memoryBudget: "memory_budget"
        case .descriptorLimit: "descriptor_limit"
        case .untrustedNetwork: "untrusted_network"
        case .proxyHeader: "proxy_header"
        case .deniedAddress: "denied_address"
        }
    }
}

/// The state of a client connection that was evicted to make room for another.
public enum EvictedKind: UInt8, CounterLabel {
    /// It had sent nothing since it was accepted.
    case silent
    /// It was idle between requests, longer than any other.
    case idle
    /// It read nothing of its response, and so blocked a target connection (slow read).
    case stalled

    /// The label's value in metrics.
    public var label: StaticString {
        switch self {
        case .silent: "silent"
        case .idle: "idle"
        case .stalled: "stalled"
        }
    }
}

/// Which timeout occurred.
public enum TimeoutKind: UInt8, CounterLabel {
    /// The client sent nothing after it connected.
    case firstByte
    /// The client did not complete a request head in time (slow loris).
    case requestHead
    /// Idle timeout: the client sent or read nothing for too long during an exchange.
    case clientIdle
    /// The client sent a request body more slowly than the minimum rate (slow post).
    case requestBodyRate
    /// The client read a response more slowly than the minimum rate (slow read).
    case responseRate
    /// Keep-alive timeout: the client's connection was idle between requests for too long.
    case clientKeepAlive
    /// A request waited too long for its share of the connections to targets, or for a descriptor.
    case targetWait
    /// A request waited too long until a target takes it, of a group whose targets have a limit.
    case targetQueue
    /// The target did not accept a connection in time.
    case targetConnect
    /// Idle timeout: the target sent nothing for too long.
    case targetIdle
    /// The target's kernel acknowledged nothing for so long that a request that must not be retried was failed.
    case targetUnacknowledged
    /// A client did not complete its TLS handshake in time.
    case tlsHandshake
    /// A target did not complete its TLS handshake in time.
    case targetTLSHandshake
    /// Idle timeout of a flow: both sides were silent for too long.
    case flowIdle

    /// The label's value in metrics.
    public var label: StaticString {
        switch self {
        case .firstByte: "first_byte"
        case .requestHead: "request_head"
        case .clientIdle: "client_idle"
        case .requestBodyRate: "request_body_rate"
        case .responseRate: "response_rate"
        case .clientKeepAlive: "client_keep_alive"
        case .targetWait: "target_wait"
        case .targetQueue: "target_queue"
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

    /// The label's value in metrics.
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

/// A status of responses that Apus makes itself. Source: docs/elbv2.md, "Status codes".
public enum GeneratedStatus: UInt8, CounterLabel {
    case badRequest, methodNotAllowed, requestTimeout, contentTooLarge, uriTooLong, expectationFailed
    case clientClosed, tooManyForwarders, protocolMismatch, misdirected, tooManyRequests
    case internalError, notImplemented, badGateway, unavailable, gatewayTimeout, versionNotSupported
    case redirectTooLong

    /// The case for `code`; nil if Apus never makes a response with it.
    @inlinable public init?(code: UInt16) {
        switch code {
        case 400: self = .badRequest
        case 405: self = .methodNotAllowed
        case 408: self = .requestTimeout
        case 413: self = .contentTooLarge
        case 414: self = .uriTooLong
        case 417: self = .expectationFailed
        case 421: self = .misdirected
        case 429: self = .tooManyRequests
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
        case .tooManyRequests: "429"
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

/// Everything that one worker counts, except what is per target group (`TargetGroupCounters`).
///
/// Shape:  one object, so that each counter is at a fixed offset. The worker writes, any thread reads.
/// Source: docs/elbv2.md, "Metrics". `PrometheusText+Metrics` has their public names.
public final class WorkerCounters: Sendable {
    // Clients.

    /// Connections accepted from the listening sockets.
    public let connectionsAccepted = Counter()
    /// Client connections open now.
    public let connectionsActive = Gauge()
    /// Connections rejected, by reason.
    public let connectionsRejected = CounterSet<RejectionReason>()
    /// Client connections shed because the process was over its memory budget and they held the most.
    public let connectionsShed = Counter()
    /// Exchanges that waited because their client had its share of target connections.
    public let shareWaits = Counter()
    /// Exchanges that waited for a descriptor for their target connection.
    public let descriptorWaits = Counter()
    /// Client connections evicted to make room for others, by their state.
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

    // Flows: relayed connections and datagrams.

    /// Flows begun, by kind.
    public let flows = CounterSet<FlowKind>()
    /// Flows ended, by kind. The difference to `flows` are open.
    public let flowsEnded = CounterSet<FlowKind>()
    /// Flows rejected before they had a target, by kind.
    public let flowsRejected = CounterSet<FlowKind>()
    /// How flows ended.
    public let flowEndings = CounterSet<FlowEnding>()
    /// Bytes relayed in both directions, by kind.
    public let flowBytes = CounterSet<FlowKind>()
    /// Flows that were reset, by the side that reset first.
    public let flowResets = CounterSet<FlowParty>()
    /// Datagrams relayed, in both directions.
    public let datagrams = Counter()
    /// Datagrams dropped, those of clients that a listener denies among them.
    public let datagramsDropped = Counter()
    /// Attempts to connect to a target for which the kernel had no port left.
    public let portAllocationErrors = Counter()
    /// Datagrams of QUIC dropped because no target has their server id; in `datagramsDropped` too.
    public let quicUnknownServerIDs = Counter()
    /// UDP flows evicted as the most idle when the limit was reached.
    public let flowsEvicted = Counter()
    /// Flows sent to a group without a healthy target (fail open).
    public let failOpenFlows = Counter()

    // Exchanges.

    /// Requests whose head was read, valid or not.
    public let requests = Counter()
    /// Requests that came over IPv6.
    public let requestsIPv6 = Counter()
    /// Exchanges in progress now.
    public let requestsActive = Gauge()
    /// The time from the head of a request to the last byte of its response, or to its failure.
    public let requestDuration = LatencyHistogram()
    /// Requests for which a target was chosen.
    public let requestsForwarded = Counter()
    /// Responses of targets that were sent to clients, by class.
    public let targetResponses = CounterSet<StatusClass>()
    /// Responses that Apus made itself, for errors and actions, by class.
    public let generatedResponses = CounterSet<StatusClass>()
    /// Error responses that Apus made itself, by status; 460 is counted and not sent.
    public let generatedStatuses = CounterSet<GeneratedStatus>()
    /// Rules evaluated, except default rules.
    public let ruleEvaluations = Counter()
    /// Responses by fixed-response actions.
    public let fixedResponses = Counter()
    /// Responses by redirect actions.
    public let redirects = Counter()
    /// Requests from which a field with an invalid name was dropped.
    public let invalidHeaderRequestsDropped = Counter()
    /// Requests forwarded with a field whose name is invalid.
    public let invalidHeaderRequestsForwarded = Counter()
    /// Requests that were not compliant with RFC 9112.
    public let nonCompliantRequests = Counter()
    /// Requests answered with 500 because a rule's changes of fields came out too long.
    public let fieldChangesRefused = Counter()
    /// HTTP/1 requests that are not to the letter, served or not, by reason.
    public let classified = CounterSet<Compliance>()
    /// Requests rejected because some servers would resolve their path to one that matches another rule, or to one with
    /// dot segments.
    public let ambiguousPathRequests = Counter()
    /// Requests refused because a regular expression of a rule was given up at its limit.
    public let regexLimits = Counter()
    /// Requests answered with 500 because a transform of their rule failed.
    public let transformFailures = Counter()
    /// Requests answered with 429 because of the rate limit of a rule.
    public let rateLimited = Counter()
    /// What became of the cookies by which requests should stay with a target group of their action.
    public let groupStickiness = CounterSet<StickinessResult>()
    /// Timeouts, by kind.
    public let timeouts = CounterSet<TimeoutKind>()

    // TLS, HTTP/2, gRPC and WebSocket with clients.

    /// TLS handshakes that clients completed.
    public let tlsHandshakes = CounterSet<TLSHandshakeKind>()
    /// TLS connections of clients that failed, in the handshake or later.
    public let tlsFailures = CounterSet<TLSFailureReason>()
    /// HTTP/2 connections of clients.
    public let http2Connections = Counter()
    /// HTTP/2 streams reset by a client or a target, by side.
    public let http2StreamsReset = CounterSet<HTTP2Side>()
    /// HTTP/2 streams that Apus reset for a fault of a client or a target, by side.
    public let http2StreamFaults = CounterSet<HTTP2Side>()
    /// HTTP/2 streams of clients that Apus reset for a fault, by reason.
    public let clientStreamFaults = CounterSet<StreamFaultReason>()
    /// HTTP/2 connections closed for a protocol error or a flood.
    public let http2Faults = CounterSet<HTTP2Fault>()
    /// GOAWAY frames received, by side.
    public let http2GoAways = CounterSet<HTTP2Side>()
    /// Requests that are gRPC calls.
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
    /// Requests sent on a target connection that had served another (keep-alive).
    public let targetConnectionsReused = Counter()
    /// Target connections open now, idle ones included.
    public let targetConnectionsActive = Gauge()
    /// Target connections idle now.
    public let targetConnectionsIdle = Gauge()
    /// Target connections that could not be opened.
    public let targetConnectFailures = Counter()
    /// Target connections that failed during an exchange.
    public let targetConnectionErrors = Counter()
    /// Bytes read from targets.
    public let targetBytesReceived = Counter()
    /// Bytes written to targets.
    public let targetBytesSent = Counter()
    /// How attempts of exchanges and flows on targets ended.
    public let attempts = CounterSet<AttemptOutcome.Ending>()
    /// Malformed responses of targets, by the rule they violated.
    public let malformedResponses = CounterSet<MalformedReason>()
    /// Retries: attempts of an exchange or flow after a failed one.
    public let retries = Counter()
    /// Retries not made because the group's retry budget was used up.
    public let retriesOverBudget = Counter()
    /// Connections to a second or third target because another was slow to connect.
    public let connectRaces = Counter()
    /// Targets that became suspect, by cause.
    public let suspicions = CounterSet<SuspicionCause>()
    /// Requests sent to a target group without a healthy target (fail open).
    public let failOpenRequests = Counter()

    // The worker itself.

    /// Events for connections that were closed already. Harmless, but counted.
    public let staleEvents = Counter()
    /// Bytes of memory held for clients and targets now: buffers, heads, tables. Source: ARCHITECTURE.md, "Memory".
    public let bytesHeld = Gauge()
    /// Access log lines dropped because the ring was full.
    public let logLinesDropped = Counter()
    /// Connection log lines dropped because the ring was full.
    public let connectionLogLinesDropped = Counter()

    /// All at zero.
    public init() {}

    /// Counts an error response that Apus made itself, as opposed to the response of an action.
    @inlinable public func countGenerated(status: UInt16) {
        if let generated = GeneratedStatus(code: status) { generatedStatuses.add(generated) }
        if status != 460 { generatedResponses.add(StatusClass(status)) }
    }
}
