import Core
import Model
import Proxy
import Routing
import Testing

@testable import Control

@Suite struct UnhealthyTerminationsTests {
    /// A group of healthy targets on a loop, and whose connections were to be reset.
    private final class Scene: TargetStateObserver {
        let loop = ControlLoop()
        let terminations: UnhealthyTerminations
        private let registry = TargetRegistry(workerCount: 1, events: EventLog(), logger: quiet)
        private let mailbox = Mailbox<WorkerMail>()
        private var configuration: TargetGroup
        private var told: [Int] = []
        /// The targets of the group, in its order.
        var targets: [Registration] { registry.groups["blue"]?.registrations ?? [] }
        /// The places that the targets had at the beginning whose connections were to be reset, in order.
        var terminated: [Int] {
            for case .terminate(let target) in mailbox.takeAll() { told.append(target) }
            return told
        }

        init(_ attributes: TargetGroupAttributes, count: Int = 2, protocol: TrafficProtocol = .tcp) {
            configuration = TargetGroup(
                name: "blue", targetType: .ip, protocol: `protocol`, port: 80, attributes: attributes)
            configuration.healthCheck.unhealthyThresholdCount = 1
            configuration.healthCheck.healthyThresholdCount = 1
            configuration.targets = (0..<count).map { TargetDescription(id: "10.0.0.\($0)") }
            let workers = WorkerSet(count: 1)
            workers.attach(mailboxes: [mailbox])
            terminations = UnhealthyTerminations(loop: loop, workers: workers)
            registry.observer = self
            change { _ in }
            for id in 0..<count { pass(id) }
        }

        /// Puts a document in force.
        func change(_ edit: (inout TargetGroup) -> Void) {
            edit(&configuration)
            let document = Document(
                loadBalancers: [loadBalancer("web", port: 80, forwardingTo: [("blue", 1)])],
                targetGroups: [configuration])
            _ = registry.reconcile(with: document, renewed: [:], now: loop.now)
            for target in targets { target.isPublished = true }
        }

        func stateChanged(_ registration: Registration, from: TargetState, to: TargetState, now: Instant) {
            terminations.stateChanged(registration, from: from, to: to, now: now)
        }

        func failOpenEnded(_ group: GroupState, now: Instant) { terminations.failOpenEnded(group, now: now) }

        func fail(_ place: Int) { registry.receive(.checkFailed(.timeout), targets[place], now: loop.now) }
        func pass(_ place: Int) { registry.receive(.checkPassed, targets[place], now: loop.now) }
    }

    /// Connections are not reset at once, but after so many seconds; 0 for never.
    private static func attributes(draining seconds: Double) -> TargetGroupAttributes {
        var attributes = TargetGroupAttributes()
        attributes.unhealthyConnectionTermination = false
        attributes.unhealthyDrainingSeconds = seconds
        return attributes
    }

    @Test func connectionsOfATargetThatFailsAreReset() {
        let scene = Scene(TargetGroupAttributes())
        scene.fail(1)
        #expect(scene.terminated == [1])
    }

    @Test func theLastHealthyTargetKeepsThemUntilAnotherOneIs() {
        let scene = Scene(TargetGroupAttributes())
        scene.fail(1)
        scene.fail(0)
        #expect(scene.terminated == [1])
        scene.pass(1)
        #expect(scene.terminated == [1, 0])
    }

    /// At least so many percent of the targets must be healthy, or all are used.
    private static func attributes(routingPercent percent: Int) -> TargetGroupAttributes {
        var attributes = TargetGroupAttributes()
        attributes.health.routing.percentage = percent
        return attributes
    }

    /// Two of four targets are unhealthy, so that all are used, and new connections have come to the first as well.
    private static func failedOpen() -> Scene {
        let scene = Scene(attributes(routingPercent: 60), count: 4)
        scene.fail(0)
        scene.fail(1)
        #expect(scene.terminated == [0])
        return scene
    }

    @Test func withEnoughHealthyTargetsAgainAllUnhealthyOnesLoseThem() {
        let scene = Self.failedOpen()
        scene.pass(1)
        #expect(scene.terminated == [0, 0])
        scene.fail(1)
        scene.pass(0)
        #expect(scene.terminated == [0, 0, 1])
    }

    @Test func soTheyDoWhenANewThresholdEndsThat() {
        let scene = Self.failedOpen()
        scene.change { $0.attributes.health.routing.percentage = 50 }
        #expect(scene.terminated == [0, 0, 1])
        scene.change { $0.attributes.health.routing.percentage = 60 }
        scene.change { _ in }
        #expect(scene.terminated == [0, 0, 1], "all are used again")
    }

    @Test func soTheyDoWhenADeregistrationEndsThat() {
        let scene = Self.failedOpen()
        scene.change { $0.targets.remove(at: 0) }
        #expect(scene.terminated == [0, 1])
    }

    @Test func soTheyDoWhenWeightsEndThat() {
        let scene = Self.failedOpen()
        scene.change { $0.targets[1].weight = 0 }
        #expect(scene.terminated == [0, 0, 1], "a target of weight 0 counts for nothing")
    }

    @Test func connectionsMayBeKept() {
        let scene = Scene(Self.attributes(draining: 0))
        scene.fail(1)
        #expect(scene.terminated.isEmpty)
        #expect(!scene.terminations.isDraining(scene.targets[1]))
    }

    @Test func connectionsMayBeKeptForAWhile() {
        let scene = Scene(
            Self.attributes(draining: 0.02))
        let target = scene.targets[1]
        scene.fail(1)
        #expect(scene.terminations.isDraining(target))
        scene.pass(1)
        #expect(!scene.terminations.isDraining(target))
        scene.fail(1)
        #expect(run(scene.loop) { scene.terminated == [1] })
        #expect(!scene.terminations.isDraining(target))
    }

    @Test func otherProtocolsHaveNone() {
        for name in ["HTTP", "UDP", "TCP_UDP"] {
            let scene = Scene(TargetGroupAttributes(), protocol: .init(rawValue: name)!)
            scene.fail(1)
            #expect(scene.terminated.isEmpty)
        }
    }
}
