import Model
import Routing
import Testing

@testable import Control

/// What containers are for a group, and what they ask for by their labels.
@Suite struct ContainerChoiceTests {
    private typealias Fixture = DockerContainerTests

    private static func container(_ labels: Value, _ replaced: (String, Value?)...) throws -> DockerContainer {
        var value = Fixture.inspection(("Config/Labels", labels))
        for (path, part) in replaced {
            let keys = path.split(separator: "/").map(String.init)
            guard keys.count > 1 else {
                value[keys[0]] = part
                continue
            }
            var outer = value[keys[0]] ?? [:]
            outer[keys[1]] = part
            value[keys[0]] = outer
        }
        return try #require(DockerContainer(value))
    }

    @Test func aGroupWantsThoseWithAllItsLabels() throws {
        var settings = DockerDiscovery()
        settings.labels = ["app": "web"]
        let group = TargetGroup(name: "web", targetType: .ip, port: 9000)
        let choice = GroupContainers(settings, of: group)
        #expect(choice.wants(["app": "web", "x": ""]) && !choice.wants(["app": "we"]) && !choice.wants([:]))
        let container = try Self.container(["app": "web"])
        #expect(choice.found(in: [container], before: []).targets.map(\.target.id) == ["172.17.0.2"])
        #expect(
            choice.target(of: container, before: [])
                == EndedTarget(group: nil, key: TargetKey(id: "172.17.0.2", port: 8080)))
    }

    @Test func labelsMakeClaims() throws {
        let choice = LabelledContainers(LabelDiscovery())
        #expect(choice.labels.isEmpty && choice.wants(["apus.x": ""]) && !choice.wants(["app": "web"]))
        let container = try Self.container(
            ["apus.host": "a", "apus.weight": "7", "app": "web"],
            ("State", ["Running": true, "StartedAt": "2026-11-30T10:00:00Z", "Health": ["Status": "starting"]]))
        let found = choice.found(
            in: [container, try Self.container(["apus.enable": "false", "apus.host": "a"])], before: [])
        #expect(found.refusals.isEmpty && found.targets.isEmpty && found.claims.count == 1)
        let one = try #require(found.claims.first)
        #expect(one.health == .starting && one.claim.since == "2026-11-30T10:00:00" && one.claim.container == "web-1")
        #expect(one.claim.target?.target == TargetDescription(id: "172.17.0.2", port: 8080, weight: 7))
        let key = TargetKey(id: "172.17.0.2", port: 8080)
        #expect(choice.target(of: container, before: []) == EndedTarget(group: one.claim.group, key: key))
    }

    @Test func thePortIsTheLabelsOrTheOneThatIsExposed() throws {
        let choice = LabelledContainers(LabelDiscovery())
        func port(_ labels: Value, _ exposed: Value?) throws -> String {
            let found = choice.found(in: [try Self.container(labels, ("Config/ExposedPorts", exposed))], before: [])
            return found.claims.first?.claim.target?.target.port.map(String.init)
                ?? found.refusals.map(\.mistake.message).joined()
        }
        #expect(try port(["apus.host": "a", "apus.port": "81"], nil) == "81")
        #expect(try port(["apus.host": "a"], ["82/tcp": [:], "53/udp": [:]]) == "82")
        #expect(try port(["apus.host": "a"], nil).contains("or expose one port, but found neither"))
        #expect(try port(["apus.host": "a"], ["82/tcp": [:], "81/tcp": [:]]).contains("but found the ports 81, 82"))
    }

    @Test func mistakesAreThoseOfOneContainer() throws {
        let choice = LabelledContainers(LabelDiscovery())
        let wrong = try Self.container(["apus.host": "a b", "apus.prot": "80"])
        let found = choice.found(in: [wrong, try Self.container(["apus.host": "a"])], before: [])
        #expect(found.claims.count == 1 && found.refusals.map(\.name) == ["web-1", "web-1"])
        #expect(choice.target(of: wrong, before: []) == nil)
        // What was expected of the address stands in the same words as for groups.
        let unreachable = try Self.container(["apus.host": "a"], ("NetworkSettings/Networks", [:]))
        #expect(
            choice.found(in: [unreachable], before: []).refusals.map(\.mistake.message).joined().contains("no address"))
    }
}
