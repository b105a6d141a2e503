import Core
import Model
import Proxy
import Routing
import Testing

@testable import Control

/// Targets that join and leave, and those who wait for it.
@Suite struct TargetServiceTests {
    private typealias Scene = ServicesTests.Scene

    /// Has the one check of each of `targets`, of the group blue, end as `event` says.
    private func check(_ scene: Scene, _ event: HealthState.Event, _ targets: String...) {
        for registration in scene.services.registry.groups["blue"]?.registrations ?? []
        where targets.contains(registration.key.id) {
            scene.services.registry.receive(event, registration, now: Instant.now())
        }
    }

    private final class Waiting {
        var result: Result<[TargetHealthDescription], AdminError>?
        var error: AdminError? { if case .failure(let error)? = result { error } else { nil } }
        var states: [TargetState]? { (try? result?.get())?.map(\.state) }
    }

    private func register(
        _ scene: Scene, _ targets: [String], in group: String = "blue", within timeout: Nanoseconds = 60_000_000_000
    ) -> Waiting {
        let waiting = Waiting()
        scene.services.targets.register(
            group: group, targets: targets.map { TargetDescription(id: $0) }, within: timeout, by: nil, if: nil,
            for: nil
        ) { waiting.result = $0 }
        scene.pass()
        return waiting
    }

    @Test func aRegistrationWaitsUntilAllAreHealthy() throws {
        let scene = try Scene()
        let waiting = register(scene, ["192.0.2.8", "192.0.2.9"])
        #expect(waiting.result == nil)
        check(scene, .checkPassed, "192.0.2.8")
        scene.pass()
        #expect(waiting.result == nil)
        for _ in 0..<2 { check(scene, .checkFailed(.timeout), "192.0.2.8", "192.0.2.9") }
        scene.pass()
        check(scene, .checkPassed, "192.0.2.9")
        scene.pass()
        #expect(waiting.result == nil, "one has failed again meanwhile, and one needs five passes now")
        for _ in 0..<5 { check(scene, .checkPassed, "192.0.2.8", "192.0.2.9") }
        scene.pass()
        #expect(waiting.states == [.healthy, .healthy])
    }

