import Core
import Model
import Routing
import Testing

@testable import Control

@Suite struct TargetRegistryTests {
    private let events = EventLog()
    private let registry: TargetRegistry
    private let now = Instant.now()

    init() { registry = TargetRegistry(workerCount: 1, events: events, logger: quiet) }

    private func document(_ groups: [TargetGroup], inUse: [String]? = nil, instances: [Instance] = []) -> Document {
        let names = inUse ?? groups.map(\.name)
        return Document(
            instances: instances,
            loadBalancers: names.isEmpty ? [] : [loadBalancer("web", port: 80, forwardingTo: names.map { ($0, 1) })],
            targetGroups: groups)
    }

    private func reconcile(
        _ document: Document, renewed: [String: Set<TargetKey>] = [:]
    ) -> TargetRegistry.Reconciliation {
        let result = registry.reconcile(with: document, renewed: renewed, now: now)
        // What the publisher does.
        for registration in registry.groups.values.flatMap(\.registrations) where registration.address != nil {
            registration.isPublished = true
        }
        return result
    }

    private func state(_ group: String, _ index: Int = 0) -> TargetState? {
        registry.groups[group]?.registrations[index].health.state
    }

    @Test func aGroupThatNoActionNamesIsNotInUse() {
        let groups = [group("blue", [TargetDescription(id: "10.0.0.1")])]
        let first = reconcile(document(groups, inUse: []))
        #expect(state("blue") == .unused)
        #expect(registry.groups["blue"]?.registrations[0].health.reason == .notInUse)
        #expect(first.rescheduled.isEmpty)
        let second = reconcile(document(groups))
        #expect(state("blue") == .initial)
        #expect(second.rescheduled.map(\.name) == ["blue"])
        _ = reconcile(document(groups, inUse: []))
        #expect(state("blue") == .unused)
    }

