import Core
import Model
import Routing
import Testing

@testable import Control

@Suite struct HealthProberTests {
    /// A prober whose findings are recorded, and registrations for it.
    private final class Scene: CheckReceiver {
        let loop = ControlLoop()
        let registry = TargetRegistry(workerCount: 1, events: EventLog(), logger: quiet)
        var found: [(target: String, event: HealthState.Event)] = []
        private let runningMax: Int
        private(set) lazy var prober = HealthProber(
            loop: loop, runningMax: runningMax, receiver: self, logger: quiet)

        init(runningMax: Int = 100) { self.runningMax = runningMax }

        func skipsCheck(of registration: Registration) -> Bool { registry.skipsCheck(of: registration) }

        func receive(_ event: HealthState.Event, _ registration: Registration, now: Instant) {
            found.append((registration.key.description, event))
            registry.receive(event, registration, now: now)
        }

        func register(
            _ ports: [Int], _ healthCheck: HealthCheck, id: String = "127.0.0.1",
            _ set: (inout TargetGroupAttributes) -> Void = { _ in }
        ) -> [Registration] {
            let targets = ports.map { TargetDescription(id: id, port: $0) }
            var attributes = TargetGroupAttributes()
            set(&attributes)
            let document = Document(
                loadBalancers: [loadBalancer("web", port: 80, forwardingTo: [("blue", 1)])],
                targetGroups: [group("blue", targets, healthCheck: healthCheck, attributes: attributes)])
            return registry.reconcile(with: document, renewed: [:], now: loop.now).arrived
        }

        /// What checks have decided, without their beginnings.
        var verdicts: [HealthState.Event] { found.map(\.event).filter { $0 != .checkBegan } }
    }

    private static let fast = HealthCheck(
        path: "/health?deep=1", intervalSeconds: 0.02, timeoutSeconds: 10,
        matcher: Matcher(httpCode: HTTPCodes("200-299")!))

    private static func answer(_ status: String, _ rest: String = "Content-Length: 2\r\n\r\nok") -> String {
        "HTTP/1.1 \(status)\r\n\(rest)"
    }

