import Testing

/// The memory budget: when it is used up new connections are rejected, and beyond it the largest one is shed.
@Suite struct MemoryTests {
    private static let budget = 2 << 20

    /// Each of these clients makes Apus hold a buffer of at least 64 KiB.
    private static let pinned = 64 << 10

    @Test(
        "Clients that pin more than the budget (slow loris) are shed or rejected, counted, and others served later"
    )
    func unfinishedHeads() throws {
        let target = try TargetServer()
        let apus = try start(Document(target))
        // 40 KB of a head that never ends.
        let head = "GET /pinned HTTP/1.1\r\nHost: a.b\r\n" + String(repeating: "X: \(filled(9_990))\r\n", count: 4)
        try overload(apus) { client in try client.send(head) }
        expectLogged(by: apus, "/still-serving", status: 200, targetStatus: 200)
        #expect(target.requests.allSatisfy { $0.target == "/still-serving" }, "no head was complete")
    }

    @Test(
        "Clients that do not read their responses (slow read) are shed too, and their target connections closed"
    )
    func unreadAnswers() throws {
        let source = try TargetServer(script: TargetScript.zeroes)
        var document = Document(source)
        document.logFormat = "json"
        let apus = try start(document)
        try overload(apus, path: "/0") { client in
            try client.send("GET /20000000 HTTP/1.1\r\nHost: a.b\r\n\r\n")
        }
        let shed = apus.accessEntries.filter { $0["apus_reason"] == "MemoryBudget" }
        #expect(shed.contains { $0["request_line"].string?.contains("/20000000") == true })
        #expect(try apus.metric("apus_target_connections_active") < 10)
    }

    private func start(_ document: Document) throws -> ApusProcess {
        var document = document
        document.runtime["memoryBytes"] = JSON(Self.budget)
        return try ApusProcess.start(document)
    }

    private func filled(_ count: Int) -> String { String(repeating: "a", count: count) }

    /// Makes 64 clients `pin` a buffer each, twice the budget, and then disconnect.
    private func overload(
        _ apus: ApusProcess, path: String = "/still-serving", _ pin: (RawClient) throws -> Void
    ) throws {
        #expect(try apus.client().get(path).status == 200)
        var clients: [RawClient] = []
        for _ in 0..<2 * Self.budget / Self.pinned {
            let client = try apus.client(receiveBuffer: 4_096)
            try? pin(client)
            clients.append(client)
        }
        #expect(try eventually { try lost(apus) > 0 })
        // Once nothing changes any more, the memory is within the budget, apart from one buffer for reads.
        #expect(try eventually { try apus.metric("apus_held_bytes") <= Double(Self.budget) })
        #expect(try always(for: 0.5) { try apus.metric("apus_held_bytes") <= Double(Self.budget) })
        #expect(try apus.metric("apus_held_bytes") > Double(Self.budget) / 4, "the other connections are kept")
        clients.removeAll()
        #expect(eventually { (try? apus.client().get(path))?.status == 200 })
        #expect(try eventually { try apus.metric("apus_held_bytes") < Double(Self.budget) / 4 })
    }

    private func lost(_ apus: ApusProcess) throws -> Double {
        try apus.metric("apus_client_connections_shed_total")
            + apus.metric("apus_client_connections_rejected_total", #"reason="memory_budget""#)
    }

    @Test("Memory of a burst is returned to the system within a minute")
    func memoryGoesBack() throws {
        let target = try TargetServer(script: TargetScript.answer(body: String(repeating: "x", count: 1 << 20)))
        let apus = try ApusProcess.start(
            Document(target, attributes: ["apus.h2c.enabled": true]), descriptors: 1000)
        expectServes(apus)
        let before = try apus.metric("process_resident_memory_bytes")
        let storm = try ChildProcess(
            [Tool.python, Tool.script("http2_attacks"), "no_windows", "\(apus.port)", "60"], folder: apus.folder,
            label: "storm")
        #expect(try eventually(within: 30) { try apus.metric("apus_requests_active") > 5000 })
        #expect(try eventually(within: 30) { try apus.metric("process_resident_memory_bytes") > before + 50e6 })
        storm.kill()
        var after = 0.0
        let isBack = try eventually(within: 60) {
            after = try apus.metric("process_resident_memory_bytes")
            return after < before + 20e6
        }
        #expect(isBack, "\(after) of \(before)")
        expectServes(apus)
    }
}
