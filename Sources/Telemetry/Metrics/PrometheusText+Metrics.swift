import HTTP1
import HTTP2
import Routing

/// The name of a target group and its counters, one for each worker.
public struct TargetGroupMetrics: Sendable {
    let name: String
    let workers: [TargetGroupCounters]

    /// The counters of the group called `name`.
    public init(name: String, workers: [TargetGroupCounters]) {
        self.name = name
        self.workers = workers
    }

    fileprivate var label: PrometheusText.Label { .init("target_group", name) }

    fileprivate func sum(_ read: (TargetGroupCounters) -> UInt64) -> UInt64 {
        workers.reduce(0) { $0 &+ read($1) }
    }
}

// The list of all metrics. A counter has to be listed here to be exported.
extension PrometheusText {
    /// Writes all counters, summed over workers: first those of workers, then, with the label `target_group`, those of
    /// each of `groups`, in their order.
    public mutating func write(workers: [WorkerCounters], groups: [TargetGroupMetrics]) {
        for metric in workerMetrics {
            begin("apus_\(metric.name)", metric.kind, help: metric.help)
            sample(workers.reduce(0) { $0 &+ metric.read($1) })
        }
        writeByLabel(workers)
        writeDuration(workers)
        writeGroups(groups)
    }

    private mutating func writeByLabel(_ workers: [WorkerCounters]) {
        begin(
            "apus_client_connections_evicted_total", .counter,
            help: "Client connections and streams evicted to make room for others, by their state.")
        for kind in EvictedKind.allCases { sample(workers, "state", kind) { $0.connectionsEvicted.value(kind) } }

        begin("apus_client_connections_rejected_total", .counter, help: "Client connections rejected, by reason.")
        for reason in RejectionReason.allCases {
            sample(workers, "reason", reason) { $0.connectionsRejected.value(reason) }
        }

        begin("apus_target_responses_total", .counter, help: "Responses from targets, by class of status.")
        for status in StatusClass.allCases { sample(workers, "class", status) { $0.targetResponses.value(status) } }

        begin("apus_generated_responses_total", .counter, help: "Responses made by Apus, by class of status.")
        for status in StatusClass.allCases { sample(workers, "class", status) { $0.generatedResponses.value(status) } }

        begin(
            "apus_requests_classified_total", .counter,
            help: "HTTP/1 requests that are not to the letter, by ALB's class and reason.")
        for compliance in Compliance.allCases {
            guard let name = compliance.classification else { continue }
            sample(
                workers.reduce(0) { $0 &+ $1.classified.value(compliance) }, Label("class", "\(name)"),
                Label("reason", "\(compliance.label)"))
        }

        begin("apus_generated_errors_total", .counter, help: "Error responses made by Apus, by status.")
        for status in GeneratedStatus.allCases {
            sample(workers, "status", status) { $0.generatedStatuses.value(status) }
        }

        begin(
            "apus_forward_stickiness_total", .counter,
            help: "Requests to an action with group stickiness, by what became of their cookie.")
        for result in StickinessResult.allCases {
            sample(workers, "result", result) { $0.groupStickiness.value(result) }
        }

        begin("apus_timeouts_total", .counter, help: "Timeouts, by kind.")
        for kind in TimeoutKind.allCases { sample(workers, "kind", kind) { $0.timeouts.value(kind) } }

        begin("apus_target_attempts_total", .counter, help: "Attempts on targets, by how they ended.")
        for ending in AttemptOutcome.Ending.allCases {
            sample(workers, "result", ending) { $0.attempts.value(ending) }
        }

        begin(
            "apus_target_malformed_responses_total", .counter,
            help: "Malformed responses of targets, by the rule they violated.")
        for reason in MalformedReason.allCases {
            sample(workers, "reason", reason) { $0.malformedResponses.value(reason) }
        }

        begin("apus_target_suspicions_total", .counter, help: "Targets that became suspect, by cause.")
        for cause in SuspicionCause.allCases { sample(workers, "cause", cause) { $0.suspicions.value(cause) } }
        writeFlows(workers)
        writeTLS(workers)
        writeHTTP2(workers)
    }

