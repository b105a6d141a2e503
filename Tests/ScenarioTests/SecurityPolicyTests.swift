import Foundation
import TestCertificates
import Testing

/// testssl.sh scans each policy for known weaknesses of versions, ciphers and implementations.
@Suite struct SecurityPolicyTests {
    static let authority = TestAuthority()
    static let pairs = [authority.issue(["localhost"]), authority.issue(["localhost"], key: .rsa(2048))]

    /// Findings that a policy intends: old versions, and CBC.
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
        let report = ScannerReport(csv: try String(contentsOfFile: file, encoding: .utf8))
        #expect(report.findings.count > 25, "the scan is complete")
        let objections = report.objections(tolerating: tolerated)
        #expect(objections.isEmpty, "\(objections)")
    }

    /// Rows of testssl.sh 3.0.8 on a machine without the engine that it recommends.
    static let rows = """
        "id","fqdn/ip","port","severity","finding","cve","cwe"
        "engine_problem","/","443","WARN","No engine or GOST support via engine with your /usr/bin/openssl","",""
        "SSLv3","localhost/127.0.0.1","8443","OK","not offered","",""
        "TLS1","localhost/127.0.0.1","8443","LOW","offered (deprecated)","",""
        "TLS1_2","localhost/127.0.0.1","8443","OK","offered","",""
        "PFS_ciphers","localhost/127.0.0.1","8443","INFO","TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256","",""
        """

    @Test("Warnings about the scanner's own machine are not findings about the server")
    func scannersMachine() {
        let report = ScannerReport(csv: Self.rows)
        #expect(report.findings.map(\.id) == ["SSLv3", "TLS1", "TLS1_2", "PFS_ciphers"])
        #expect(report.objections(tolerating: ["TLS1"]).isEmpty)
        #expect(report.objections(tolerating: []).map(\.description) == ["TLS1 LOW: offered (deprecated)"])
    }

    @Test(
        "Weaknesses of a server and failed checks are findings",
        arguments: [
            #""SSLv3","localhost/127.0.0.1","8443","CRITICAL","offered","",""#,
            #""heartbleed","localhost/127.0.0.1","8443","CRITICAL","VULNERABLE","CVE-2014-0160","CWE-119"#,
            #""SWEET32","localhost/127.0.0.1","8443","LOW","uses 64 bit block ciphers","CVE-2016-2183","CWE-327"#,
            #""CRIME_TLS","localhost/127.0.0.1","8443","WARN","Check failed, couldn't connect","CVE-2012-4929",""#,
            #""SSLv2","localhost/127.0.0.1","8443","WARN","not tested due to lack of local support","",""#,
            #""BREACH","localhost/127.0.0.1","8443","MEDIUM","potentially VULNERABLE","CVE-2013-3587","CWE-310"#,
            #""cut"#,
        ])
    func serversFaults(row: String) {
        let report = ScannerReport(csv: Self.rows + "\n" + row)
        #expect(report.objections(tolerating: ["TLS1"]).count == 1)
    }
}
