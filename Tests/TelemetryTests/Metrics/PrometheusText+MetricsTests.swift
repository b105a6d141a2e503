import Testing

@testable import Telemetry

@Suite struct PrometheusTextMetricsTests {
    private let lines: [Substring]

    init() {
        let workers = [WorkerCounters(), WorkerCounters()]
        for (index, worker) in workers.enumerated() {
            worker.requests.add(UInt64(10 + index))
            worker.connectionsActive.add(2)
            worker.connectionsRejected.add(.memoryBudget, 3)
            worker.targetResponses.add(.success, 7)
            worker.countGenerated(status: 503)
            worker.timeouts.add(.targetConnect)
            worker.requestsIPv6.add(5)
            worker.requestDuration.record(2_000_000)
        }
        let blue = [TargetGroupCounters(), TargetGroupCounters()]
        for worker in blue {
            worker.requests.add(4)
            worker.responses.add(.success, 4)
            worker.responseTime.record(1_000_000)
        }
        let groups = [
            TargetGroupMetrics(name: "blue", workers: blue),
            TargetGroupMetrics(name: "green", workers: [TargetGroupCounters()]),
        ]
        var page = PrometheusText()
        page.write(workers: workers, groups: groups)
        lines = page.text.split(separator: "\n")
    }

    @Test(arguments: [
        "apus_requests_total 21",
        "apus_requests_ipv6_total 10",
        #"apus_request_duration_seconds_bucket{le="0.001024"} 0"#,
        #"apus_request_duration_seconds_bucket{le="0.002048"} 2"#,
        "apus_request_duration_seconds_count 2",
        "apus_request_duration_seconds_sum 0.004",
        "apus_client_connections_active 4",
        "apus_connections_cut_by_configuration_total 0",
        #"apus_client_connections_rejected_total{reason="memory_budget"} 6"#,
        #"apus_client_connections_rejected_total{reason="connection_limit"} 0"#,
        #"apus_target_responses_total{class="2xx"} 14"#,
        #"apus_generated_responses_total{class="5xx"} 2"#,
        #"apus_generated_errors_total{status="503"} 2"#,
        #"apus_timeouts_total{kind="target_connect"} 2"#,
        #"apus_target_group_requests_total{target_group="blue"} 8"#,
        #"apus_target_group_requests_total{target_group="green"} 0"#,
        #"apus_target_group_responses_total{target_group="blue",class="2xx"} 8"#,
        #"apus_target_group_response_time_seconds_count{target_group="blue"} 2"#,
        #"apus_target_group_response_time_seconds_sum{target_group="blue"} 0.002"#,
    ])
    func hasLine(line: String) {
        #expect(lines.contains { $0 == line })
    }

    /// What a scraper insists on: each sample after its own TYPE, and no series twice.
    @Test func isWellFormed() throws {
        var current: Substring = ""
        var series: Set<Substring> = []
        for line in lines {
            let words = line.split(separator: " ")
            if line.hasPrefix("# TYPE ") { current = words[2] }
            guard !line.hasPrefix("#") else { continue }
            let name = try #require(words[0].split(separator: "{").first)
            #expect([current, current + "_bucket", current + "_sum", current + "_count"].contains(name))
            #expect(series.insert(words[0]).inserted, "\(line)")
            #expect(Double(words[1]) != nil)
        }
        #expect(series.count > 60)
    }

    /// A quantity that is counted and not shown is forgotten in the table.
    @Test func showsEverythingThatWorkersCount() {
        let properties = Mirror(reflecting: WorkerCounters()).children.count
        let metrics = lines.filter { $0.hasPrefix("# TYPE apus_") && !$0.hasPrefix("# TYPE apus_target_group_") }
        #expect(metrics.count == properties, "\(properties) counted, \(metrics.count) shown")
    }
}
