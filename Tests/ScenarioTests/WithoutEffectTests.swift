import Testing

/// Words of ELBv2 that say what is done anyway come back as they were written, at every door.
@Suite struct WithoutEffectTests {
    private static func document(_ target: TargetServer) -> Document {
        var document = Document(
            listeners: [Document.Listener(defaultAction: Document.forward("blue"))],
            groups: [Document.Group("blue", servers: [target])])
        document.attributes = [
            "waf.fail_open.enabled": false, "dns_record.client_routing_policy": "any_availability_zone",
        ]
        document.groups[0].attributes = ["lambda.multi_value_headers.enabled": false]
        document.groups[0].settings = ["ipAddressType": "ipv4"]
        return document
    }

    private func expectKept(_ apus: ApusProcess, _ when: String) throws {
        let group = try apus.admin("GET", "/v1/target-groups/blue").json
        #expect(group["ipAddressType"] == "ipv4", "\(when)")
        #expect(group["attributes"]["lambda.multi_value_headers.enabled"] == false, "\(when)")
        let balancer = try apus.admin("GET", "/v1/load-balancers/web").json
        #expect(balancer["attributes"]["waf.fail_open.enabled"] == false, "\(when)")
        #expect(
            balancer["attributes"]["dns_record.client_routing_policy"] == "any_availability_zone", "\(when)")
        let config = try apus.admin("GET", "/v1/config").json
        #expect(config["targetGroups"][0] == group && config["loadBalancers"][0] == balancer, "\(when)")
    }

    @Test("Words without effect survive a change, a reload and a restart, and a check names them on one line")
    func wordsAreKept() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Self.document(target))
        try expectKept(apus, "at the start")
        let line =
            "Kept as written, but without effect in this version: waf.fail_open.enabled, "
            + "ipAddressType, lambda.multi_value_headers.enabled."
        let checked = try apus.command("check", apus.configurationPath)
        #expect(checked.status == .exited(0) && checked.output.contains(line), "\(checked.output)\(checked.errors)")
        let aside = try apus.command("check", "--json", "--file-only", apus.configurationPath)
        #expect(aside.json["notes"].elements.contains { $0.string == line }, "\(aside.output)")

        #expect(try apus.command("reload").status == .exited(0))
        try expectKept(apus, "after a reload")
        let group = try apus.admin("GET", "/v1/target-groups/blue").json
        #expect(try apus.admin("PUT", "/v1/target-groups/blue", group).status == 200)
        let balancer = try apus.admin("GET", "/v1/load-balancers/web").json
        #expect(try apus.admin("PUT", "/v1/load-balancers/web", balancer).status == 200)
        try expectKept(apus, "after a change")
        apus.kill()
        try apus.restart()
        try expectKept(apus, "out of the state file")
        #expect(
            try apus.admin("POST", "/v1/check", try apus.admin("GET", "/v1/config").json).json["notes"][0].string
                == line)
    }
}
