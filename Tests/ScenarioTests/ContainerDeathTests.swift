import Foundation
import Testing

/// Targets in containers that are killed, stopped, paused, disconnected and restarted under load. When a container
/// ends, its address disappears: packets to it are lost, and connections are neither accepted nor refused.
@Suite(.serialized, .enabled(if: Containers.areAllowed, "a Docker daemon cannot be started here"))
struct ContainerDeathTests {
    /// How a container fails, and how it recovers.
    enum Death: String, CaseIterable, Sendable {
        case killed, stopped, paused, disconnected, restarted

        func begin(_ container: Container) throws {
            switch self {
            case .killed: try container.kill()
            case .stopped: try container.stop()
            case .paused: try container.pause()
            case .disconnected: try container.disconnect()
            case .restarted: try container.restart()
            }
        }

        func end(_ container: Container) throws {
            switch self {
            case .killed, .stopped: try container.start()
            case .paused: try container.unpause()
            case .disconnected: try container.connect()
            case .restarted: break
            }
        }
    }

    /// The longest time that a client may wait on a machine that runs other tests; see `TargetDeathTests`. A container
    /// may have acknowledged a request before it failed in any of these ways, and then only its checks tell.
    private static let longestSeconds = 6.0

    private func start(_ targets: Containers) throws -> ApusProcess {
        try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [.init("blue", targets.hosts.map(\.address))]), namespace: targets.namespace)
    }

    /// Makes a container fail and recover while clients send requests. Returns when it failed and when it recovered.
    private func passes(
        _ death: Death, _ container: Container, _ apus: ApusProcess, _ loop: ClosedLoop
    ) throws -> (from: Date, to: Date) {
        let began = Date()
        try death.begin(container)
        if death != .restarted { #expect(apus.target(container.address, becomes: "unhealthy"), "\(death)") }
        #expect(loop.goesOn(), "\(death): no request is answered any more")
        try death.end(container)
        #expect(apus.target(container.address, becomes: "healthy"), "\(death): it is back")
        #expect(loop.goesOn(), "\(death)")
        return (began, Date())
    }

    @Test("Containers fail one after the other: no GET fails, and none waits long", arguments: [2, 3])
    func oneAfterTheOther(count: Int) throws {
        let targets = try Containers(count: count, answerSeconds: 0.015)
        let apus = try start(targets)
        let loop = try ClosedLoop(to: apus, in: targets.namespace, pause: 0)
        #expect(loop.goesOn())
        let times = try Death.allCases.enumerated().map { index, death in
            try passes(death, targets.hosts[index % count], apus, loop)
        }
        let report = loop.finish()
        #expect(report.failedCount == 0, "\(report.outcomes) \(report.failures.prefix(5))")
        for (death, time) in zip(Death.allCases, times) {
            let longest = report.longestSeconds(from: time.from, to: time.to)
            print("container \(death): the longest of \(report.answeredCount) GETs took \(longest) s")
            #expect(longest < Self.longestSeconds, "\(death): \(report.slow.filter { $0.seconds == longest })")
        }
    }

    @Test("Containers fail one after the other: no POST is processed twice, and few fail")
    func posts() throws {
        let targets = try Containers(count: 3)
        let apus = try start(targets)
        let gets = try ClosedLoop(to: apus, in: targets.namespace, connections: 4, label: "g")
        let posts = try ClosedLoop(to: apus, in: targets.namespace, method: "POST", connections: 16, label: "p")
        #expect(gets.goesOn() && posts.goesOn())
        for (index, death) in Death.allCases.enumerated() {
            _ = try passes(death, targets.hosts[index % 3], apus, gets)
            #expect(posts.goesOn(for: 50), "\(death)")
        }
        _ = gets.finish()
        let report = posts.finish()
        let processed = targets.processed
        let twice = Dictionary(grouping: processed) { $0 }.filter { $0.value.count > 1 }
        #expect(twice.isEmpty, "POSTs were processed twice: \(twice.keys.sorted())")
        #expect(processed.count >= (report.outcomes["200"] ?? 0))
        // A POST that a container's kernel had received may have been processed: one for each client and death.
        #expect(report.failedCount <= 16 * Death.allCases.count, "\(report.outcomes) \(report.failures.prefix(5))")
        #expect(Set(report.outcomes.keys).isSubset(of: ["200", "502", "504"]), "\(report.outcomes)")
    }
}