    @Test func targetsContinueFromWhatAnotherProcessKnew() throws {
        let targets = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map { TargetDescription(id: $0) }
        var first: [TargetMemory] = []
        for (id, state) in [("10.0.0.1", "healthy"), ("10.0.0.2", "unhealthy"), ("10.9.9.9", "healthy")] {
            let value: Value = [
                "id": .string(id), "port": 8080, "state": .string(state), "count": 1, "registeredAt": 5,
            ]
            first.append(try #require(TargetMemory(value)))
        }
        registry.memories = [
            "blue": Dictionary(first.map { ($0.key, $0) }) { first, _ in first },
            "gone": [first[0].key: first[0]],
        ]
        _ = reconcile(document([group("blue", targets)]))
        #expect([state("blue"), state("blue", 1), state("blue", 2)] == [.healthy, .unhealthy, .initial])
        let all = try #require(registry.groups["blue"]).registrations
        #expect(all.map(\.cell.isHealthy) == [true, false, false] && registry.groups["blue"]?.routable.healthy == 1)
        #expect(all[0].health.phase == .healthy(failures: 1) && all[0].health.registeredAt.nanoseconds == 5)
        // Only what is there at the beginning continues.
        _ = reconcile(document([]))
        _ = reconcile(document([group("blue", targets)]))
        #expect(state("blue") == .initial)
    }

    /// What another process has heard of containers counts beside what its checks have made of targets.
    @Test func targetsContinueWithWhatIsSaidOfTheirContainers() throws {
        let value: Value = ["id": "10.0.0.1", "port": 8080, "state": "healthy", "count": 0, "registeredAt": 5]
        let memory = try #require(TargetMemory(value))
        registry.memories = ["blue": [memory.key: memory]]
        registry.take(["blue": [memory.key: .unhealthy]], now: now)
        _ = reconcile(document([group("blue", [TargetDescription(id: "10.0.0.1")])]))
        #expect(state("blue") == .unhealthy)
        #expect(registry.groups["blue"]?.registrations[0].cell.isHealthy == false)
        registry.take([:], now: now)
        #expect(state("blue") == .healthy)
    }

    /// What is said of containers counts for those that are registered, and for those that will be.
    @Test func containersHaveASay() {
        let (one, two) = (TargetKey(id: "10.0.0.1", port: 8080), TargetKey(id: "10.0.0.2", port: 8080))
        _ = reconcile(document([group("blue", [TargetDescription(id: "10.0.0.1")])]))
        registry.receive(.checkPassed, registry.groups["blue"]!.registrations[0], now: now)
        registry.take(["blue": [one: .unhealthy, two: .starting], "none": [one: .unhealthy]], now: now)
        #expect(state("blue") == .unhealthy)
        #expect(registry.groups["blue"]?.registrations[0].cell.isHealthy == false)
        #expect(registry.groups["blue"]?.tally[.unhealthy] == 1 && registry.groups["blue"]?.routable.healthy == 0)
        _ = reconcile(
            document([group("blue", [TargetDescription(id: "10.0.0.1"), TargetDescription(id: "10.0.0.2")])]))
        registry.receive(.checkPassed, registry.groups["blue"]!.registrations[1], now: now)
        #expect(state("blue", 1) == .initial, "it starts")
        registry.take([:], now: now)
        #expect(state("blue") == .healthy && state("blue", 1) == .healthy)
        #expect(registry.groups["blue"]?.routable.healthy == 2)
        let changes = posted(events).filter { $0.name == "target-health-changed" }
        #expect(changes.count == 4, "\(changes)")
    }

    @Test func withoutChecksTargetsAreUsed() {
        var blue = group("blue", [TargetDescription(id: "10.0.0.1"), TargetDescription(id: "10.0.0.2")])
        _ = reconcile(document([blue]))
        blue.healthCheck.isEnabled = false
        let change = reconcile(document([blue]))
        #expect(change.rescheduled.map(\.name) == ["blue"] && registry.groups["blue"]?.isChecked == false)
        #expect(state("blue") == .unavailable && state("blue", 1) == .unavailable)
        #expect(registry.groups["blue"]?.registrations[0].cell.isHealthy == true)
        #expect(registry.groups["blue"]?.routable.healthy == 2)
        blue.targets.append(TargetDescription(id: "10.0.0.3"))
        _ = reconcile(document([blue]))
        #expect(state("blue", 2) == .unavailable)
        _ = reconcile(document([blue], inUse: []))
        #expect(state("blue") == .unused)
        _ = reconcile(document([blue]))
        #expect(state("blue") == .unavailable)
        blue.healthCheck.isEnabled = true
        _ = reconcile(document([blue]))
        #expect(state("blue") == .healthy)
    }

    @Test func checksTakeOutNoMoreThanTheyMay() throws {
        var blue = group("blue", (1...4).map { TargetDescription(id: "10.0.0.\($0)") })
        blue.healthCheck.unhealthyThresholdCount = 1
        blue.attributes.health.maxRemovalsPercent = 50
        _ = reconcile(document([blue]))
        let all = try #require(registry.groups["blue"]).registrations
        for registration in all { registry.receive(.checkPassed, registration, now: now) }
        for registration in all { registry.receive(.checkFailed(.timeout), registration, now: now) }
        #expect(all.map(\.health.state) == [.unhealthy, .unhealthy, .healthy, .healthy])
        #expect(all.map(\.isHeld) == [false, false, true, true] && registry.removalsHeld == 2)
        #expect(posted(events).contains(.targetRemovalHeld(group: "blue", id: "10.0.0.3", port: 8080)))
        registry.receive(.checkFailed(.timeout), all[2], now: now + 61_000_000_000)
        #expect(all[2].health.state == .unhealthy && all[3].isHeld)
    }

    @Test(arguments: ["224.0.0.1", "255.255.255.255", "0.0.0.0", "ff02::1", "::"])
    func anAddressThatIsNoTargetsIsUnused(_ id: String) {
        _ = reconcile(document([group("blue", [TargetDescription(id: id), TargetDescription(id: "203.0.113.1")])]))
        #expect(registry.groups["blue"]?.registrations.map(\.health.reason) == [.ipUnusable, .registrationInProgress])
    }

    @Test func anInstanceComesAliveWhenItIsSetAndIsReplacedWhenItMoves() throws {
        var blue = group("blue", [TargetDescription(id: "i-1")])
        blue.targetType = .instance
        #expect(reconcile(document([blue])).arrived.map(\.address) == [nil])
        #expect(state("blue") == .unused)
        #expect(registry.groups["blue"]?.registrations[0].health.reason == .invalidState)

        let set = reconcile(document([blue], instances: [Instance(id: "i-1", address: "10.0.0.7")]))
        #expect(set.arrived.map { $0.address?.description } == ["10.0.0.7:8080"])
        #expect(state("blue") == .initial)
        let old = try #require(set.arrived.first)

        let moved = reconcile(document([blue], instances: [Instance(id: "i-1", address: "10.0.0.8")]))
        #expect(moved.departed.contains { $0 === old })
        #expect(old.health.state == .draining)
        #expect(moved.arrived.map { $0.address?.description } == ["10.0.0.8:8080"])

        let removed = reconcile(document([blue]))
        #expect(removed.departed.count == 1)
        #expect(state("blue") == .unused)
    }

    @Test func idsAreReusedOnlyAfterTheirRelease() throws {
        let one = TargetDescription(id: "10.0.0.1"), two = TargetDescription(id: "10.0.0.2")
        _ = reconcile(document([group("blue", [one])]))
        let departed = reconcile(document([group("blue", [two])])).departed
        let old = try #require(departed.first)
        #expect(registry.groups["blue"]?.registrations[0].id != old.id)
        #expect(registry.groups["blue"]?.tally[.draining] == 1)
        registry.release(old)
        #expect(registry.groups["blue"]?.tally[.draining] == 0)
        let third = reconcile(document([group("blue", [two, one])]))
        #expect(third.arrived.map(\.id) == [old.id])
    }

    @Test func aRenewedTargetGetsANewRegistrationBesideTheOld() throws {
        let blue = group("blue", [TargetDescription(id: "10.0.0.1")])
        let old = try #require(reconcile(document([blue])).arrived.first)
        let result = reconcile(document([blue]), renewed: ["blue": [TargetKey(id: "10.0.0.1", port: 8080)]])
        #expect(result.departed.first === old)
        #expect(result.arrived.count == 1)
        #expect(registry.groups["blue"]?.draining[old.id] === old)
    }

    @Test func theSameIdWithTwoPortsIsTwoTargets() {
        let result = reconcile(
            document([
                group("blue", [TargetDescription(id: "10.0.0.1"), TargetDescription(id: "10.0.0.1", port: 9)])
            ]))
        #expect(result.arrived.map { $0.address?.description } == ["10.0.0.1:8080", "10.0.0.1:9"])
    }

    @Test func whatWasNeverPublishedIsGoneAtOnce() {
        _ = registry.reconcile(
            with: document([group("blue", [TargetDescription(id: "10.0.0.1")])]), renewed: [:], now: now)
        let result = reconcile(document([group("blue")]))
        #expect(result.departed.map(\.isPublished) == [false])
        #expect(registry.groups["blue"]?.draining.isEmpty == true)
    }

    @Test func aGroupIsReleasedOnceItsTargetsAre() throws {
        let departed = reconcile(document([group("blue", [TargetDescription(id: "10.0.0.1")])])).arrived
        let result = reconcile(document([]))
        let blue = try #require(result.withdrawn.first)
        #expect(result.departed.first === departed.first)
        #expect(!registry.release(blue), "it drains")
        registry.release(try #require(departed.first))
        #expect(registry.release(blue))
        _ = reconcile(document([group("green")]))
        #expect(registry.groups["green"]?.id == blue.id)
    }

    @Test func failingOpenIsSaidOnceAndEndsWithAHealthyTarget() throws {
        let check = HealthCheck(healthyThresholdCount: 2, unhealthyThresholdCount: 1)
        let arrived = reconcile(
            document([
                group(
                    "blue", [TargetDescription(id: "10.0.0.1"), TargetDescription(id: "10.0.0.2")], healthCheck: check)
            ])
        ).arrived
        let blue = try #require(registry.groups["blue"])
        registry.receive(.checkFailed(.timeout), arrived[0], now: now)
        #expect(!blue.isFailedOpen, "the other's first check is not decided")
        registry.receive(.checkFailed(.failed), arrived[1], now: now)
        registry.receive(.checkFailed(.failed), arrived[1], now: now)
        #expect(blue.isFailedOpen)
        #expect(!arrived[0].cell.isHealthy)
        let epoch = blue.cell.epoch
        registry.receive(.checkPassed, arrived[0], now: now)
        #expect(blue.isFailedOpen)
        registry.receive(.checkPassed, arrived[0], now: now)
        #expect(!blue.isFailedOpen)
        #expect(arrived[0].cell.isHealthy)
        #expect(blue.cell.epoch > epoch)
        #expect(blue.tally[.healthy] == 1)
        #expect(blue.tally[.unhealthy] == 1)
        let said = posted(events).filter {
            $0 == .groupFailedOpen(group: "blue") || $0 == .groupRecovered(group: "blue")
        }
        #expect(said == [.groupFailedOpen(group: "blue"), .groupRecovered(group: "blue")])
        #expect(
            posted(events).contains(
                .targetHealthChanged(
                    group: "blue", id: "10.0.0.1", port: 8080, from: "initial", to: "unhealthy",
                    reason: "Target.Timeout")))
    }
}
