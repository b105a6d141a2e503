import Foundation
import Testing

/// The documents whose commands are run by a test.
@Suite struct AdminAPIDocumentTests {
    @Test("Every command of docs/admin-api.md answers as the page says")
    func adminAPI() throws { try follow("docs/admin-api.md", stepsMin: 25) }

    @Test("Every recipe of docs/deploying.md does what the page says")
    func deploying() throws { try follow("docs/deploying.md", stepsMin: 10) }

    @Test("The tour of README.md shows what happens")
    func readme() throws { try follow("README.md", stepsMin: 4) }

    @Test("docs/metrics.md has the metrics that there are, and no other")
    func metrics() throws {
        let targets = try ["blue", "green"].map(DemoTarget.init)
        let apus = try ApusProcess.start(Self.quickstart(targets))
        let served = try apus.admin("GET", "/metrics").text.split(separator: "\n").compactMap { line in
            line.hasPrefix("# HELP ") ? String(line.dropFirst(7).prefix { $0 != " " }) : nil
        }
        withExtendedLifetime(targets) {}
        // Only where there are certificates, rate limits, lists of addresses and discovery.
        let names = Set(
            served + [
                "apus_certificate_expiry_days", "apus_rule_rate_limited_total", "apus_rule_rate_limit_displaced_total",
                "apus_listener_denied_connections_total", "apus_listener_denied_datagrams_total",
                "apus_discovery_source_available", "apus_discovery_heard_timestamp_seconds", "apus_discovery_targets",
                "apus_discovery_refused_targets", "apus_discovery_failures_total", "apus_discovery_batches_total",
            ])
        let listed = try Self.text("docs/metrics.md").split(separator: "\n").compactMap { line in
            line.hasPrefix("| `apus_") || line.hasPrefix("| `process_")
                ? String(line.dropFirst(3).prefix { $0 != "`" && $0 != "{" }) : nil
        }
        #expect(names.count > 80)
        #expect(names.subtracting(listed).sorted() == [], "docs/metrics.md lacks these")
        let others = Set(listed).subtracting(names).filter { !$0.contains(" ") }
        #expect(others.sorted() == [], "docs/metrics.md has these, and Apus does not")
    }

    /// Runs the steps of a page against what `make run` serves, and compares what they print.
    private func follow(_ page: String, stepsMin: Int) throws {
        let document = ShellDocument(try Self.text(page))
        #expect(document.steps.count >= stepsMin, "\(page) has \(document.steps.count) steps")
        let targets = try ["blue", "blue", "green", "green"].map(DemoTarget.init)
        let apus = try ApusProcess.start(Self.quickstart(targets))
        var ports: ShellDocument.Ports = [(8080, apus.port)]
        for (index, target) in targets.enumerated() { ports.append((UInt16(9001 + index), target.port)) }
        for shown: UInt16 in [8081, 8443, 9005, 9006] { ports.append((shown, try PortAllocator.port())) }
        let outputs = try document.run(in: apus.folder, socket: apus.socketPath, ports: ports)
        withExtendedLifetime(targets) {}
        for (step, output) in zip(document.steps, outputs) {
            for difference in ShellDocument.differences(step, output) {
                Issue.record("\(page):\(step.line): \(difference)")
            }
        }
    }

    private static func text(_ path: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// What conf/quickstart.yaml has, on other ports.
    private static func quickstart(_ targets: [DemoTarget]) -> Document {
        let hello: JSON = [
            "type": "fixed-response",
            "fixedResponseConfig": [
                "statusCode": 200, "contentType": "text/plain",
                "messageBody": "Hello from Apus: this answer needs no target.\n",
            ],
        ]
        func group(_ name: String, _ targets: ArraySlice<DemoTarget>) -> Document.Group {
            .init(
                name, targets.map(\.address),
                settings: [
                    "port": JSON(targets.first?.port ?? 0), "healthCheckPath": "/health",
                    "healthCheckIntervalSeconds": 1, "healthCheckTimeoutSeconds": 0.5, "healthyThresholdCount": 2,
                    "unhealthyThresholdCount": 2,
                ])
        }
        return Document(
            listeners: [
                .init(
                    defaultAction: Document.forward(["blue": 90, "green": 10]),
                    rules: [Document.rule(10, "path-pattern", ["/hello"], hello)])
            ],
            groups: [
                group("blue", targets[..<(targets.count / 2)]), group("green", targets[(targets.count / 2)...]),
            ])
    }

    // MARK: the comparison itself

    private static func step(_ answer: String) throws -> ShellDocument.Step {
        try #require(ShellDocument("```sh run\ntrue\n```\n\(answer)\n").steps.first)
    }

    @Test(arguments: [
        ("{\"a\": 1}", "{\"a\": 2}"), ("{\"a\": 1}", "{\"a\": 1, \"b\": 1}"), ("{\"a\": 1, \"b\": 1}", "{\"a\": 1}"),
        ("[1, 2]", "[1]"), ("{\"a\": {\"b\": [\"c\"]}}", "{\"a\": {\"b\": [\"d\"]}}"),
        ("{\"pid\": 1}", "{\"pid\": \"1\"}"),
        ("{\"a\": 1}", "error"), ("nonsense", "{}"),
    ])
    func anotherAnswerIsFound(shown: String, actual: String) throws {
        #expect(!ShellDocument.differences(try Self.step("```json\n\(shown)\n```"), actual).isEmpty)
    }

    @Test(arguments: [
        ("{\"pid\": 1}", "{\"pid\": 2}"), ("{\"a\": \"…\"}", "{\"a\": [1]}"),
        ("{\"a\": 1, \"…\": \"…\"}", "{\"b\": 2, \"a\": 1}"),
        ("{\"a\": [1, {\"b\": null}]}", "{\"a\":[1,{\"b\":null}]}"),
    ])
    func theSameAnswerIsNone(shown: String, actual: String) throws {
        #expect(ShellDocument.differences(try Self.step("```json\n\(shown)\n```"), actual).isEmpty)
    }

    @Test func textsAreComparedByLines() throws {
        let step = try Self.step("```text\nA   B  0.001 s\n…\nend\n```")
        #expect(ShellDocument.differences(step, "A B  12.5 s\nend").isEmpty)
        #expect(ShellDocument.differences(step, "A B  12.5 s\nmore\nend").isEmpty)
        #expect(!ShellDocument.differences(step, "A C  12.5 s\nend").isEmpty)
        #expect(!ShellDocument.differences(step, "A B  12.5 s\nend\nmore").isEmpty)
        #expect(ShellDocument("```sh\nfalse\n```\n```json\n{}\n```\n").steps.isEmpty)
    }

    @Test func aStepThatFailsIsTold() throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let document = ShellDocument("```sh run\ntrue\n```\n\n```sh run\nfalse\n```\n")
        #expect(throws: ApusFailure.self) { try document.run(in: folder, socket: "", ports: []) }
        let echo = ShellDocument("```sh run\necho 8080\n```\n")
        #expect(try echo.run(in: folder, socket: "", ports: [(8080, 50001)]) == ["8080"])
    }
}
