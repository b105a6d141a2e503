import Foundation
import HTTP2
import Model
import TLS
import Telemetry
import Testing

@testable import Control

@Suite struct MetricsPageTests {
    private func page(_ actions: RecordingActions) throws -> [String] {
        String(decoding: try MetricsPage(actions).bytes(), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func actions() -> RecordingActions {
        let actions = RecordingActions(document: AdminHarness.document, loop: ControlLoop())
        actions.generation = 5
        actions.changesNotApplied = ["a"]
        actions.logLinesLost = 9
        actions.groupsFailedOpen = ["green"]
        actions.certificateDays = [("b.pem", 12), ("a.pem", -1)]
        actions.denials = [
            DenialFigures(
                name: DenialFigures.Name(loadBalancer: "web", port: 443), connections: 8, datagrams: 9, client: nil)
        ]
        actions.tally = ControlTally(
            reloads: 1, reloadsRefused: 2, changes: 3, changesRefused: 4, stateWrites: 5, healthChecksPassed: 6,
            healthChecksFailed: 7)
        return actions
    }

    @Test func controlIsCounted() throws {
        let lines = try page(actions())
        let libraries = "openssl=\"\(TLSLibrary.version)\",nghttp2=\"\(HTTP2Library.version)\""
        for line in [
            "apus_configuration_generation 5", "apus_changes_not_applied 1", "apus_reloads_total{result=\"done\"} 1",
            "apus_reloads_total{result=\"refused\"} 2", "apus_changes_total{result=\"done\"} 3",
            "apus_changes_total{result=\"refused\"} 4", "apus_state_writes_total 5",
            "apus_health_checks_total{result=\"passed\"} 6", "apus_health_checks_total{result=\"failed\"} 7",
            "apus_log_lines_dropped_total 9", "apus_target_group_fail_open{target_group=\"blue\"} 0",
            "apus_target_group_fail_open{target_group=\"green\"} 1",
            "apus_build_info{version=\"\(Control.version)\",\(libraries)} 1", "apus_workers 0",
            "apus_certificate_expiry_days{certificate=\"a.pem\"} 0",
            "apus_certificate_expiry_days{certificate=\"b.pem\"} 12",
            "apus_listener_denied_connections_total{load_balancer=\"web\",port=\"443\"} 8",
            "apus_listener_denied_datagrams_total{load_balancer=\"web\",port=\"443\"} 9",
            "apus_targets{target_group=\"blue\",state=\"healthy\"} 1",
            "apus_targets{target_group=\"blue\",state=\"unhealthy\"} 1",
            "apus_targets{target_group=\"green\",state=\"draining\"} 0",
        ] { #expect(lines.contains(line), "\(line)") }
        for name in [
            "process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total", "process_threads",
            "process_max_fds", "process_start_time_seconds",
        ] {
            let value = try #require(lines.first { $0.hasPrefix("\(name) ") }).split(separator: " ")[1]
            #expect(try #require(Double(value)) > 0, "\(name)")
        }
    }

    @Test func aGroupThatIsThereTwiceIsCountedOnce() throws {
        let actions = actions()
        let counters = (0..<3).map { _ in TargetGroupCounters() }
        for counter in counters { counter.requests.add(2) }
        actions.groupCounters = [("b", [counters[0]]), ("a", [counters[1]]), ("b", [counters[2]])]
        let lines = try page(actions).filter { $0.hasPrefix("apus_target_group_requests_total") }
        #expect(
            lines == [
                "apus_target_group_requests_total{target_group=\"a\"} 2",
                "apus_target_group_requests_total{target_group=\"b\"} 4",
            ])
    }

    @Test func everySampleHasItsTypeAndComesOnce() throws {
        let lines = try page(actions())
        let samples = lines.filter { !$0.hasPrefix("#") }.map { $0.prefix { $0 != " " } }
        #expect(Set(samples).count == samples.count && samples.count > 50)
        let names = Set(lines.filter { $0.hasPrefix("# TYPE ") }.map { String($0.split(separator: " ")[2]) })
        for sample in samples {
            let name = String(sample.prefix { $0 != "{" })
            #expect(names.contains(name) || names.contains { name.hasPrefix("\($0)_") }, "\(name)")
        }
    }
}