    private mutating func writeFlows(_ workers: [WorkerCounters]) {
        begin("apus_flows_total", .counter, help: "Connections of network load balancers, by kind.")
        for kind in FlowKind.allCases { sample(workers, "kind", kind) { $0.flows.value(kind) } }

        begin("apus_flows_active", .gauge, help: "Connections of network load balancers open now, by kind.")
        for kind in FlowKind.allCases {
            // In this order a flow that ends meanwhile counts as open, and the difference is never negative.
            sample(workers, "kind", kind) { counters in
                let ended = counters.flowsEnded.value(kind)
                return counters.flows.value(kind) &- ended
            }
        }

        begin(
            "apus_flows_rejected_total", .counter,
            help: "Flows rejected before they had a target; those rejected on accept are not in apus_flows_total.")
        for kind in FlowKind.allCases { sample(workers, "kind", kind) { $0.flowsRejected.value(kind) } }

        begin("apus_flow_endings_total", .counter, help: "Flows that ended, by how they ended.")
        for ending in FlowEnding.allCases { sample(workers, "ended", ending) { $0.flowEndings.value(ending) } }

        begin("apus_flow_bytes_total", .counter, help: "Bytes relayed in both directions, by kind.")
        for kind in FlowKind.allCases { sample(workers, "kind", kind) { $0.flowBytes.value(kind) } }

        begin("apus_flow_resets_total", .counter, help: "Flows that were reset, by the side that reset first.")
        for party in FlowParty.allCases { sample(workers, "by", party) { $0.flowResets.value(party) } }
    }

    private mutating func writeTLS(_ workers: [WorkerCounters]) {
        begin("apus_client_tls_handshakes_total", .counter, help: "TLS handshakes that clients completed, by kind.")
        for kind in TLSHandshakeKind.allCases { sample(workers, "kind", kind) { $0.tlsHandshakes.value(kind) } }

        begin("apus_client_tls_failures_total", .counter, help: "TLS connections of clients that failed, by reason.")
        for reason in TLSFailureReason.allCases {
            sample(workers, "reason", reason) { $0.tlsFailures.value(reason) }
        }

        begin("apus_target_tls_handshakes_total", .counter, help: "TLS handshakes with targets, by kind.")
        for kind in TLSHandshakeKind.allCases { sample(workers, "kind", kind) { $0.targetTLSHandshakes.value(kind) } }

        begin("apus_target_tls_failures_total", .counter, help: "TLS connections to targets that failed, by reason.")
        for reason in TLSFailureReason.allCases {
            sample(workers, "reason", reason) { $0.targetTLSFailures.value(reason) }
        }
    }

    private mutating func writeHTTP2(_ workers: [WorkerCounters]) {
        begin(
            "apus_http2_streams_reset_total", .counter,
            help: "HTTP/2 streams reset by the client or the target, by side.")
        for side in HTTP2Side.allCases { sample(workers, "by", side) { $0.http2StreamsReset.value(side) } }

        begin(
            "apus_http2_stream_faults_total", .counter,
            help: "HTTP/2 streams that Apus reset for a fault of the client or the target, by side.")
        for side in HTTP2Side.allCases { sample(workers, "by", side) { $0.http2StreamFaults.value(side) } }

        begin(
            "apus_client_http2_stream_faults_total", .counter,
            help: "HTTP/2 streams that Apus reset for a fault of the client, by reason.")
        for reason in StreamFaultReason.allCases {
            sample(workers, "reason", reason) { $0.clientStreamFaults.value(reason) }
        }

        begin("apus_http2_goaways_received_total", .counter, help: "HTTP/2 GOAWAY frames received, by side.")
        for side in HTTP2Side.allCases { sample(workers, "from", side) { $0.http2GoAways.value(side) } }

        begin(
            "apus_http2_faults_total", .counter,
            help: "HTTP/2 connections closed for a fault of the client or the target, by reason.")
        for fault in HTTP2Fault.allCases { sample(workers, "reason", fault) { $0.http2Faults.value(fault) } }
    }

    private mutating func sample<Value: CounterLabel>(
        _ workers: [WorkerCounters], _ label: String, _ value: Value, _ read: (WorkerCounters) -> UInt64
    ) {
        sample(workers.reduce(0) { $0 &+ read($1) }, Label(label, "\(value.label)"))
    }

    private mutating func writeDuration(_ workers: [WorkerCounters]) {
        begin(
            "apus_request_duration_seconds", .histogram,
            help: "Time from the head of a request to the last byte of its response.")
        var sums = LatencySums()
        for worker in workers { sums.add(worker.requestDuration) }
        sample(sums)
    }

