import Testing

/// Out of descriptors.
@Suite struct DescriptorTests {
    @Test("Out of descriptors it does not spin, and recovers when clients leave")
    func recovers() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target), descriptors: 80)
        expectServes(apus)
        var clients = (0..<200).compactMap { _ in try? apus.client() }
        #expect(clients.count > 100, "the kernel's queue takes those that Apus cannot")
        let before = apus.process.processorSeconds
        #expect(always(for: 1.5) { apus.process.exitStatus == nil })
        let used = apus.process.processorSeconds - before
        #expect(used < 0.75, "it used \(used) s of processor time in 1.5 s")
        clients.removeAll()
        #expect(eventually { (try? apus.client().get("/recovered"))?.status == 200 })
        #expect(eventually { (try? apus.admin("GET", "/v1/status"))?.status == 200 })
        expectLogged(by: apus, "/recovered", status: 200, targetStatus: 200)
    }

    @Test("The limit on descriptors is lowered at run time: it rejects, counts, does not spin, and recovers")
    func limitLoweredWhileRunning() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        let early = try apus.client()
        #expect(try early.get("/early").status == 200)
        try apus.process.limitDescriptors(to: apus.process.descriptorsCount + 8, in: apus.folder)
        var crowd = (0..<100).compactMap { _ in try? apus.client() }
        #expect(crowd.count > 50, "the kernel's queue takes those that Apus cannot")
        let before = apus.process.processorSeconds
        #expect(always(for: 1.5) { apus.process.exitStatus == nil })
        let used = apus.process.processorSeconds - before
        #expect(used < 0.5, "it used \(used) s of processor time in 1.5 s")
        #expect(try early.get("/early").status == 200, "earlier clients are served")

        try apus.process.limitDescriptors(to: 1_000, in: apus.folder)
        #expect(eventually { (try? apus.client().get("/after"))?.status == 200 })
        #expect(eventually { (try? apus.admin("GET", "/v1/status"))?.status == 200 })
        let rejected = "apus_client_connections_rejected_total"
        #expect(try apus.metric("apus_client_connections_evicted_total", "silent") > 0, "silent clients are evicted")
        #expect(try apus.metric(rejected, #"reason="connection_limit""#) == 0)
        crowd.removeAll()
        expectServes(apus)
        expectLogged(by: apus, "/after", status: 200, targetStatus: 200)
    }

    @Test("Clients that were connected before are served while no descriptor is left")
    func servesThoseWhoAreIn() throws {
        let action: JSON = [
            "type": "fixed-response", "fixedResponseConfig": ["statusCode": "200", "messageBody": "in"],
        ]
        let apus = try ApusProcess.start(
            Document(listeners: [.init(defaultAction: action)], groups: []), descriptors: 80)
        let early = try apus.client()
        #expect(try early.get("/early").text == "in")
        let crowd = (0..<200).compactMap { _ in try? apus.client() }
        for _ in 0..<20 { #expect(try early.get("/early").text == "in") }
        #expect(!crowd.isEmpty)
        expectLogged(by: apus, "/early", status: 200, target: "-")
    }
}
