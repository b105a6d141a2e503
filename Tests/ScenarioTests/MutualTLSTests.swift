import Foundation
import TestCertificates
import Testing

/// Mutual TLS on TLS listeners of network load balancers, and which identities come in there and on HTTPS listeners.
@Suite struct MutualTLSTests {
    static let authority = TestAuthority()
    static let own = authority.issue(["localhost"])
    static let roots = authority.own.certificatePath
    static let billing = authority.issue(["spiffe://example.com/billing/1"], subject: "/O=Example/OU=Ops/CN=billing")
    static let web = authority.issue(["web.example.com"], subject: "/CN=web")
    static let revoked = authority.issue(["spiffe://example.com/billing/2"], subject: "/CN=revoked")
    static let mallory = TestAuthority("Another").issue(["spiffe://example.com/billing/1"], subject: "/CN=billing")

    private static func verify(_ more: [String: JSON] = [:]) -> [String: JSON] {
        let base: [String: JSON] = ["mode": "verify", "trustStoreFile": .string(roots)]
        return ["mutualAuthentication": .object(base.merging(more) { $1 })]
    }

    private static func filter(_ field: String, _ match: String, _ value: String) -> JSON {
        ["field": .string(field), "matchType": .string(match), "action": "accept", "value": .string(value)]
    }

    private func connect(_ apus: ApusProcess, _ pair: TestAuthority.Pair?, _ words: String...) throws -> JSON {
        let shown = pair.map { ["pair=\($0.certificatePath),\($0.privateKeyPath)"] } ?? []
        let all = words + shown + ["send=x", "read", "end", "readall"]
        return try TLSStreamClient(apus, all, roots: Self.roots).seen().first ?? .null
    }

    @Test("A TLS listener lets in those that the trust store vouches for", arguments: ["1.2", "1.3"])
    func verifies(version: String) throws {
        let target = try StreamTarget()
        let list = TestAuthority.scratchFolder() + "/list.pem"
        TestAuthority.write(Self.authority.revocationList([Self.revoked]), list)
        let apus = try ApusProcess.start(
            .tls(target, certificates: [Self.own], listener: Self.verify(["crlFiles": [.string(list)]])))
        for pair in [Self.billing, Self.web] {
            let seen = try connect(apus, pair, "version=\(version)")
            #expect(seen["told"] == ["x", ""] && seen["version"].string == "TLSv\(version)", "\(seen.text)")
        }
        for (pair, reason) in [
            (nil, "no_client_certificate"), (Self.mallory, "ClientCertUntrusted"), (Self.revoked, "ClientCertCrlHit"),
        ] {
            let before = apus.connectionLog.count
            let seen = try connect(apus, pair, "version=\(version)")
            #expect(seen["told"] != ["x", ""], "\(reason): \(seen.text)")
            let line = expectFlow(by: apus, "client_tls", by: "client", after: before)
            #expect(line["reason"].string == reason && line["target"] == .null, "\(line.text)")
        }
        #expect(eventually { target.connections.count == 2 })
        expectMetric(apus, "apus_client_tls_failures_total", "no_client_certificate", is: 1)
        expectMetric(apus, "apus_client_tls_failures_total", "\"client_certificate\"", is: 2)
        expectMetric(apus, "apus_flow_endings_total", "client_tls", is: 3)
        expectMetric(apus, "apus_flows_rejected_total", "\"tls\"", is: 3)
    }

    @Test("Identity filters decide who comes in, and a reload changes them for the next")
    func filters() throws {
        let target = try StreamTarget()
        var document = Document.tls(
            target, certificates: [Self.own],
            listener: Self.verify([
                "clientCertificateIdentityFilters": [
                    Self.filter("san-uri", "prefix", "spiffe://Example.com/billing/"),
                    Self.filter("subject-ou", "exact", "nobody"),
                ]
            ]))
        let apus = try ApusProcess.start(document)
        #expect(try connect(apus, Self.billing)["told"] == ["x", ""])
        #expect(try connect(apus, Self.web)["told"] != ["x", ""])
        #expect(expectFlow(by: apus, "client_tls", by: "client")["reason"] == "ClientCertIdentityNotAccepted")
        let before = apus.connectionLog.count
        #expect(try connect(apus, Self.mallory)["told"] != ["x", ""])
        let stranger = expectFlow(by: apus, "client_tls", by: "client", after: before)
        #expect(stranger["reason"] == "ClientCertUntrusted", "the trust store comes first")
        expectMetric(apus, "apus_client_tls_failures_total", "client_identity", is: 1)
        expectMetric(apus, "apus_client_tls_failures_total", "\"client_certificate\"", is: 1)
        document.listeners[0].settings.merge(
            Self.verify(["clientCertificateIdentityFilters": [Self.filter("san-dns", "exact", "WEB.example.com")]])
        ) { $1 }
        try apus.write(document)
        #expect(try apus.command("reload").status == .exited(0))
        #expect(try connect(apus, Self.web)["told"] == ["x", ""])
        #expect(try connect(apus, Self.billing)["told"] != ["x", ""])
        expectMetric(apus, "apus_client_tls_failures_total", "client_identity", is: 2)
    }

    @Test("Identity filters hold on HTTPS listeners too")
    func filtersOfHTTPS() throws {
        var document = Document(try TargetServer())
        document.listeners[0].certificates = [Self.own]
        document.listeners[0].settings = Self.verify([
            "clientCertificateIdentityFilters": [Self.filter("subject-ou", "exact", "ops")]
        ])
        let apus = try ApusProcess.start(document)
        func status(_ pair: TestAuthority.Pair) throws -> String {
            try Tool.run(
                [
                    "curl", "-q", "-sS", "--max-time", "10", "--cacert", Self.roots, "-o", "/dev/null", "-w",
                    "%{http_code}", "--cert", pair.certificatePath, "--key", pair.privateKeyPath,
                    "https://localhost:\(apus.port)/",
                ], in: apus.folder, expectsSuccess: false)
        }
        #expect(try status(Self.billing) == "200")
        #expect(try status(Self.web).hasPrefix("000"))
        expectMetric(apus, "apus_client_tls_failures_total", "client_identity", is: 1)
        let line = try eventually {
            let log = try String(contentsOfFile: "\(apus.folder)/connection.log", encoding: .utf8)
            return log.split(separator: "\n").first { $0.contains("Failed:ClientCertIdentityNotAccepted TID_") }
        }
        #expect(try #require(line).contains("\"CN=web\""))
    }
}
