import TestCertificates
import Testing

/// Thousands of tunnels with known data on both sides: no byte is lost, added or altered.
@Suite struct RelayTests {
    static let authority = TestAuthority()

    @Test("10,000 connections of TCP, 200 at a time, with random data in random pieces, either side ending first")
    func overTCP() throws {
        try relay(count: 10_000, document: Document.network())
    }

    @Test("1,000 connections with TLS termination, in which either direction ends first (half-close)")
    func overTLS() throws {
        var document = Document.network(listener: ["protocol": "TLS"])
        document.listeners[0].certificates = [Self.authority.issue(["localhost"])]
        try relay(count: 1_000, document: document, roots: Self.authority.own.certificatePath)
    }

    private func relay(count: Int, document: Document, roots: String? = nil) throws {
        let seed = "\(UInt64.random(in: 0...UInt64.max))"
        let target = try PortServer.python("relay", "target", seed)
        var document = document
        document.groups = [.init("blue", program: target, settings: ["protocol": "TCP", "healthCheckProtocol": "TCP"])]
        let apus = try ApusProcess.start(document)
        let words = [
            Tool.python, Tool.script("relay"), "\(apus.port)", "client", seed, "\(count)", "200", "\(target.port)",
        ]
        let told = try Tool.run(words + (roots.map { [$0] } ?? []), in: apus.folder, within: 120)
        let bytes = told.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        try #require(bytes.count == 2, "seed \(seed): \(told)")

        let kind = roots == nil ? "tcp" : "tls"
        #expect(try eventually { try apus.metric("apus_flows_active") == 0 }, "seed \(seed)")
        #expect(try apus.metric("apus_flows_total", kind) == Double(count))
        #expect(try apus.metric("apus_flow_endings_total", "finished") == Double(count), "seed \(seed)")
        #expect(try apus.metric("apus_flow_resets_total") == 0, "seed \(seed)")
        #expect(try apus.metric("apus_flow_bytes_total", kind) == bytes[0] + bytes[1], "seed \(seed)")
        let line = expectFlow(by: apus, "finished", by: "client", target: target.address.text)
        #expect(line["type"].string == kind)
        expectFlow(by: apus, "finished", by: "target", target: target.address.text)
        #expect(try apus.metric("apus_held_bytes") < 1_000_000, "ended connections hold no memory")
    }
}
