import Foundation
import Glibc
import Testing

/// The cost of idle tunnels.
@Suite struct IdleFlowTests {
    /// Bytes of memory that one may cost: three objects and entries in tables, but no buffer. Some 720 were measured.
    private static let bytesEach = 1_100

    /// As many as the limit on descriptors allows: each takes two, and the process some for itself.
    private static var count: Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(7), &limit) == 0 else { return 0 }
        return min(9_000, (Int(clamping: limit.rlim_max) - 2_000) / 2)
    }

    @Test("Thousands of idle tunnels cost little each, all work afterwards, and their memory is reused")
    func silent() throws {
        let target = try PortServer.python("idle", "target")
        var document = Document.network()
        // Its share is all of the connections.
        document.runtime["workers"] = 1
        document.groups = [.init("blue", program: target, settings: ["protocol": "TCP", "healthCheckProtocol": "TCP"])]
        let apus = try ApusProcess.start(document)
        let count = Self.count
        try #require(count >= 1_000, "the limit on open files is too low")
        // Memory that is allocated once is allocated by the first connections.
        try hold(200, apus, name: "warm") {}
        let before = try #require(apus.process.memory("VmRSS"))
        try hold(count, apus, name: "idle") {
            #expect(try apus.metric("apus_flows_active") == Double(count))
            #expect(try apus.metric("apus_held_bytes") < 1_000_000, "an idle tunnel holds no buffer")
            let grown = try #require(apus.process.memory("VmRSS")) - before
            #expect(grown < sanitized(count * Self.bytesEach), "\(grown / count) bytes each of \(count)")
        }
        #expect(try eventually { try apus.metric("apus_flows_active") == 0 })
        #expect(try apus.metric("apus_flow_endings_total", "finished") == Double(count + 200))
        #expect(try apus.metric("apus_client_connections_rejected_total") == 0)
        expectFlow(by: apus, "finished", by: "client", target: target.address.text)
        // A second set of connections reuses the memory of the first.
        let after = try #require(apus.process.memory("VmRSS"))
        try hold(count, apus, name: "again") {
            let grown = try #require(apus.process.memory("VmRSS")) - after
            #expect(grown < sanitized(count * Self.bytesEach / 4), "\(grown / count) bytes more for each of \(count)")
        }
    }

    /// Opens `count` idle connections, calls `look`, then uses them once more and ends them.
    private func hold(_ count: Int, _ apus: ApusProcess, name: String, _ look: () throws -> Void) throws {
        let path = "\(apus.folder)/\(name).go"
        let client = try ChildProcess(
            [Tool.python, Tool.script("idle"), "\(apus.port)", "client", "\(count)", path], folder: apus.folder,
            label: name)
        try #require(
            eventually(within: 60) { client.standardOutput.hasPrefix("open") || client.exitStatus != nil })
        try #require(client.standardOutput.hasPrefix("open"), "\(client.standardError.suffix(2_000))")
        try look()
        try Data().write(to: URL(fileURLWithPath: path))
        #expect(client.waitForExit(within: 60) == .exited(0), "\(client.standardError.suffix(2_000))")
        #expect(client.standardOutput == "open\ndone\n")
        #expect(try eventually { try apus.metric("apus_flows_active") == 0 })
    }
}
