import Foundation
import TestCertificates
import Testing

/// testssl.sh tries each policy for what is known to be wrong with versions, ciphers and stacks.
@Suite struct SecurityPolicyTests {
    static let authority = TestAuthority()
    static let pairs = [authority.issue(["localhost"]), authority.issue(["localhost"], key: .rsa(2048))]

    /// What a policy lets in that the scanner dislikes, as the policy is meant to: old versions, and CBC.
    static let oldest: Set<String> = ["TLS1", "TLS1_1", "BEAST", "BEAST_CBC_TLS1", "LUCKY13"]

    @Test(
        arguments: [
            ("TLS13-1-3-2021-06", []), ("TLS13-1-2-Res-2021-06", []), ("FS-1-2-Res-2020-10", ["TLS1_3"]),
            ("TLS13-1-2-2021-06", ["LUCKY13"]), ("TLS13-1-2-Ext1-2021-06", ["LUCKY13"]),
            ("TLS13-1-2-Ext2-2021-06", ["LUCKY13"]), ("TLS13-1-1-2021-06", ["TLS1_1", "LUCKY13"]),
            ("TLS13-1-0-2021-06", oldest), ("2016-08", oldest.union(["TLS1_3"])),
        ] as [(String, Set<String>)])
    func isCleanToAScanner(policy: String, tolerated: Set<String>) throws {
        let target = try TargetServer()
        var document = Document(target)
        document.listeners[0].certificates = Self.pairs
        document.listeners[0].settings = ["sslPolicy": .string("ELBSecurityPolicy-\(policy)")]
        let apus = try ApusProcess.start(document)
        let file = "\(apus.folder)/findings.csv"
        _ = try Tool.run(
            [
                "testssl", "--quiet", "--color", "0", "--warnings", "off", "-p", "-f", "-U", "--ip", "127.0.0.1",
                "--csvfile", file, "https://localhost:\(apus.port)/",
            ], in: apus.folder, within: 300, expectsSuccess: false)
        // "id","fqdn/ip","port","severity","finding","cve","cwe"
        let findings = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").dropFirst()
            .map { $0.split(separator: "\",\"").map { $0.trimmingPrefix("\"") } }
        #expect(findings.count > 25, "it has looked at everything")
        let disliked = findings.filter { !["OK", "INFO"].contains($0[3]) && !tolerated.contains(String($0[0])) }
        #expect(disliked.isEmpty, "\(disliked)")
    }
}
