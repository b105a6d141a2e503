/// What testssl.sh found about a server.
///
/// Source: testssl(1), "--csvfile" and "SEVERITY".
struct ScannerReport {
    /// One row: what was looked at, how bad it is, and what was seen.
    struct Finding: Equatable, CustomStringConvertible {
        let id: String
        let severity: String
        let text: String
        var description: String { "\(id) \(severity): \(text)" }
    }

    /// Findings about the server.
    let findings: [Finding]

    /// What testssl.sh says before it looks at the server: its OpenSSL is old, or lacks an engine that would let it see
    /// more. Its checks that cannot be done are findings of their own, and not clean: WARN under the check's own name.
    private static let aboutTheScanner: Set<String> = ["engine_problem", "old_fart", "too_old_openssl"]

    /// Reads rows of `"id","fqdn/ip","port","severity","finding","cve","cwe"` below a line with these names.
    init(csv: String) {
        findings = csv.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: "\",\"", omittingEmptySubsequences: false).map(String.init)
            let id = String((fields.first ?? "").trimmingPrefix("\""))
            guard fields.count >= 5 else { return Finding(id: id, severity: "UNREADABLE", text: String(line)) }
            return Finding(id: id, severity: fields[3], text: fields[4])
        }.filter { !Self.aboutTheScanner.contains($0.id) }
    }

    /// What is wrong with the server: anything but OK and INFO, which includes what the scanner could not find out.
    /// `tolerated` are checks whose result is as it is meant to be.
    func objections(tolerating tolerated: Set<String>) -> [Finding] {
        findings.filter { !["OK", "INFO"].contains($0.severity) && !tolerated.contains($0.id) }
    }
}
