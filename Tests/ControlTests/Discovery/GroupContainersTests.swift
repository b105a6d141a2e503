import Model
import Routing
import Testing

@testable import Control

/// The targets that containers are for a group, beside each other and after what they were.
@Suite struct GroupContainersTests {
    private func containers(_ settings: DockerDiscovery = DockerDiscovery()) -> GroupContainers {
        GroupContainers(settings, of: group("blue"))
    }

    private func container(
        _ id: String, at addresses: [String: String], health: ContainerHealth = .passing
    ) throws -> DockerContainer {
        var networks: Value = [:]
        for (name, address) in addresses { networks[name] = ["IPAddress": .string(address)] }
        var container = try #require(
            DockerContainer(
                DockerContainerTests.inspection(
                    ("Id", .string(id)), ("Name", .string("/web-\(id)")), ("NetworkSettings/Networks", networks))))
        container.health = health
        return container
    }

    @Test func labelsChoose() {
        var settings = DockerDiscovery()
        settings.labels = ["app": "web"]
        #expect(containers(settings).wants(["app": "web", "b": "c"]) && containers().wants([:]))
        #expect(!containers(settings).wants(["app": "we"]) && !containers(settings).wants([:]))
    }

    /// Of two at one address the second is refused by the group: it says nothing of the first.
    @Test func anotherOneAtTheAddressSaysNothingOfTheFirst() throws {
        let old = try container("b", at: ["bridge": "172.17.0.2"])
        let before = containers().found(in: [old], before: [])
        #expect(before.targets.map(\.name) == ["web-b"] && before.containers.isEmpty)
        let new = try container("a", at: ["bridge": "172.17.0.2"], health: .unhealthy)
        let found = containers().found(in: [new, old], before: before.targets)
        #expect(found.targets.map(\.name) == ["web-b", "web-a"], "the one that had the address comes first")
        #expect(found.containers.isEmpty)
        // By itself it is what it is.
        let alone = containers().found(in: [new], before: found.targets)
        #expect(alone.targets.map(\.name) == ["web-a"] && alone.containers.values.elementsEqual([.unhealthy]))
    }

    /// It works: somebody has connected it to another network.
    @Test func theAddressInUseStays() throws {
        let before = containers().found(in: [try container("a", at: ["x": "172.17.0.2"])], before: [])
        let both = ["a": "172.18.0.2", "x": "172.17.0.2"]
        let found = containers().found(in: [try container("a", at: both)], before: before.targets)
        #expect(found.targets == before.targets)
        #expect(found.refusals.map(\.name) == ["another address of web-a"])
        // One that is not in use yet has none that is known to be right.
        let new = containers().found(in: [try container("b", at: both)], before: before.targets)
        #expect(new.targets.isEmpty && new.refusals.map(\.name) == ["web-b"])
        let left = containers().found(in: [try container("a", at: ["a": "172.18.0.2"])], before: before.targets)
        #expect(left.targets.map(\.target.id) == ["172.18.0.2"])
    }
}
