extension LoadBalancer {
    /// The keys of a load balancer.
    static let description = Description(
        "LoadBalancer", "a load balancer", blank: LoadBalancer(name: ""),
        keys: [
            Key("name", \.name, .text(.name), required: true, "Its name, unique among load balancers."),
            Key("type", \.type, .word(refused: ["gateway"]), "What kind of load balancer it is."),
            Key(
                "addresses", \.addresses, .list(.address, count: 1...Limits.addressesMax),
                "The IPv4 and IPv6 addresses that its listeners bind."),
            Key("attributes", \.attributes, LoadBalancerAttributes.description.codec, "Its attributes."),
            Key(
                "listeners", \.listeners,
                .list(Listener.description.codec, count: 0...Limits.listenersMax, code: .tooManyListeners),
                "Its listeners, one per port."),
        ],
        refused: [
            RefusedKey("scheme", accepted: "internet-facing", "internal"),
            RefusedKey("ipAddressType"), RefusedKey("subnets"), RefusedKey("subnetMappings"),
            RefusedKey("minimumLoadBalancerCapacity"),
            RefusedKey("enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"),
            RefusedKey("securityGroups"), RefusedKey("tags"), RefusedKey("customerOwnedIpv4Pool"),
            RefusedKey("enablePrefixForIpv6SourceNat", accepted: "off", of: .network), RefusedKey("ipamPools"),
        ],
        withoutEffect: \LoadBalancer.withoutEffect,
        check: { loadBalancer, findings in
            if loadBalancer.type == .network { loadBalancer.attributes.reportMisplaced(&findings) }
            if loadBalancer.type == .application, loadBalancer.attributes.crossZone == false {
                findings.within([.key("attributes"), .key("load_balancing.cross_zone.enabled")]) { findings in
                    findings.report(
                        "load_balancing.cross_zone.enabled must be true on an application load balancer",
                        found: "false", remedy: "Write it into the attributes of the target group.",
                        code: .invalidConfigurationRequest)
                }
            }
            if loadBalancer.name.hasPrefix("internal-") {
                findings.within(.key("name")) { findings in
                    findings.report(
                        "name must not begin with internal-", found: Value.quoted(loadBalancer.name),
                        remedy: "Choose another name.")
                }
            }
            let addresses = loadBalancer.addresses
            for (index, address) in addresses.enumerated() {
                let isRepeated = addresses[..<index].contains(address)
                let inclusion = addresses[..<index].lazy.compactMap { BoundPorts.inclusion($0, address) }.first
                guard isRepeated || inclusion != nil else { continue }
                findings.within([.key("addresses"), .index(index)]) { findings in
                    findings.report(
                        "each address must stand once", found: inclusion.map { "\(address): \($0)" } ?? address,
                        remedy: "Remove one of the two.")
                }
            }
        })
}
