import DNS
import Model

/// The targets that records of DNS name, as they are put together.
struct DNSTargets {
    private(set) var found = FoundTargets()

    /// Adds an address; with a port, a weight and a priority if it is that of a service.
    mutating func add(_ address: IPAddress, port: Int?, weight: Int?, host: String, priority: Int? = nil) {
        let name = host.cut(to: Limits.dnsNameBytesShownMax)
        guard address.isUnicast else {
            return refuse(
                name, expected: "an address must be that of one host", found: "\(address)",
                remedy: "Remove the record.")
        }
        guard port != 0 else {
            return refuse(
                name, expected: "port must be an integer from 1 to 65535", found: "0",
                remedy: "Write the port into the SRV record.")
        }
        let target = Discovered.Target(
            TargetDescription(id: address.description, port: port, weight: weight), name: name, identity: name)
        found.targets.append(target)
        if let port, let priority {
            // Of two services at one place the first counts, which has the lower number.
            let key = TargetKey(id: target.target.id, port: port)
            found.priorities[key] = min(priority, found.priorities[key] ?? priority)
        }
        note(address, name)
    }

    /// Notes that nothing was found of a host of a service.
    mutating func refuse(host: String, _ problem: String, isKnown: Bool) {
        refuse(
            host.cut(to: Limits.dnsNameBytesShownMax), expected: "a host of the service must have addresses",
            found: problem,
            remedy: isKnown
                ? "The addresses that it had stay. Mend its records, or remove the SRV record."
                : "Mend its records, or remove the SRV record.")
    }

    private mutating func refuse(_ name: String, expected: String, found what: String, remedy: String) {
        let mistake = ConfigError(expected: expected, found: what, remedy: remedy)
        found.refusals.append(FoundTargets.Refusal(name: name, mistake: mistake))
    }

    /// Addresses of this host or of a private network are used, since names of such networks have them. It is said,
    /// since a name of somebody else's may have them as well.
    private mutating func note(_ address: IPAddress, _ name: String) {
        guard let kind = LocalAddressKind(address), !found.remarks.contains(where: { $0.kind == kind }) else { return }
        found.remarks.append(FoundTargets.Remark(kind: kind, name: name, address: address.description))
    }

    /// The weights that the services of each priority have as targets: in proportion, 1 to `targetWeightMax`; nil where
    /// all are alike. A weight of 0 stands for hardly any requests beside others that have some.
    /// Source: RFC 2782, "Weight".
    static func weights(of services: [DNSService]) -> [DNSService: Int?] {
        var weights: [DNSService: Int?] = [:]
        for level in Dictionary(grouping: services, by: \.priority).values {
            let all = level.map { Int($0.weight) }
            let (least, most) = (all.min() ?? 0, all.max() ?? 0)
            let max = Model.Limits.targetWeightMax
            for service in level {
                let weight = Int(service.weight)
                weights[service] =
                    least == most
                    ? .some(nil)
                    : least > 0 && most <= max ? weight : Swift.max(1, (weight * max + most / 2) / most)
            }
        }
        return weights
    }
}