    private mutating func writeGroups(_ groups: [TargetGroupMetrics]) {
        guard !groups.isEmpty else { return }
        for metric in groupMetrics {
            begin("apus_target_group_\(metric.name)", metric.kind, help: metric.help)
            for group in groups { sample(group.sum(metric.read), group.label) }
        }

        begin("apus_target_group_responses_total", .counter, help: "Responses from the group's targets, by class.")
        for group in groups {
            for status in StatusClass.allCases {
                sample(group.sum { $0.responses.value(status) }, group.label, Label("class", "\(status.label)"))
            }
        }

        begin(
            "apus_target_group_stickiness_total", .counter,
            help: "Requests to a group with stickiness, by what became of their cookie.")
        for group in groups {
            for result in StickinessResult.allCases {
                sample(group.sum { $0.stickiness.value(result) }, group.label, Label("result", "\(result.label)"))
            }
        }

        begin(
            "apus_target_group_response_time_seconds", .histogram,
            help: "Time from the last byte of a request to the first byte of the target's response.")
        for group in groups {
            var sums = LatencySums()
            for worker in group.workers { sums.add(worker.responseTime) }
            sample(sums, group.label)
        }

        begin(
            "apus_target_group_queue_time_seconds", .histogram,
            help: "Time that requests waited until a target of the group took them.")
        for group in groups {
            var sums = LatencySums()
            for worker in group.workers { sums.add(worker.queueTime) }
            sample(sums, group.label)
        }
    }
}

/// One metric without labels: its name without the prefix, and how its value is read.
private struct Metric<Counters>: Sendable {
    let name: String
    let kind: PrometheusText.Kind
    let help: String
    let read: @Sendable (Counters) -> UInt64

    static func counter(_ name: String, _ help: String, _ read: @escaping @Sendable (Counters) -> UInt64) -> Self {
        Metric(name: name, kind: .counter, help: help, read: read)
    }

    static func gauge(_ name: String, _ help: String, _ read: @escaping @Sendable (Counters) -> UInt64) -> Self {
        Metric(name: name, kind: .gauge, help: help, read: read)
    }
}

