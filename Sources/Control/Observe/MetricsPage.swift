import Core
import HTTP2
import Model
import Proxy
import Routing
import TLS
import Telemetry

/// Gathers everything that `/metrics` tells: what workers count, what control counts, target states, the process.
struct MetricsPage {
    private let status: any StatusSource

    /// The page of what `status` tells now.
    init(_ status: any StatusSource) { self.status = status }

    /// The page in Prometheus' text format.
    func bytes() throws(AdminError) -> [UInt8] {
        var text = PrometheusText()
        // One sample for each name, whatever happened to the group: scrapers refuse two.
        let counters = Dictionary(status.groupCounters.map { ($0.name, $0.workers) }, uniquingKeysWith: +)
        let groups = counters.sorted { $0.key < $1.key }.map { TargetGroupMetrics(name: $0.key, workers: $0.value) }
        // Workers count the lines that their rings could not take; those that the file did not take are lost as well.
        let log = WorkerCounters()
        log.logLinesDropped.add(status.logLinesLost)
        log.connectionLogLinesDropped.add(status.connectionLogLinesLost)
        text.write(workers: status.workers.map(\.counters) + [log], groups: groups)
        try writeTargets(&text)
        writeRateLimits(&text)
        writeDenials(&text)
        writeDiscovery(&text)
        writeControl(&text)
        writeProcess(&text)
        return text.bytes
    }

    private func writeRateLimits(_ text: inout PrometheusText) {
        let rules = status.rateLimits.sorted {
            ($0.loadBalancer, $0.port, $0.priority) < ($1.loadBalancer, $1.port, $1.priority)
        }
        guard !rules.isEmpty else { return }
        let figures: [(name: String, help: String, value: (RateLimitFigures) -> UInt64)] = [
            (
                "apus_rule_rate_limited_total", "Requests answered with 429 because of the rule's rate limit.",
                \.rejected
            ),
            (
                "apus_rule_rate_limit_displaced_total",
                "Keys of the rule's rate limit that others took the place of before their time.", \.displaced
            ),
        ]
        for figure in figures {
            text.begin(figure.name, .counter, help: figure.help)
            for rule in rules {
                text.sample(
                    figure.value(rule), .init("load_balancer", rule.loadBalancer), .init("port", "\(rule.port)"),
                    .init("priority", "\(rule.priority)"))
            }
        }
    }

    private func writeDenials(_ text: inout PrometheusText) {
        let listeners = status.denials
        guard !listeners.isEmpty else { return }
        let figures: [(name: String, help: String, value: (DenialFigures) -> UInt64)] = [
            (
                "apus_listener_denied_connections_total",
                "Connections reset since the listener's lists of addresses do not allow the client.", \.connections
            ),
            (
                "apus_listener_denied_datagrams_total",
                "Datagrams dropped since the listener's lists of addresses do not allow the client.", \.datagrams
            ),
        ]
        for figure in figures {
            text.begin(figure.name, .counter, help: figure.help)
            for listener in listeners {
                text.sample(
                    figure.value(listener), .init("load_balancer", listener.name.loadBalancer),
                    .init("port", "\(listener.name.port)"))
            }
        }
    }

    private func writeDiscovery(_ text: inout PrometheusText) {
        let sources = status.discovery
        guard !sources.isEmpty else { return }
        text.begin(
            "apus_discovery_source_available", .gauge,
            help: "1 while the group's source of targets answers as it should.")
        for source in sources {
            text.sample(
                source.record.state == .following ? 1 : 0, .init("target_group", source.group ?? ""),
                .init("source", source.kind))
        }
        text.begin(
            "apus_discovery_heard_timestamp_seconds", .gauge,
            help: "When the source was heard last, since 1970; 0 for never.")
        for source in sources {
            text.sample(nanoseconds: source.record.heardAt ?? 0, .init("target_group", source.group ?? ""))
        }
        text.begin("apus_discovery_targets", .gauge, help: "Targets that the source names.")
        for source in sources {
            text.sample(UInt64(source.count), .init("target_group", source.group ?? ""))
        }
        text.begin("apus_discovery_refused_targets", .gauge, help: "What the source names and cannot be a target.")
        for source in sources { text.sample(UInt64(source.refusals.count), .init("target_group", source.group ?? "")) }
        text.begin(
            "apus_discovery_failures_total", .counter, help: "Times that the source did not answer as it should.")
        for source in sources { text.sample(source.record.failuresCount, .init("target_group", source.group ?? "")) }
        text.begin("apus_discovery_batches_total", .counter, help: "Batches of what sources name that changed targets.")
        text.sample(status.discoveryBatches)
    }

