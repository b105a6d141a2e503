import Model
import Routing

/// How many targets of a group can be picked, and how many of them may be: what decides which targets are used.
///
/// Targets of weight 0 count for nothing, nor do those without an address, nor those of other zones where they are not
/// used.
/// Shape: a trivial value, kept up to date with every change of a target's health.
struct RoutableTargets: Equatable {
    /// Registered targets.
    var registered = 0
    /// Those of them that are healthy.
    var healthy = 0
    /// Registered targets of this zone.
    var ownRegistered = 0
    /// Those of them that are healthy.
    var ownHealthy = 0

    /// Adds a healthy target, or takes one away.
    mutating func count(_ difference: Int, isInOtherZone: Bool) {
        healthy += difference
        if !isInOtherZone { ownHealthy += difference }
    }

    /// Which targets are used. With all of them healthy there are no others, however many the attributes ask for.
    func reach(_ attributes: HealthAttributes, _ zones: ZonePolicy) -> TargetReach {
        let needed = attributes.routing.targets(of: registered)
        if healthy < needed, healthy < registered || registered == 0 { return .allTargets }
        guard zones == .ownFirst, ownHealthy * 100 < attributes.ownZoneMinimumPercent * ownRegistered || ownHealthy == 0
        else { return .ownZone }
        return .allZones
    }

    /// Whether so few are healthy that others should be asked instead of this process.
    func isFailedOver(_ attributes: HealthAttributes) -> Bool {
        registered > 0 && healthy < attributes.failover.targets(of: registered)
    }
}

/// What zones mean to a group.
enum ZonePolicy: Equatable {
    /// Targets of all zones are alike.
    case any
    /// Those of this zone come first.
    case ownFirst
    /// Those of other zones are not used.
    case ownOnly

    /// The policy of a group with these attributes, of which load balancers use the targets of other zones, or not.
    init(_ attributes: HealthAttributes, loadBalancersUseOtherZones: Bool) {
        let usesOthers =
            switch attributes.crossZone {
            case .on: true
            case .off: false
            case .ofLoadBalancer: loadBalancersUseOtherZones
            }
        self = !usesOthers ? .ownOnly : attributes.ownZoneFirst ? .ownFirst : .any
    }
}

extension GroupState {
    /// Counts all of its targets again, as after a change of the document.
    func recount() {
        routable = RoutableTargets()
        isBeingChanged = true
        for registration in registrations {
            registration.isCounted = false
            guard registration.usedWeight > 0, registration.address != nil else { continue }
            routable.registered += 1
            if !registration.isInOtherZone { routable.ownRegistered += 1 }
            count(registration)
        }
        isBeingChanged = false
        updateReach()
    }

    /// Takes account of whether `registration` is healthy now, and lets workers know if other targets are used then.
    func count(_ registration: Registration) {
        let isCounted =
            registration.usedWeight > 0 && registration.health.state.isUsable && !registration.ejection.isEjected
        if isCounted != registration.isCounted {
            registration.isCounted = isCounted
            routable.count(isCounted ? 1 : -1, isInOtherZone: registration.isInOtherZone)
        }
        if !isBeingChanged { updateReach() }
    }

    private func updateReach() {
        let reach = routable.reach(configuration.attributes.health, zones)
        guard reach != cell.reach else { return }
        cell.reach = reach
        cell.flip()
    }

    /// Whether so few are healthy, or there are so few in this zone, that others should be asked instead of this
    /// process.
    var isFailedOver: Bool {
        let attributes = configuration.attributes.health
        guard routable.registered == 0 else { return routable.isFailedOver(attributes) }
        let hasTargets = registrations.contains { $0.weight > 0 && $0.address != nil }
        return hasTargets && attributes.failover != HealthAttributes.Minimum(count: nil)
    }

    /// Whether all of its targets are used, since too few are healthy.
    var usesAllTargets: Bool { cell.reach == .allTargets }
}
