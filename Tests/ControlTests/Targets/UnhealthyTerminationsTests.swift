import Core
import Model
import Proxy
import Routing
import Testing

@testable import Control

@Suite struct UnhealthyTerminationsTests {
    /// A group of two targets on a loop, and whose connections were to be reset.
    private final class Scene {
        let loop = ControlLoop()
        let group: GroupState
        private let mailbox = Mailbox<WorkerMail>()
        private let workers = WorkerSet(count: 1)
        let terminations: UnhealthyTerminations
        private var told: [Int] = []
        var terminated: [Int] {
            get {
                for case .terminate(let target) in mailbox.takeAll() { told.append(target) }
                return told
            }
            set { told = newValue }
        }

        init(_ attributes: TargetGroupAttributes, protocol: TrafficProtocol = .tcp) {
            var configuration = TargetGroup(name: "blue", protocol: `protocol`, port: 80, attributes: attributes)
            configuration.healthCheck.unhealthyThresholdCount = 1
            configuration.healthCheck.healthyThresholdCount = 1
            group = GroupState(id: 0, configuration: configuration, workerCount: 1)
            for id in 0..<2 {
                let registration = Registration(
                    id: id, group: group, key: TargetKey(id: "10.0.0.\(id)", port: 80), address: nil,
                    health: HealthState(registeredAt: loop.now))
                group.registrations.append(registration)
                group.tally[registration.health.state] += 1
            }
            workers.attach(mailboxes: [mailbox])
            terminations = UnhealthyTerminations(loop: loop, workers: workers)
            for registration in group.registrations { check(registration, .checkPassed) }
        }

        func check(_ registration: Registration, _ event: HealthState.Event) {
            let before = registration.health.state
            _ = registration.step(event, now: loop.now)
            terminations.stateChanged(registration, from: before, to: registration.health.state, now: loop.now)
        }

        func fail(_ id: Int) { check(group.registrations[id], .checkFailed(.timeout)) }
        func pass(_ id: Int) { check(group.registrations[id], .checkPassed) }
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

    @Test func connectionsMayBeKept() {
        let scene = Scene(Self.attributes(draining: 0))
        scene.fail(1)
        #expect(scene.terminated.isEmpty)
        #expect(!scene.terminations.isDraining(scene.group.registrations[1]))
    }

    @Test func connectionsMayBeKeptForAWhile() {
        let scene = Scene(
            Self.attributes(draining: 0.02))
        let target = scene.group.registrations[1]
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