    private func writeTargets(_ text: inout PrometheusText) throws(AdminError) {
        let names = status.document.targetGroups.map(\.name).sorted()
        guard !names.isEmpty else { return }
        let failedOpen = Set(status.groupsFailedOpen)
        text.begin(
            "apus_target_group_fail_open", .gauge, help: "1 while all targets are used because too few are healthy.")
        for name in names { text.sample(failedOpen.contains(name) ? 1 : 0, .init("target_group", name)) }
        let failedOver = Set(status.groupsFailedOver)
        text.begin(
            "apus_target_group_failed_over", .gauge,
            help: "1 while fewer targets are healthy than the dns_failover attributes ask for.")
        for name in names { text.sample(failedOver.contains(name) ? 1 : 0, .init("target_group", name)) }
        var counts: [(name: String, targets: TargetCounts)] = []
        for name in names {
            counts.append((name, TargetCounts(try status.targetHealth(group: name, targets: nil))))
        }
        for gauge in Self.gauges {
            text.begin(gauge.name, .gauge, help: gauge.help)
            for (name, targets) in counts { text.sample(gauge.value(targets), .init("target_group", name)) }
        }
        text.begin("apus_targets", .gauge, help: "Registered targets, by state.")
        for (name, targets) in counts {
            for state in TargetState.allCases {
                text.sample(
                    targets.states[state] ?? 0, .init("target_group", name), .init("state", state.rawValue))
            }
        }
    }

    /// What is counted of the targets of each group.
    private static let gauges: [(name: String, help: String, value: @Sendable (TargetCounts) -> UInt64)] = [
        ("apus_target_group_suspects", "Targets that are suspect, and passed over.", { $0.suspects }),
        (
            "apus_target_group_anomalous_targets",
            "Targets that fail more often than the others, with weighted_random.",
            { $0.anomalous }
        ),
        (
            "apus_target_group_mitigated_targets", "Targets that get less since they fail more often.",
            { $0.mitigated }
        ),
        (
            "apus_target_group_ejected_targets", "Targets that are taken out for a while since they fail requests.",
            { $0.ejected }
        ),
        (
            "apus_target_group_held_targets",
            "Targets that fail their checks and are used all the same, by apus.health.max_removals_percent.",
            { $0.held }
        ),
    ]