    @Test func asksAsElasticLoadBalancingDoesAndGoesOnAsking() throws {
        let scene = Scene()
        let target = try ScriptedTarget(scene.loop, .answer(Self.answer("200 OK")))
        defer { target.close() }
        let registrations = scene.register([target.port], Self.fast)
        scene.prober.watch(registrations, now: scene.loop.now)
        #expect(run(scene.loop) { scene.prober.passedCount >= 3 })
        let request = try #require(target.requests.first)
        let lines = request.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines[0] == "GET /health?deep=1 HTTP/1.1")
        #expect(
            Set(lines[1...]) == [
                "Host: 127.0.0.1:\(target.port)", "User-Agent: ELB-HealthChecker/2.0", "Connection: close", "",
            ])
        #expect(registrations[0].health.state == .healthy)
        #expect(registrations[0].cell.isHealthy)
        scene.prober.forget(registrations[0])
        let count = scene.found.count
        var hasPassed = false
        scene.loop.afterBatch { hasPassed = true }
        #expect(run(scene.loop) { hasPassed })
        #expect(scene.found.count == count)
    }

    /// Requests that a target answers stand for its checks, but for one of ten; a failure brings them back.
    @Test func checksAreSkippedWhileTrafficProvesTheTargetHealthy() throws {
        let scene = Scene()
        let target = try ScriptedTarget(scene.loop, .answer(Self.answer("200 OK")))
        defer { target.close() }
        let registration = scene.register([target.port], Self.fast) { $0.health.trustsTraffic = true }[0]
        let balanced = BalancedTarget(registration.cell)
        var watch = AttemptWatch()
        watch.countsAttempts = true
        balanced.adopt(weight: 1, .roundRobin(slowStart: 0), watch: watch, in: registration.group.cell)
        func skips(failing: Bool = false) -> Bool {
            var outcome = AttemptOutcome(.answered, duration: 1)
            balanced.note(outcome, now: scene.loop.now)
            if failing {
                outcome.isServerError = true
                balanced.note(outcome, now: scene.loop.now)
            }
            return registration.isProvenByTraffic()
        }
        #expect(!skips(), "it was never checked")
        scene.registry.receive(.checkPassed, registration, now: scene.loop.now)
        #expect((0..<20).map { _ in skips() } == (0..<20).map { $0 % 10 != 9 })
        #expect(!registration.isProvenByTraffic(), "nothing was answered since")
        #expect(skips() && !skips(failing: true) && skips())
        _ = registration.cell.suspect(now: scene.loop.now)
        #expect(!skips())
        _ = registration.cell.clearSuspicion()
        scene.registry.receive(.checkFailed(.timeout), registration, now: scene.loop.now)
        #expect(!skips(), "its last check failed")
        scene.registry.receive(.checkPassed, registration, now: scene.loop.now)
        balanced.note(AttemptOutcome(.answered, duration: 1), now: scene.loop.now)
        scene.prober.watch([registration], now: scene.loop.now)
        #expect(run(scene.loop) { scene.prober.passedCount >= 2 })
        #expect(scene.prober.skippedCount == 1)
    }

    struct AnswerCase: Sendable, CustomTestStringConvertible {
        let why: String, answer: String, expected: HealthState.Event
        var testDescription: String { why }
    }

    static let answers = [
        AnswerCase(why: "a body of known length", answer: answer("204 No Content", "\r\n"), expected: .checkPassed),
        AnswerCase(
            why: "chunks", answer: answer("200 OK", "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            expected: .checkPassed),
        AnswerCase(
            why: "a body that ends with the connection", answer: answer("200 OK", "\r\nok"), expected: .checkPassed),
        AnswerCase(
            why: "an interim answer first", answer: "HTTP/1.1 103 Early Hints\r\n\r\n" + answer("200 OK"),
            expected: .checkPassed),
        AnswerCase(
            why: "a head that needs the large buffer",
            answer: answer("200 OK", "X-Long: \(String(repeating: "a", count: 12_000))\r\n\r\n"),
            expected: .checkPassed),
        AnswerCase(
            why: "another status", answer: answer("503 Service Unavailable"),
            expected: .checkFailed(.responseCode(503))),
        AnswerCase(
            why: "a redirect, which is not followed", answer: answer("302 Found"),
            expected: .checkFailed(.responseCode(302))),
        AnswerCase(
            why: "a body cut short", answer: answer("200 OK", "Content-Length: 9\r\n\r\nok"),
            expected: .checkFailed(.failed)),
        AnswerCase(why: "no HTTP", answer: "SSH-2.0-OpenSSH\r\n\r\n", expected: .checkFailed(.failed)),
        AnswerCase(
            why: "a body over the cap",
            answer: answer("200 OK", "\r\n" + String(repeating: "a", count: Limits.checkAnswerBytesMax)),
            expected: .checkFailed(.failed)),
        AnswerCase(
            why: "a head over the cap",
            answer: answer("200 OK", "X-Long: \(String(repeating: "a", count: 40_000))\r\n\r\n"),
            expected: .checkFailed(.failed)),
    ]

    @Test(arguments: answers) func judgesTheAnswer(_ test: AnswerCase) throws {
        let scene = Scene()
        let target = try ScriptedTarget(scene.loop, .answer(test.answer))
        defer { target.close() }
        scene.prober.watch(scene.register([target.port], Self.fast), now: scene.loop.now)
        #expect(run(scene.loop) { !scene.verdicts.isEmpty })
        #expect(scene.verdicts.first == test.expected)
    }

    @Test func aTargetThatResetsOrRefusesFails() throws {
        let scene = Scene()
        let resetting = try ScriptedTarget(scene.loop, .hangUp)
        defer { resetting.close() }
        let closed = Int(try freePort())
        var check = Self.fast
        check.unhealthyThresholdCount = 1
        let registrations = scene.register([resetting.port, closed], check)
        scene.prober.watch(registrations, now: scene.loop.now)
        #expect(run(scene.loop) { registrations.allSatisfy { $0.health.state == .unhealthy } })
        #expect(Set(scene.verdicts.map { "\($0)" }) == ["\(HealthState.Event.checkFailed(.failed))"])
        #expect(scene.registry.groups["blue"]?.isFailedOpen == true)
    }

    @Test func silenceIsATimeout() throws {
        let scene = Scene()
        let target = try ScriptedTarget(scene.loop, .silence)
        defer { target.close() }
        var check = Self.fast
        check.timeoutSeconds = 0.05
        scene.prober.watch(scene.register([target.port], check), now: scene.loop.now)
        #expect(run(scene.loop) { !scene.verdicts.isEmpty })
        #expect(scene.verdicts.first == .checkFailed(.timeout))
    }

    @Test func aTimeoutWhileTheLoopWasAwayCountsForNothing() throws {
        let scene = Scene()
        let target = try ScriptedTarget(scene.loop, .silence)
        defer { target.close() }
        var check = Self.fast
        // Longer than a stall: whatever time passes here unseen, the one that reaches the timeout is a stall.
        check.timeoutSeconds = 0.6
        scene.prober.watch(scene.register([target.port], check), now: scene.loop.now)
        #expect(run(scene.loop) { target.requests.count == 1 })
        scene.loop.afterBatch {
            let end = Instant.now() + Limits.stall + 200_000_000
            while Instant.now() < end {}
        }
        #expect(run(scene.loop) { scene.found.filter { $0.event == .checkBegan }.count >= 2 })
        #expect(scene.found.prefix(2).map(\.event) == [.checkBegan, .checkBegan], "no verdict in between")
    }

    @Test func aConnectionIsEnoughOverTCP() throws {
        let scene = Scene()
        let target = try ScriptedTarget(scene.loop, .silence)
        defer { target.close() }
        var check = Self.fast
        check.protocol = .tcp
        scene.prober.watch(scene.register([target.port], check), now: scene.loop.now)
        #expect(run(scene.loop) { !scene.verdicts.isEmpty })
        #expect(scene.verdicts.first == .checkPassed)
        #expect(target.requests.isEmpty)
    }

    @Test func anotherPortMayBeChecked() throws {
        let scene = Scene()
        let target = try ScriptedTarget(scene.loop, .answer(Self.answer("200 OK")))
        defer { target.close() }
        var check = Self.fast
        check.port = .number(target.port)
        scene.prober.watch(scene.register([Int(try freePort())], check), now: scene.loop.now)
        #expect(run(scene.loop) { !scene.verdicts.isEmpty })
        #expect(scene.verdicts.first == .checkPassed)
        #expect(target.requests.first?.contains("Host: 127.0.0.1:\(target.port)\r\n") == true)
    }

    @Test func noMoreChecksRunAtOnceThanMay() throws {
        // A check that timed out while this thread was kept from running ends without a word, and is not counted here.
        for _ in 0..<20 {
            let (runningMost, hasStalled) = try mostThatRunAtOnce(may: 2)
            if !hasStalled { return #expect(runningMost == 2) }
        }
        Issue.record("twenty times this thread was kept from running for \(Limits.stall / 1_000_000) ms")
    }

    private func mostThatRunAtOnce(may runningMax: Int) throws -> (most: Int, hasStalled: Bool) {
        let scene = Scene(runningMax: runningMax)
        let targets = try (0..<6).map { _ in try ScriptedTarget(scene.loop, .silence) }
        defer { for target in targets { target.close() } }
        var check = Self.fast
        check.timeoutSeconds = 0.05
        let registrations = scene.register(targets.map(\.port), check)
        scene.prober.watch(registrations, now: scene.loop.now)
        var most = 0
        #expect(
            run(scene.loop) {
                most = max(most, targets.map(\.openCount).reduce(0, +))
                return Set(scene.found.filter { $0.event != .checkBegan }.map(\.target)).count == 6
            })
        #expect(most > 0)
        // A connection that the prober has closed may not have been noticed by its target yet.
        var running = 0, runningMost = 0
        for found in scene.found {
            running += found.event == .checkBegan ? 1 : -1
            runningMost = max(runningMost, running)
        }
        return (runningMost, scene.loop.stalledAt != nil)
    }

    @Test func aForgottenCheckMakesRoomAndSaysNothing() throws {
        let scene = Scene(runningMax: 1)
        let silent = try ScriptedTarget(scene.loop, .silence)
        let answering = try ScriptedTarget(scene.loop, .answer(Self.answer("200 OK")))
        defer { silent.close(); answering.close() }
        let registrations = scene.register([silent.port, answering.port], Self.fast)
        scene.prober.watch([registrations[0]], now: scene.loop.now)
        #expect(run(scene.loop) { !silent.requests.isEmpty })
        scene.prober.watch([registrations[1]], now: scene.loop.now)
        scene.prober.forget(registrations[0])
        #expect(run(scene.loop) { !scene.verdicts.isEmpty })
        #expect(scene.found.first { $0.event != .checkBegan }?.target == registrations[1].key.description)
    }
}
