import Foundation
import Testing

/// Targets on hosts of their own that die in all the ways there are, under load.
///
/// The bounds on waits are those of a machine that runs other tests at the same time; `Benchmarks/compare` measures how
/// long clients wait on a quiet one.
@Suite(.serialized, .enabled(if: TargetHosts.areAllowed, "network namespaces cannot be made here"))
struct TargetDeathTests {
    /// A way to die, and to come back.
    enum Death: String, CaseIterable, Sendable {
        case killed, stopped, frozen, unplugged, rebooted

        func begin(_ host: TargetHost) throws {
            switch self {
            case .killed: try host.kill()
            case .stopped: try host.stop()
            case .frozen: try host.freeze()
            case .unplugged: try host.unplug()
            case .rebooted: host.powerOff()
            }
        }

        func end(_ host: TargetHost) throws {
            switch self {
            case .killed, .stopped: try host.start()
            case .frozen: try host.thaw()
            case .unplugged: try host.plug()
            case .rebooted: try host.powerOn()
            }
        }

        /// The longest that a client may wait. A frozen target acknowledges and does not answer, so it is only known by
        /// its health checks: three that fail, each within 0.5 s, and 0.5 s between two.
        var longestSeconds: Double {
            switch self {
            case .killed, .stopped: 3
            case .unplugged, .rebooted: 6
            case .frozen: 10
            }
        }
    }