    private func writeControl(_ text: inout PrometheusText) {
        let tally = status.tally
        text.begin("apus_build_info", .gauge, help: "1, with the version as a label.")
        text.sample(
            1, .init("version", Control.version), .init("openssl", TLSLibrary.version),
            .init("nghttp2", HTTP2Library.version))
        writeCertificates(&text)
        text.begin("apus_uptime_seconds", .gauge, help: "Time since the process began to serve.")
        text.sample(nanoseconds: Instant.now().since(status.startedAt))
        text.begin("apus_workers", .gauge, help: "Worker threads.")
        text.sample(UInt64(status.workers.count))
        text.begin("apus_configuration_generation", .gauge, help: "The snapshot in force; grows with every change.")
        text.sample(status.generation)
        text.begin("apus_changes_not_applied", .gauge, help: "Changes made at run time that do not fit the file.")
        text.sample(UInt64(status.changesNotApplied.count))
        text.begin("apus_reloads_total", .counter, help: "Readings of the file while running, by result.")
        text.sample(tally.reloads, .init("result", "done"))
        text.sample(tally.reloadsRefused, .init("result", "refused"))
        text.begin("apus_changes_total", .counter, help: "Changes asked for over the socket, by result.")
        text.sample(tally.changes, .init("result", "done"))
        text.sample(tally.changesRefused, .init("result", "refused"))
        let rollouts = status.rolloutCounts
        text.begin("apus_rollouts_running", .gauge, help: "Rollouts under way.")
        text.sample(UInt64(rollouts.running))
        text.begin("apus_rollouts_total", .counter, help: "Rollouts that have ended, by how.")
        for phase in RolloutRecord.Phase.allCases where phase.isEnded {
            text.sample(rollouts.ended[phase] ?? 0, .init("result", phase.rawValue))
        }
        text.begin("apus_state_writes_total", .counter, help: "Times that changes were made durable.")
        text.sample(tally.stateWrites)
        text.begin(
            "apus_health_checks_total", .counter,
            help: "Health checks made, by result, and those skipped since requests proved the target healthy.")
        text.sample(tally.healthChecksPassed, .init("result", "passed"))
        text.sample(tally.healthChecksFailed, .init("result", "failed"))
        text.sample(tally.healthChecksSkipped, .init("result", "skipped"))
        text.begin("apus_target_ejections_total", .counter, help: "Targets taken out for a while, by cause.")
        for cause in Ejection.Cause.allCases {
            text.sample(tally.ejections[cause] ?? 0, .init("cause", "\(cause.label)"))
        }
        text.begin(
            "apus_target_ejections_refused_total", .counter,
            help: "Times that a target was to be taken out and could not be spared.")
        text.sample(tally.ejectionsRefused)
        text.begin(
            "apus_health_removals_held_total", .counter,
            help: "Times that a target failed its checks and stayed in use, by apus.health.max_removals_percent.")
        text.sample(tally.removalsHeld)
        text.begin(
            "apus_health_log_lines_dropped_total", .counter,
            help: "Lines of the health check log that the disk did not take in time.")
        text.sample(tally.healthLogLinesDropped)
        text.begin(
            "apus_own_log_lines_dropped_total", .counter, help: "Lines of Apus's own log that nobody read in time.")
        text.sample(tally.ownLogLinesDropped)
        text.begin(
            "apus_metrics_clients_closed_total", .counter,
            help: "Clients of admin.metrics that were closed to make room, or because they took too long.")
        text.sample(tally.metricsClientsClosed)
        text.begin(
            "apus_admin_requests_refused_total", .counter,
            help: "Requests over the admin sockets that were refused since their clients have no role for them.")
        text.sample(tally.adminRequestsRefused)
        text.begin("apus_events_total", .counter, help: "Events told to subscribers.")
        text.sample(status.events.lastSequence)
    }

    private func writeCertificates(_ text: inout PrometheusText) {
        let days = Dictionary(status.certificateDays.map { ($0.file, $0.days) }, uniquingKeysWith: min)
        guard !days.isEmpty else { return }
        text.begin("apus_certificate_expiry_days", .gauge, help: "Days until a certificate expires; 0 after that.")
        for (file, days) in days.sorted(by: { $0.key < $1.key }) {
            text.sample(UInt64(clamping: days), .init("certificate", file))
        }
    }

    /// The names are those that Prometheus' own clients use, so that dashboards know them.
    private func writeProcess(_ text: inout PrometheusText) {
        let figures = ProcessFigures.read()
        text.begin("process_cpu_seconds_total", .counter, help: "Processor time, user and system.")
        text.sample(nanoseconds: figures.cpuTime)
        text.begin("process_resident_memory_bytes", .gauge, help: "Memory in RAM.")
        text.sample(figures.residentBytes)
        text.begin("process_open_fds", .gauge, help: "Open descriptors.")
        text.sample(figures.openDescriptors)
        text.begin("process_max_fds", .gauge, help: "Descriptors that may be open.")
        text.sample(figures.descriptorsMax)
        text.begin("process_start_time_seconds", .gauge, help: "When the process was started, since 1970.")
        text.sample(figures.startedAt)
        text.begin("process_threads", .gauge, help: "Threads of the process.")
        text.sample(figures.threads)
    }
}

/// What is counted of the targets of one group, in one pass.
private struct TargetCounts {
    var states: [TargetState: UInt64] = [:]
    var suspects: UInt64 = 0
    var anomalous: UInt64 = 0
    var mitigated: UInt64 = 0
    var held: UInt64 = 0
    var ejected: UInt64 = 0

    init(_ targets: [TargetHealthDescription]) {
        for target in targets {
            states[target.state, default: 0] += 1
            if target.isSuspect { suspects += 1 }
            if target.isHeld { held += 1 }
            if target.ejection != nil { ejected += 1 }
            if target.anomaly?.isAnomalous ?? false { anomalous += 1 }
            if target.anomaly?.isMitigated ?? false { mitigated += 1 }
        }
    }
}
