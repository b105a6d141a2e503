import Core
import Model
import Proxy
import Routing
import Testing

@testable import Control

/// What is told of the health of targets, and to whom.
@Suite struct TargetHealthTests {
    private typealias Scene = ServicesTests.Scene

    private func describe(_ scene: Scene, _ ids: [String]? = nil) throws -> [TargetHealthDescription] {
        try scene.services.status.targetHealth(
            group: "blue", targets: ids.map { $0.map { TargetDescription(id: $0) } })
    }

    private func registration(_ scene: Scene, _ id: String) throws -> Registration {
        try #require(scene.services.registry.groups["blue"]?.registrations.first { $0.key.id == id })
    }

    @Test func aGroupThatIsNotThereIsAnError() throws {
        let scene = try Scene()
        #expect(throws: AdminError.self) { try scene.services.status.targetHealth(group: "purple", targets: nil) }
    }

    /// Who asks for targets gets an answer for each, in the order of the question.
    @Test func whatIsNotRegisteredIsUnused() throws {
        let scene = try Scene()
        let answer = try describe(scene, ["192.0.2.9", "192.0.2.2"])
        #expect(answer.map(\.target.id) == ["192.0.2.9", "192.0.2.2"])
        #expect(answer.map(\.state) == [.unused, .initial])
        #expect(answer[0].reason == "Target.NotRegistered" && answer[0].target.port == 8080)
    }

    /// A target that comes back while it drains is there twice: as what it is, and as what it was.
    @Test func drainingTargetsComeLast() throws {
        let scene = try Scene()
        _ = scene.apply(.deregisterTargets(group: "blue", [TargetDescription(id: "192.0.2.1")]))
        scene.pass()
        #expect(try describe(scene).map(\.state) == [.initial, .draining])
        _ = scene.apply(.registerTargets(group: "blue", [TargetDescription(id: "192.0.2.1")]))
        scene.pass()
        let all = try describe(scene)
        #expect(all.map(\.target.id) == ["192.0.2.2", "192.0.2.1", "192.0.2.1"])
        #expect(all.map(\.state) == [.initial, .initial, .draining])
        #expect(try describe(scene, ["192.0.2.1"]).map(\.state) == [.initial, .draining])
    }

    /// Workers hear of a target that turns unhealthy, once, so that requests can leave it.
    @Test func workersHearOfWhoTurnsUnhealthy() throws {
        let scene = try Scene()
        let target = try registration(scene, "192.0.2.1")
        func receive(_ event: HealthState.Event, _ count: Int) {
            for _ in 0..<count { scene.services.registry.receive(event, target, now: Instant.now()) }
        }
        receive(.checkPassed, 5)
        _ = scene.mailboxes.map { $0.takeAll() }
        receive(.checkFailed(.timeout), 5)
        #expect(try describe(scene, ["192.0.2.1"]).map(\.state) == [.unhealthy])
        for mailbox in scene.mailboxes {
            let unhealthy = mailbox.takeAll().compactMap { mail -> Int? in
                guard case .unhealthy(let id) = mail else { return nil }
                return id
            }
            #expect(unhealthy == [target.id])
        }
        #expect(try describe(scene, ["192.0.2.1"])[0].reason == "Target.Timeout")
    }

    @Test func suspicionIsTold() throws {
        let scene = try Scene()
        let target = try registration(scene, "192.0.2.1")
        #expect(target.cell.suspect(now: Instant.now()))
        #expect(try describe(scene).map(\.isSuspect) == [true, false])
    }
}
