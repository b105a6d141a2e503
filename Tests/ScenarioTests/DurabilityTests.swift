import Foundation
import Testing

/// Acknowledged changes are on disk.
@Suite struct DurabilityTests {
    private func document(_ target: TargetServer) -> Document {
        Document(
            listeners: [.init(defaultAction: Document.forward(["blue": 1, "green": 1]))],
            groups: [.init("blue", servers: [target]), .init("green", servers: [target]), .init("spare")])
    }

    @Test("kill -9 in the middle of changes loses no acknowledged one, three times over")
    func killedInTheMiddleOfChanges() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(document(target))
        let acknowledged = Locked<Set<UInt16>>([])
        let weight = Locked(1)
        let weights = "/v1/load-balancers/web/listeners/\(apus.port)/weights"
        for round in 0..<3 {
            let already = acknowledged.value.count
            let changes = Background {
                let admin = try AdminClient(path: apus.socketPath)
                for step in 1...5_000 {
                    let port = UInt16(20_000 + round * 5_000 + step)
                    let registered = try admin.ask(
                        "POST", "/v1/target-groups/spare/targets", ["targets": [Document.Address(port: port).json]])
                    guard registered.status == 200 else { return "\(registered)" }
                    acknowledged.withLock { _ = $0.insert(port) }
                    let share = 1 + (round * 5_000 + step) % 998
                    let weighed = try admin.ask("PUT", weights, ["blue": JSON(share), "green": 1])
                    guard weighed.status == 200 else { return "\(weighed)" }
                    weight.withLock { $0 = share }
                }
                return "was never killed"
            }
            #expect(eventually(within: 30) { acknowledged.value.count >= already + 50 })
            apus.kill()
            #expect(throws: (any Error).self) { try changes.value() }
            try apus.restart()

            let states = try apus.states(of: "spare")
            let lost = acknowledged.value.filter { states["127.0.0.1:\($0)"] == nil }
            #expect(lost.isEmpty, "round \(round) lost \(lost.sorted().prefix(5))")
            // The change in progress when it was killed may exist or not; no other unknown change may.
            #expect(states.count <= acknowledged.value.count + 1)
            let config = try apus.admin("GET", "/v1/config").json
            let groups = config["loadBalancers"][0]["listeners"][0]["defaultActions"][0]["forwardConfig"][
                "targetGroups"]
            let found = groups.elements.first { $0["targetGroupName"].string == "blue" }?["weight"].int
            #expect(found == weight.value || found == weight.value % 998 + 1)
            acknowledged.withLock { known in
                known = Set(states.keys.compactMap { UInt16($0.split(separator: ":").last ?? "") })
            }
            expectServes(apus)
        }
        expectLogged(by: apus, "/still-serving", status: 200)
    }

    @Test("A truncated state file is rejected or ignored with a clear message, without a crash")
    func stateCutInHalf() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(document(target))
        #expect(
            try apus.admin("POST", "/v1/target-groups/spare/targets", ["targets": [["id": "127.0.0.1", "port": 9]]])
                .status == 200)
        apus.kill()
        let files = try stateFiles(of: apus)
        try #require(!files.isEmpty)
        for file in files {
            let handle = try #require(FileHandle(forWritingAtPath: file))
            try handle.truncate(atOffset: handle.seekToEnd() / 2)
            try handle.close()
        }
        do {
            try apus.restart()
            expectServes(apus, "it started, so it must serve what the file says")
        } catch {
            #expect(apus.process.waitForExit() == .exited(1))
        }
        #expect(files.contains { apus.errors.contains($0) } || apus.errors.contains(apus.statePath), "\(apus.errors)")
    }

    @Test("Changes at run time survive a graceful shutdown too")
    func orderlyEnd() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(document(target))
        #expect(try apus.admin("PUT", "/v1/instances/i-kept", ["address": "127.0.0.1"]).status < 300)
        #expect(apus.terminate() == .exited(0))
        try apus.restart()
        #expect(try apus.admin("GET", "/v1/instances/i-kept").json["address"].string == "127.0.0.1")
        expectServes(apus)
        expectLogged(by: apus, "/still-serving", status: 200)
    }

    private func stateFiles(of apus: ApusProcess) throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: apus.statePath)
        return names.map { "\(apus.statePath)/\($0)" }.filter { path in
            (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType == .typeRegular
        }
    }
}