    private func start(_ targets: TargetHosts) throws -> ApusProcess {
        try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [.init("blue", targets.hosts.map(\.address))]), namespace: targets.namespace)
    }

    /// Has a target die and come back while clients ask on; when it died, and when it was back.
    private func passes(
        _ death: Death, _ host: TargetHost, _ apus: ApusProcess, _ loop: ClosedLoop
    ) throws -> (from: Date, to: Date) {
        let began = Date()
        try death.begin(host)
        #expect(apus.target(host.address, becomes: "unhealthy"), "\(death)")
        #expect(loop.goesOn(), "\(death): no request is answered any more")
        try death.end(host)
        #expect(apus.target(host.address, becomes: "healthy"), "\(death): it is back")
        #expect(loop.goesOn(), "\(death)")
        return (began, Date())
    }

    @Test("One of three targets fails and recovers: no GET fails, and none waits long", arguments: Death.allCases)
    func oneDies(death: Death) throws {
        // Answers take a while, so that there are always requests on the target that dies.
        let targets = try TargetHosts(count: 3, .recording(answerSeconds: 0.015))
        let apus = try start(targets)
        let loop = try ClosedLoop(to: apus, in: targets.namespace, pause: 0)
        #expect(loop.goesOn())
        let time = try passes(death, targets.hosts[1], apus, loop)
        let report = loop.finish()
        #expect(report.failedCount == 0, "\(report.outcomes) \(report.failures.prefix(5))")
        let longest = report.longestSeconds(from: time.from, to: time.to)
        print("\(death.rawValue): \(report.answeredCount) GETs, the longest took \(longest) s")
        #expect(longest < death.longestSeconds, "\(report.slow.filter { $0.seconds == longest })")
    }

    @Test("Targets fail one after the other: no GET fails, and no POST that may be retried")
    func oneAfterTheOther() throws {
        let targets = try TargetHosts(count: 3)
        let apus = try start(targets)
        let gets = try ClosedLoop(to: apus, in: targets.namespace, connections: 16, label: "g")
        let posts = try ClosedLoop(to: apus, in: targets.namespace, method: "POST", connections: 8, label: "p")
        #expect(gets.goesOn() && posts.goesOn())
        for (index, death) in Death.allCases.enumerated() {
            _ = try passes(death, targets.hosts[index % 3], apus, gets)
        }
        let read = gets.finish(), written = posts.finish()
        #expect(read.failedCount == 0, "\(read.outcomes) \(read.failures.prefix(5))")
        let processed = targets.processed
        let twice = Dictionary(grouping: processed) { $0 }.filter { $0.value.count > 1 }
        #expect(twice.isEmpty, "POSTs were processed twice: \(twice.keys.prefix(5))")
        #expect(processed.count >= (written.outcomes["200"] ?? 0))
        // A POST that a target's kernel had acknowledged may have been processed: one for each client and death.
        #expect(written.failedCount <= 8 * Death.allCases.count, "\(written.outcomes) \(written.failures.prefix(5))")
        #expect(Set(written.outcomes.keys).isSubset(of: ["200", "502", "504"]), "\(written.outcomes)")
        print("POSTs: \(written.answeredCount), not answered \(written.failedCount)")
    }

    /// A host that disappears may have processed what it did not acknowledge, so such a POST waits for its response,
    /// ten times as long as it takes to suspect the target. Later POSTs use another target.
    @Test("POSTs sent before a host was unplugged are not retried; later ones use another target and do not wait")
    func unacknowledgedPOSTs() throws {
        let targets = try TargetHosts(count: 3)
        let apus = try start(targets)
        let loop = try ClosedLoop(to: apus, in: targets.namespace, method: "POST")
        #expect(loop.goesOn())
        let times = try targets.hosts.map { host in
            let began = Date()
            try host.unplug()
            #expect(apus.target(host.address, becomes: "unhealthy"))
            #expect(loop.goesOn(for: 50))
            try host.plug()
            #expect(apus.target(host.address, becomes: "healthy"))
            #expect(loop.goesOn())
            return began.timeIntervalSince1970
        }
        let report = loop.finish()
        let processed = targets.processed
        #expect(Set(processed).count == processed.count, "a POST was processed twice")
        let lost = report.failures.filter { !processed.contains($0.id) }
        #expect(lost.isEmpty, "failed and never processed: \(lost.prefix(5)) of \(report.outcomes)")
        #expect(report.failedCount <= 4, "\(report.outcomes)")
        // The target is suspect after 1 s, so later requests do not wait for the targets to return.
        let late = report.slow.filter { answer in
            answer.seconds > 1.5 && !times.contains { (-0.5...2).contains(answer.began - $0) }
        }
        #expect(late.isEmpty, "\(late.prefix(5)), unplugged at \(times)")
        print("POSTs to unplugged hosts: \(report.slow.count { $0.seconds > 1.5 }) of \(report.answeredCount) waited")
    }

    @Test(
        "One of three HTTP/2 targets fails and recovers: no GET fails, and none waits long",
        arguments: [Death.killed, .unplugged, .rebooted])
    func oneOfHTTP2Dies(death: Death) throws {
        let targets = try TargetHosts(count: 3, .http2)
        let settings: [String: JSON] = ["protocolVersion": "HTTP2", "healthCheckProtocol": "TCP"]
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [.init("blue", targets.hosts.map(\.address), settings: settings)],
                attributes: ["apus.h2c.enabled": true]), namespace: targets.namespace)
        // 800 requests in a second, for 8 s.
        let words = [
            "h2load", "-n", "6400", "-c", "8", "-m", "8", "--rps", "100", "-N", "30", "http://127.0.0.1:\(apus.port)/",
        ]
        let load = try ChildProcess(targets.words(words), folder: apus.folder, label: "h2load")
        #expect(try eventually { try apus.metric("apus_requests_total") > 800 })
        try death.begin(targets.hosts[1])
        #expect(apus.target(targets.hosts[1].address, becomes: "unhealthy"))
        try death.end(targets.hosts[1])
        #expect(apus.target(targets.hosts[1].address, becomes: "healthy"))
        #expect(load.waitForExit(within: 90) == .exited(0))
        let told = load.standardOutput
        #expect(told.contains("6400 succeeded, 0 failed, 0 errored, 0 timeout"), "\(told)")
        // "time for request:  min  max  mean …", each with its unit.
        let times = try #require(told.split(separator: "\n").first { $0.hasPrefix("time for request:") })
        let longest = String(times.split(separator: " ")[4])
        let isShort = longest.hasSuffix("ms") || longest.hasSuffix("us")
        let seconds = isShort ? 0 : Double(longest.dropLast()) ?? .infinity
        #expect(seconds < death.longestSeconds, "\(longest)")
        print("\(death.rawValue), HTTP/2: the longest request took \(longest)")
    }
}
