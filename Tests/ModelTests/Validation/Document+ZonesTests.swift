import Testing

@testable import Model

@Suite struct DocumentZonesTests {
    private static func file(
        zone: String? = "z1", first: String = "", second: String = "", group: String = "", type: String = "network"
    ) -> String {
        """
        \(zone.map { "runtime: { availabilityZone: \($0) }" } ?? "runtime: { workers: 1 }")
        loadBalancers:
          - name: one
            type: \(type)
            attributes: { \(first) }
            listeners: [ { protocol: TCP, port: 80, defaultActions: [ { type: forward, targetGroupName: blue } ] } ]
          - name: two
            type: network
            attributes: { \(second) }
            listeners: [ { protocol: TCP, port: 81, defaultActions: [ { type: forward, targetGroupName: blue } ] } ]
        targetGroups:
          - { name: blue, protocol: TCP, port: 80, targetType: ip, attributes: { \(group) } }
        """
    }

    private static let on = "load_balancing.cross_zone.enabled: true"
    private static let off = "load_balancing.cross_zone.enabled: false"

    @Test func networkLoadBalancersUseTheirOwnZoneUnlessTheySayOtherwise() throws {
        func names(_ text: String) throws -> Set<String> {
            try Document.load(yaml: text, file: "a.yaml").groupsWithoutOtherZones
        }
        #expect(try names(Self.file()) == ["blue"])
        #expect(try names(Self.file(first: Self.on, second: Self.on)).isEmpty)
    }

    /// Over the socket as in a file.
    @Test func aChangeMayNotMakeThemDisagree() throws {
        var document = try Document.load(yaml: Self.file(first: Self.on, second: Self.on), file: "a.yaml")
        var second = document.loadBalancers[1]
        second.attributes.crossZone = false
        let error = #expect(throws: ConfigErrors.self) { try document.apply(.putLoadBalancer(second)) }
        #expect(error?.first.message.contains("load_balancing.cross_zone.enabled") == true)
        second.attributes.crossZone = true
        try document.apply(.putLoadBalancer(second))
    }

    @Test func loadBalancersOfOneGroupMustAgreeUnlessTheGroupDecides() throws {
        let error = #expect(throws: ConfigErrors.self) {
            try Document.load(yaml: Self.file(first: Self.on, second: Self.off), file: "a.yaml")
        }
        #expect(
            error?.first.description
                == "a.yaml:9:17: all load balancers of target group blue must have the same "
                + "load_balancing.cross_zone.enabled, which is true for one, but found false for two. "
                + "Write load_balancing.cross_zone.enabled into the attributes of the target group.")
        _ = try Document.load(yaml: Self.file(first: Self.on, second: Self.off, group: Self.on), file: "a.yaml")
    }

    @Test func anApplicationLoadBalancerAlwaysUsesAllZones() {
        let text = """
            loadBalancers:
              - name: web
                attributes: { load_balancing.cross_zone.enabled: false }
            """
        let error = #expect(throws: ConfigErrors.self) { try Document.load(yaml: text, file: "a.yaml") }
        #expect(
            error?.first.description
                == "a.yaml:3:54: load_balancing.cross_zone.enabled must be true on an application load balancer, but "
                + "found false. Write it into the attributes of the target group.")
    }

    @Test func zonesMeanNothingToAProcessThatIsInNone() throws {
        for (attributes, use) in [
            ("apus.own_zone_first.enabled: true, \(Self.on)", "prefer targets of this zone"),
            (Self.off, "use targets of this zone only"),
        ] {
            let warnings = try Document.load(yaml: Self.file(zone: nil, group: attributes), file: "a.yaml").warnings()
            #expect(warnings.map(\.port) == [80, 81])
            #expect(
                warnings.first?.message
                    == "Target group blue is to \(use), but runtime.availabilityZone does not say which zone that is: "
                    + "targets of all zones are used.")
            #expect(try Document.load(yaml: Self.file(group: attributes), file: "a.yaml").warnings().isEmpty)
        }
        #expect(try Document.load(yaml: Self.file(zone: nil), file: "a.yaml").warnings().isEmpty)
    }

    @Test(arguments: ["\"\"", "\"a b\"", "\"\(String(repeating: "z", count: 65))\""]) func whatIsNoZone(_ zone: String)
    {
        let error = #expect(throws: ConfigErrors.self) {
            try Document.load(yaml: "runtime: { availabilityZone: \(zone) }", file: "a.yaml")
        }
        #expect(error?.first.remedy == "Write a name such as eu-central-1a.")
    }
}
