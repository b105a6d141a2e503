// Zones: which targets a group may use, and what is said about zones that cannot mean anything.

extension Document {
    /// The groups that leave it to their load balancers whether the targets of other zones are used, and whose load
    /// balancers use those of their own zone only.
    public var groupsWithoutOtherZones: Set<String> {
        var names: Set<String> = []
        for loadBalancer in loadBalancers where !loadBalancer.usesOtherZones {
            for listener in loadBalancer.listeners { names.formUnion(listener.groupNames) }
        }
        return names
    }

    /// Reports groups that leave it to load balancers of which some use the targets of other zones and some do not.
    func validateZones(_ findings: inout Findings) {
        var owners: [String: LoadBalancer] = [:]
        let groups = Set(targetGroups.filter { $0.attributes.health.crossZone == .ofLoadBalancer }.map(\.name))
        for (index, loadBalancer) in loadBalancers.enumerated() {
            let names = loadBalancer.listeners.reduce(into: Set<String>()) { $0.formUnion($1.groupNames) }
            for name in names.intersection(groups).sorted() {
                guard let first = owners[name], first.usesOtherZones != loadBalancer.usesOtherZones else {
                    owners[name] = owners[name] ?? loadBalancer
                    continue
                }
                findings.within([.index(index), .key("attributes")]) { findings in
                    findings.report(
                        "all load balancers of target group \(name) must have the same "
                            + "load_balancing.cross_zone.enabled, which is \(first.usesOtherZones) for \(first.name)",
                        found: "\(loadBalancer.usesOtherZones) for \(loadBalancer.name)",
                        remedy: "Write load_balancing.cross_zone.enabled into the attributes of the target group.",
                        code: .invalidConfigurationRequest)
                }
            }
        }
    }

    /// What is said of zones although this process is in none.
    func zoneWarnings(in loadBalancer: LoadBalancer, _ listener: Listener) -> [DocumentWarning] {
        guard runtime.availabilityZone == nil else { return [] }
        let names = listener.groupNames
        return targetGroups.filter { names.contains($0.name) && $0.attributes.health.needsZone }.map { group in
            let use =
                group.attributes.health.crossZone == .off
                ? "use targets of this zone only" : "prefer targets of this zone"
            return DocumentWarning(
                loadBalancer: loadBalancer.name, port: listener.port,
                message: "Target group \(group.name) is to \(use), but runtime.availabilityZone does not say which "
                    + "zone that is: targets of all zones are used.",
                remedy: "Write runtime.availabilityZone, or remove the attribute.")
        }
    }
}

extension HealthAttributes {
    /// Whether it means nothing without a zone.
    fileprivate var needsZone: Bool { crossZone == .off || ownZoneFirst }
}

extension LoadBalancer {
    /// Whether it uses targets of other zones, where a group leaves that to it.
    fileprivate var usesOtherZones: Bool { attributes.crossZone ?? (type == .application) }
}
