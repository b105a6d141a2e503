import Core
import Model
import Routing
import Testing

@testable import Control

/// Which targets of a group are used, by how many are healthy.
@Suite struct RoutableTargetsTests {
    private let events = EventLog()
    private let registry: TargetRegistry
    private let now = Instant.now()
    private var blue: GroupState { registry.groups["blue"]! }

    init() { registry = TargetRegistry(workerCount: 1, events: events, logger: quiet) }

    private func reconcile(_ targets: [TargetDescription], zone: String? = nil, _ set: (inout HealthAttributes) -> Void)
    {
        var group = group("blue", targets)
        group.healthCheck.healthyThresholdCount = 1
        group.healthCheck.unhealthyThresholdCount = 1
        set(&group.attributes.health)
        let document = Document(
            runtime: Runtime(availabilityZone: zone),
            loadBalancers: [loadBalancer("web", port: 80, forwardingTo: [("blue", 1)])], targetGroups: [group])
        _ = registry.reconcile(with: document, renewed: [:], now: now)
    }

    private func targets(_ zones: String?...) -> [TargetDescription] {
        zones.enumerated().map { TargetDescription(id: "10.0.0.\($0.offset + 1)", zone: $0.element) }
    }

    private func pass(_ indices: Int...) {
        for index in indices { registry.receive(.checkPassed, blue.registrations[index], now: now) }
    }

    private func fail(_ indices: Int...) {
        for index in indices { registry.receive(.checkFailed(.timeout), blue.registrations[index], now: now) }
    }

    @Test func withoutThresholdsOneHealthyTargetIsEnough() {
        reconcile(targets(nil, nil, nil)) { _ in }
        #expect(blue.usesAllTargets)
        pass(0)
        #expect(!blue.usesAllTargets)
        fail(0)
        #expect(blue.usesAllTargets)
    }

    @Test func theCountDecides() {
        reconcile(targets(nil, nil, nil)) { $0.routing.count = 2 }
        pass(0)
        #expect(blue.usesAllTargets)
        pass(1)
        #expect(!blue.usesAllTargets)
        reconcile(targets(nil, nil, nil)) { $0.routing.count = 3 }
        #expect(blue.usesAllTargets, "a changed threshold holds at once")
    }

    /// Three of five are 60 %.
    @Test func theShareDecides() {
        reconcile(targets(nil, nil, nil, nil, nil)) { $0.routing.percentage = 60 }
        pass(0, 1, 2)
        #expect(!blue.usesAllTargets)
        fail(2)
        #expect(blue.usesAllTargets)
        #expect(!blue.isFailedOpen, "the first checks of others are not decided")
        fail(3, 4)
        #expect(blue.isFailedOpen && posted(events).contains(.groupFailedOpen(group: "blue")))
        pass(3)
        #expect(!blue.isFailedOpen && posted(events).contains(.groupRecovered(group: "blue")))
    }

    @Test func targetsOfWeightZeroCountForNothing() {
        var all = targets(nil, nil, nil)
        all[2].weight = 0
        reconcile(all) { $0.routing.percentage = 100 }
        pass(0, 1)
        #expect(!blue.usesAllTargets && blue.routable.registered == 2)
        fail(1)
        pass(2)
        #expect(blue.usesAllTargets)
    }

    @Test func targetsThatLeaveAreNotCounted() {
        reconcile(targets(nil, nil, nil, nil)) { $0.routing.percentage = 50 }
        pass(0, 1)
        fail(2, 3)
        #expect(!blue.usesAllTargets)
        let before = blue.cell.epoch
        reconcile(Array(targets(nil, nil, nil, nil)[1...])) { $0.routing.percentage = 50 }
        #expect(
            blue.usesAllTargets
                && blue.routable == RoutableTargets(registered: 3, healthy: 1, ownRegistered: 3, ownHealthy: 1))
        #expect(blue.cell.epoch > before)
    }

    @Test func otherZonesAreUsedWhereThatIsSaid() {
        let all = targets("a", "b", "all", nil)
        reconcile(all, zone: "a") { $0.crossZone = .off }
        #expect(blue.registrations.map(\.usedWeight) == [1, 0, 1, 1])
        #expect(blue.routable.registered == 3)
        reconcile(all, zone: "a") { $0.crossZone = .on }
        #expect(blue.registrations.map(\.usedWeight) == [1, 1, 1, 1])
        reconcile(all) { $0.crossZone = .off }
        #expect(blue.registrations.map(\.usedWeight) == [1, 1, 1, 1], "this process is in no zone")
    }

    @Test func anEmptyZoneHasNoTargetToUse() {
        reconcile(targets("b"), zone: "a") { $0.crossZone = .off }
        pass(0)
        #expect(blue.routable == RoutableTargets())
        #expect(blue.isFailedOver, "every request is refused here")
        reconcile(targets("b"), zone: "a") {
            $0.crossZone = .off
            $0.failover.count = nil
        }
        #expect(!blue.isFailedOver)
    }

    @Test func aGroupThatIsEmptyOrEmptiedByWeightIsNotFailedOver() {
        reconcile([]) { _ in }
        #expect(!blue.isFailedOver)
        var all = targets(nil)
        all[0].weight = 0
        reconcile(all) { _ in }
        #expect(!blue.isFailedOver)
    }

    @Test func withAllTargetsHealthyThereIsNothingToOpen() {
        reconcile(targets(nil, nil, nil)) { $0.routing.count = 5 }
        pass(0, 1)
        #expect(blue.usesAllTargets)
        pass(2)
        #expect(!blue.usesAllTargets)
    }

    /// No worker knows a target whose instance is not in the registry.
    @Test func targetsWithoutAnAddressCountForNothing() {
        var group = group("blue", [TargetDescription(id: "i-0a1b2c3d"), TargetDescription(id: "i-1a1b2c3d")])
        group.targetType = .instance
        let document = Document(
            instances: [Instance(id: "i-0a1b2c3d", address: "10.0.0.1")],
            loadBalancers: [loadBalancer("web", port: 80, forwardingTo: [("blue", 1)])], targetGroups: [group])
        _ = registry.reconcile(with: document, renewed: [:], now: now)
        #expect(blue.registrations.count == 2 && blue.routable.registered == 1)
    }

    @Test func thisZoneComesFirstWhileEnoughOfItIsHealthy() {
        let all = targets("a", "a", "a", "b")
        reconcile(all, zone: "a") { $0.ownZoneFirst = true }
        pass(0, 1, 2, 3)
        #expect(blue.cell.reach == .ownZone)
        fail(0)
        #expect(blue.cell.reach == .ownZone, "two of three are 66 %")
        fail(1)
        #expect(blue.cell.reach == .allZones)
        fail(2, 3)
        #expect(blue.cell.reach == .allTargets)
        pass(3)
        #expect(blue.cell.reach == .allZones)
    }

    @Test func failoverComesFirst() {
        var attributes = HealthAttributes()
        attributes.failover = HealthAttributes.Minimum(count: 2, percentage: 50)
        #expect(RoutableTargets(registered: 3, healthy: 1).isFailedOver(attributes))
        #expect(!RoutableTargets(registered: 3, healthy: 2).isFailedOver(attributes))
        #expect(RoutableTargets(registered: 5, healthy: 2).isFailedOver(attributes))
        attributes.failover = HealthAttributes.Minimum(count: nil)
        #expect(!RoutableTargets(registered: 3, healthy: 0).isFailedOver(attributes))
    }
}
