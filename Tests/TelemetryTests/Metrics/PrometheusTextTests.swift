import Testing

@testable import Telemetry

@Suite struct PrometheusTextTests {
    @Test func writesHelpAndTypeOnce() {
        var page = PrometheusText()
        page.begin("apus_requests_total", .counter, help: "Requests.")
        page.sample(1, .init("worker", "0"))
        page.sample(2, .init("worker", "1"))
        page.begin("apus_uptime_seconds", .gauge, help: "Age.")
        page.sample(nanoseconds: 1_500_000_000)
        #expect(
            page.text == """
                # HELP apus_requests_total Requests.
                # TYPE apus_requests_total counter
                apus_requests_total{worker="0"} 1
                apus_requests_total{worker="1"} 2
                # HELP apus_uptime_seconds Age.
                # TYPE apus_uptime_seconds gauge
                apus_uptime_seconds 1.5

                """)
    }

    @Test func escapesLabelsAndHelp() {
        var page = PrometheusText()
        page.begin("x", .gauge, help: "a\\b\n\"c\"")
        page.sample(1, .init("name", "a\\b\n\"c\" é"), .init("other", ""))
        #expect(
            page.text == """
                # HELP x a\\\\b\\n"c"
                # TYPE x gauge
                x{name="a\\\\b\\n\\"c\\" é",other=""} 1

                """)
    }

    @Test func writesHistograms() {
        let histogram = LatencyHistogram()
        histogram.record(100_000)
        histogram.record(128_001)
        histogram.record(300_000_000_000)
        var sums = LatencySums()
        sums.add(histogram)
        var page = PrometheusText()
        page.begin("t_seconds", .histogram, help: "Times.")
        page.sample(sums, .init("group", "blue"))
        let lines = page.text.split(separator: "\n")
        #expect(lines.count == 2 + 21 + 1 + 2)
        #expect(lines[2] == #"t_seconds_bucket{group="blue",le="0.000128"} 1"#)
        #expect(lines[3] == #"t_seconds_bucket{group="blue",le="0.000256"} 2"#)
        #expect(lines[22] == #"t_seconds_bucket{group="blue",le="134.217728"} 2"#)
        #expect(lines[23] == #"t_seconds_bucket{group="blue",le="+Inf"} 3"#)
        #expect(lines[24] == #"t_seconds_sum{group="blue"} 300.000228001"#)
        #expect(lines[25] == #"t_seconds_count{group="blue"} 3"#)
    }

    static let times: [(UInt64, String)] = [
        (0, "0"), (1, "0.000000001"), (1_000_000_000, "1"), (1_000_000_001, "1.000000001"),
        (128_000, "0.000128"), (90_500_000_000, "90.5"), (UInt64.max, "18446744073.709551615"),
    ]

    @Test(arguments: times) func writesSecondsExactly(nanoseconds: UInt64, expected: String) {
        #expect(PrometheusText.seconds(nanoseconds) == expected)
    }

    @Test func refusesTheSameNameTwice() async {
        await #expect(processExitsWith: .failure) {
            var page = PrometheusText()
            page.begin("x", .gauge, help: "")
            page.begin("x", .gauge, help: "")
        }
    }

    @Test func refusesACounterNotCalledTotal() async {
        await #expect(processExitsWith: .failure) {
            var page = PrometheusText()
            page.begin("requests", .counter, help: "")
        }
    }
}

extension PrometheusText {
    var text: String { String(decoding: bytes, as: UTF8.self) }
}