    @Test func aTargetThatIsNotHealthyInTimeIsNamedWithTheReason() throws {
        let scene = try Scene()
        let waiting = register(scene, ["192.0.2.1", "192.0.2.9"], within: 300_000_000)
        check(scene, .checkPassed, "192.0.2.1")
        for _ in 0..<2 { check(scene, .checkFailed(.timeout), "192.0.2.9") }
        #expect(run(scene.loop) { waiting.result != nil })
        #expect(waiting.error?.status == 504)
        #expect(
            waiting.error?.message
                == "Registered, but not healthy after 0.3 s: 192.0.2.9:8080 is unhealthy (Request timed out).")
        #expect(scene.services.status.document.targetGroups[0].targets.contains(TargetDescription(id: "192.0.2.9")))
    }

    @Test func targetsThatCannotBecomeHealthyEndTheWait() throws {
        let scene = try Scene(
            groups: Scene.groups + "  - { name: idle, targetType: ip, protocol: HTTP, port: 8080 }\n")
        let idle = register(scene, ["192.0.2.9"], in: "idle")
        #expect(idle.error?.status == 409)
        #expect(idle.error?.message.contains("192.0.2.9:8080 is unused (Target group is not configured") == true)
        let waiting = register(scene, ["192.0.2.9"])
        scene.services.targets.deregister(
            group: "blue", targets: [TargetDescription(id: "192.0.2.9")], wait: false, by: nil, if: nil, for: nil
        ) { _ in }
        scene.pass()
        #expect(run(scene.loop) { waiting.result != nil })
        #expect(waiting.error?.message.contains("deregistered by somebody else") == true)
        let gone = register(scene, ["192.0.2.9"])
        scene.services.stop()
        #expect(gone.error?.status == 503)
    }

    @Test func theNumberOfWaitsIsLimited() throws {
        let scene = try Scene()
        let waiting = (0..<Limits.healthWaitsMax).map { _ in register(scene, ["192.0.2.9"]) }
        let generation = scene.services.status.generation
        let refused = register(scene, ["192.0.2.10"])
        #expect(refused.error?.code == "Throttling" && refused.error?.status == 503)
        #expect(scene.services.status.generation == generation, "it was not registered either")
        check(scene, .checkPassed, "192.0.2.9")
        scene.pass()
        #expect(run(scene.loop) { waiting.allSatisfy { $0.states == [.healthy] } })
    }

    @Test func aRequesterThatLeavesEndsItsWait() throws {
        let scene = try Scene()
        scene.collect()
        let requester = Requester()
        var errors: [AdminError] = []
        scene.services.targets.register(
            group: "blue", targets: [TargetDescription(id: "192.0.2.9")], within: 60_000_000_000, by: nil,
            if: nil, for: requester
        ) { if case .failure(let error) = $0 { errors.append(error) } }
        scene.pass()
        requester.disconnect()
        #expect(errors.map(\.code) == ["ClientGone"])
        #expect(scene.services.status.document.targetGroups[0].targets.contains(TargetDescription(id: "192.0.2.9")))
        let other = Requester()
        scene.services.targets.deregister(
            group: "blue", targets: [TargetDescription(id: "192.0.2.1")], wait: true, by: nil, if: nil, for: other
        ) { if case .failure(let error) = $0 { errors.append(error) } }
        scene.pass()
        #expect(errors.count == 1)
        other.disconnect()
        #expect(errors.map(\.code) == ["ClientGone", "ClientGone"])
        #expect(errors[1].message == "The targets are deregistered; whoever waited has gone before they were drained.")
        let id = try #require(scene.snapshots[0].groups.first { $0.name == "blue" }?.targets.first?.id)
        scene.reportDrained(id)
        #expect(errors.count == 2 && posted(scene.events).contains { $0.name == "target-drained" }, "it drains on")
    }

    @Test func deregistrationWaitsUntilEveryWorkerIsDone() throws {
        let scene = try Scene()
        scene.collect()
        let id = try #require(scene.snapshots[0].groups.first { $0.name == "blue" }?.targets.first?.id)
        var reports: [Deregistration]?
        scene.services.targets.deregister(
            group: "blue", targets: [TargetDescription(id: "192.0.2.1")], wait: true, by: nil, if: nil, for: nil
        ) { reports = try? $0.get().targets }
        scene.pass()
        #expect(reports == nil)
        #expect(scene.snapshots.last?.groups.first { $0.name == "blue" }?.targets.count == 1)
        let health = try scene.services.status.targetHealth(group: "blue", targets: nil)
        #expect(health.map(\.state) == [.initial, .draining])
        #expect(health.last?.reason == "Target.DeregistrationInProgress")
        var again: [Deregistration]?
        scene.services.targets.deregister(
            group: "blue", targets: [TargetDescription(id: "192.0.2.1")], wait: true, by: nil, if: nil, for: nil
        ) { again = try? $0.get().targets }
        scene.pass()
        scene.reportDrained(id, finished: 2, cut: 1)
        for reports in [reports, again] {
            #expect(reports?.map(\.id) == ["192.0.2.1"])
            #expect(reports?.map(\.drain?.finished) == [4])
            #expect(reports?.map(\.drain?.cut) == [2])
            #expect(reports?.map(\.wasRegistered) == [true])
        }
        let gone = try scene.services.status.targetHealth(group: "blue", targets: [TargetDescription(id: "192.0.2.1")])
        #expect(gone.map(\.reason) == ["Target.NotRegistered"])
    }

    @Test func deregisteringWhatIsNotRegisteredChangesNothing() throws {
        let scene = try Scene()
        scene.collect()
        let eventCount = posted(scene.events).count
        var reports: [Deregistration]?
        let targets = [TargetDescription(id: "192.0.2.99"), TargetDescription(id: "192.0.2.1", port: 9)]
        scene.services.targets.deregister(group: "blue", targets: targets, wait: false, by: nil, if: nil, for: nil) {
            reports = try? $0.get().targets
        }
        scene.pass()
        #expect(reports?.map(\.wasRegistered) == [false, false])
        #expect(scene.services.status.generation == 1 && scene.snapshots.count == 1)
        #expect(posted(scene.events).count == eventCount)
    }

    /// Whoever waits is going to stop what it meant, as in `deregister … --wait && docker stop`.
    @Test(arguments: [
        (
            [TargetDescription(id: "192.0.2.1", port: 9)],
            "192.0.2.1:9 is not registered in target group blue, but 192.0.2.1:8080 is. Nothing was deregistered.",
            "Name the port, as in 192.0.2.1:8080."
        ),
        (
            [TargetDescription(id: "192.0.2.99"), TargetDescription(id: "192.0.2.2")],
            "192.0.2.99:8080 is not registered in target group blue. Nothing was deregistered.",
            "See \"apus targets list blue\" for those that are."
        ),
        (
            [TargetDescription(id: "192.0.2.2", port: 1), TargetDescription(id: "192.0.2.1", port: 2)],
            "192.0.2.2:1, 192.0.2.1:2 are not registered in target group blue, but 192.0.2.1:8080, 192.0.2.2:8080 are. "
                + "Nothing was deregistered.", "Name the port, as in 192.0.2.1:8080."
        ),
    ])
    func toWaitForWhatIsNotRegisteredIsRefused(
        targets: [TargetDescription], message: String, remedy: String
    ) throws {
        let scene = try Scene()
        var error: AdminError?
        scene.services.targets.deregister(group: "blue", targets: targets, wait: true, by: nil, if: nil, for: nil) {
            result in
            if case .failure(let failure) = result { error = failure }
        }
        scene.pass()
        #expect(error?.code == "InvalidTarget" && error?.status == 400)
        #expect(error?.message == message)
        #expect(error?.remedy == remedy)
        #expect(scene.services.status.document.targetGroups[0].targets.count == 2)
    }

    @Test func twoMayWaitForTheSameTargetInOnePass() throws {
        let scene = try Scene()
        scene.collect()
        let id = try #require(scene.snapshots[0].groups.first { $0.name == "blue" }?.targets.first?.id)
        var count = 0
        for _ in 0..<2 {
            scene.services.targets.deregister(
                group: "blue", targets: [TargetDescription(id: "192.0.2.1")], wait: true, by: nil, if: nil, for: nil
            ) { if case .success = $0 { count += 1 } }
        }
        scene.pass()
        scene.reportDrained(id)
        #expect(count == 2)
    }

    @Test func aGroupWithoutAHealthyTargetIsWarnedOf() throws {
        let scene = try Scene()
        var warnings: [Warning?] = []
        func deregister(_ id: String) {
            scene.services.targets.deregister(
                group: "blue", targets: [TargetDescription(id: id)], wait: false, by: nil, if: nil, for: nil
            ) {
                warnings.append((try? $0.get())?.warning)
            }
            scene.pass()
        }
        check(scene, .checkPassed, "192.0.2.1", "192.0.2.2")
        deregister("192.0.2.1")
        #expect(warnings == [nil])
        for _ in 0..<2 { check(scene, .checkFailed(.timeout), "192.0.2.2") }
        deregister("192.0.2.1")
        deregister("192.0.2.77")
        #expect(warnings == [nil, nil, nil], "what changes nothing leaves nothing behind")
        deregister("192.0.2.2")
        #expect(
            warnings.dropFirst(3).map { $0?.message } == [
                "Target group blue has no healthy target left: none is registered."
            ])
    }
}