private let workerMetrics: [Metric<WorkerCounters>] = [
    .counter("client_connections_accepted_total", "Connections accepted from clients.") {
        $0.connectionsAccepted.value
    },
    .gauge("client_connections_active", "Client connections open now.") { $0.connectionsActive.value },
    .counter(
        "target_share_waits_total", "Requests that waited because their client had its share of target connections."
    ) {
        $0.shareWaits.value
    },
    .counter("descriptor_waits_total", "Requests that waited for a descriptor for their target connection.") {
        $0.descriptorWaits.value
    },
    .counter("client_connections_shed_total", "Client connections closed to free memory.") { $0.connectionsShed.value },
    .counter(
        "connections_cut_by_configuration_total",
        "Exchanges and flows that a removed UDP listener or the shutdown deadline cut; no other change does."
    ) {
        $0.connectionsCutByConfiguration.value
    },
    .counter("exchanges_cut_by_deregistration_total", "Exchanges and flows cut when a deregistration delay ended.") {
        $0.exchangesCutByDeregistration.value
    },
    .counter("client_received_bytes_total", "Bytes read from clients.") { $0.clientBytesReceived.value },
    .counter("client_sent_bytes_total", "Bytes written to clients.") { $0.clientBytesSent.value },
    .counter("requests_total", "Requests whose head was read.") { $0.requests.value },
    .counter("requests_ipv6_total", "Requests whose head was read over IPv6.") { $0.requestsIPv6.value },
    .gauge("requests_active", "Requests in progress now.") { $0.requestsActive.value },
    .counter("requests_forwarded_total", "Requests for which a target was chosen.") { $0.requestsForwarded.value },
    .counter("rule_evaluations_total", "Rules evaluated, except default rules.") { $0.ruleEvaluations.value },
    .counter("fixed_responses_total", "Responses by fixed-response actions.") { $0.fixedResponses.value },
    .counter("redirects_total", "Responses by redirect actions.") { $0.redirects.value },
    .counter("requests_invalid_header_dropped_total", "Requests from which a header with an invalid name was dropped.")
    {
        $0.invalidHeaderRequestsDropped.value
    },
    .counter("requests_invalid_header_forwarded_total", "Requests forwarded with a header whose name is invalid.") {
        $0.invalidHeaderRequestsForwarded.value
    },
    .counter("requests_non_compliant_total", "Requests not compliant with RFC 9112.") { $0.nonCompliantRequests.value },
    .counter("requests_ambiguous_path_total", "Requests rejected because servers resolve their path differently.") {
        $0.ambiguousPathRequests.value
    },
    .counter("requests_regex_limit_total", "Requests refused because a rule's regular expression reached its limit.") {
        $0.regexLimits.value
    },
    .counter("requests_transform_failed_total", "Requests answered with 500 because a transform failed.") {
        $0.transformFailures.value
    },
    .counter("requests_header_changes_too_long_total", "Requests answered with 500: header changes came out too long.")
    {
        $0.fieldChangesRefused.value
    },
    .counter("requests_rate_limited_total", "Requests answered with 429 because of a rule's rate limit.") {
        $0.rateLimited.value
    },
    .counter("client_http2_connections_total", "HTTP/2 connections of clients.") { $0.http2Connections.value },
    .counter("grpc_requests_total", "Requests that are gRPC calls.") { $0.grpcRequests.value },
    .counter("datagrams_total", "Datagrams relayed, in both directions.") { $0.datagrams.value },
    .counter("datagrams_dropped_total", "Datagrams dropped.") { $0.datagramsDropped.value },
    .counter(
        "port_allocation_errors_total", "Attempts to connect to a target for which the system had no free port."
    ) {
        $0.portAllocationErrors.value
    },
    .counter("quic_unknown_server_ids_total", "Datagrams of QUIC dropped because no target has their server id.") {
        $0.quicUnknownServerIDs.value
    },
    .counter("flows_evicted_total", "UDP flows evicted as the most idle, to make room.") { $0.flowsEvicted.value },
    .counter("fail_open_flows_total", "Flows sent to a group without a healthy target (fail open).") {
        $0.failOpenFlows.value
    },
    .counter("websockets_total", "WebSockets opened.") { $0.webSockets.value },
    .gauge("websockets_active", "WebSockets open now.") { $0.webSocketsActive.value },
    .counter("target_http2_connections_opened_total", "HTTP/2 connections opened to targets.") {
        $0.targetHTTP2Connections.value
    },
    .counter("target_connections_opened_total", "Connections opened to targets.") { $0.targetConnectionsOpened.value },
    .counter("target_connections_reused_total", "Requests sent on a target connection used before.") {
        $0.targetConnectionsReused.value
    },
    .gauge("target_connections_active", "Target connections open now, idle ones included.") {
        $0.targetConnectionsActive.value
    },
    .gauge("target_connections_idle", "Target connections idle now.") { $0.targetConnectionsIdle.value },
    .counter("target_connect_failures_total", "Target connections that could not be opened.") {
        $0.targetConnectFailures.value
    },
    .counter("target_connection_errors_total", "Target connections that failed during an exchange.") {
        $0.targetConnectionErrors.value
    },
    .counter("target_received_bytes_total", "Bytes read from targets.") { $0.targetBytesReceived.value },
    .counter("target_sent_bytes_total", "Bytes written to targets.") { $0.targetBytesSent.value },
    .counter("retries_total", "Attempts of requests and flows after a failed one.") { $0.retries.value },
    .counter("retries_over_budget_total", "Retries not made because the group's retry budget was used up.") {
        $0.retriesOverBudget.value
    },
    .counter("connect_races_total", "Second and third targets tried because another was slow to connect.") {
        $0.connectRaces.value
    },
    .counter("fail_open_requests_total", "Requests sent to a group without a healthy target (fail open).") {
        $0.failOpenRequests.value
    },
    .counter("stale_events_total", "Events for connections already closed.") { $0.staleEvents.value },
    .gauge("held_bytes", "Bytes of memory held for connections now.") { $0.bytesHeld.value },
    .counter("log_lines_dropped_total", "Access log lines dropped because the log could not keep up.") {
        $0.logLinesDropped.value
    },
    .counter("connection_log_lines_dropped_total", "Connection log lines dropped because the log could not keep up.") {
        $0.connectionLogLinesDropped.value
    },
]

private let groupMetrics: [Metric<TargetGroupCounters>] = [
    .counter("requests_total", "Requests for which a target of the group was chosen.") { $0.requests.value },
    .gauge("requests_active", "Requests of the group in progress now.") { $0.requestsActive.value },
    .counter("requests_ended_total", "Requests of the group that have ended.") { $0.requestsEnded.value },
    .counter(
        "requests_failed_total",
        "Of those, the ones that failed: a status of 500 or more, a response cut short, or a gRPC status that says so."
    ) { $0.requestsFailed.value },
    .counter(
        "requests_abandoned_total", "Requests of the group whose clients went away before the response began."
    ) { $0.requestsAbandoned.value },
    .counter("flows_total", "Flows relayed to a target of the group.") { $0.flows.value },
    .gauge("flows_active", "Flows of the group open now.") { $0.flowsActive.value },
    .counter("connection_errors_total", "Connections to the group's targets that could not be opened.") {
        $0.connectionErrors.value
    },
    .counter("fail_open_requests_total", "Requests sent while too few targets of the group were healthy (fail open).") {
        $0.failOpenRequests.value
    },
    .gauge("queue_length", "Requests that wait now until a target of the group takes them.") { $0.queueLength.value },
    .counter("queue_timeouts_total", "Requests that waited too long for a target of the group.") {
        $0.queueTimeouts.value
    },
    .counter("queue_rejections_total", "Requests refused because as many waited for the group as may.") {
        $0.queueRejections.value
    },
]
