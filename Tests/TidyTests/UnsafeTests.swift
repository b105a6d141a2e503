import Testing

/// Files outside Core that may use `unsafe`: how often, and why.
private let unsafeAllowed: [String: (countMax: Int, reason: String)] = [
    "Telemetry/Logs/LogRing.swift": (12, "one piece of memory that a worker fills while the log writer empties it")
]

/// The largest number of uses of `unsafe` in each target: Core has memory and system calls, the others wrap a C
/// library. A change that needs more raises the number, where a reviewer sees it.
private let unsafeMax: [String: Int] = [
    "Core": 337, "TLS": 497, "HTTP2": 165, "RegularExpressions": 57, "DNS": 24, "YAML": 36,
]

private func unsafeFindings(_ file: RepositoryFile) -> [Finding] {
    let uses = unsafeLines(file)
    let allowed = unsafeAllowed[file.pathInFolder]
    if uses.count <= allowed?.countMax ?? 0 { return [] }
    return uses.map { line in
        Finding(
            path: file.path, line: line,
            message: allowed == nil
                ? "unsafe code belongs in Core: take a Span, or add a safe function to Core"
                : "\(uses.count) uses of unsafe, \(allowed?.countMax ?? 0) allowed (\(allowed?.reason ?? ""))")
    }
}

/// The line of each use of `unsafe` or of a promise that the compiler cannot check.
private func unsafeLines(_ file: RepositoryFile) -> [Int] {
    file.text.code.matches(#"\bunsafe\b|@unchecked\b"#).map(\.line)
}

@Suite struct UnsafeTests {
    @Test func onlyFewAreUnsafe() {
        expectTidy(Repository.swiftFiles("Sources").filter { unsafeMax[$0.module] == nil }, unsafeFindings)
    }

    @Test(arguments: unsafeMax.keys) func noneIsMoreUnsafeThanItWas(module: String) {
        let uses = Repository.swiftFiles("Sources/\(module)").flatMap(unsafeLines).count
        #expect(uses > 0, "no use found: the rule checked nothing")
        #expect(
            uses <= unsafeMax[module] ?? 0, "\(uses) uses of unsafe: write new ones with spans, or raise the number")
    }

    @Test func exemptionsAreStillNeeded() {
        let files = Repository.swiftFiles("Sources")
        for name in unsafeAllowed.keys {
            let file = files.first { $0.pathInFolder == name }
            #expect(file.map { !unsafeLines($0).isEmpty } == true, "\(name) needs no exemption: remove it here")
        }
    }

    @Test(arguments: [
        "unsafe pointer.pointee = 1", "nonisolated(unsafe) var a = 1", "final class A: @unchecked Sendable {}",
        "let text = \"\\(unsafe a.b)\"",
    ])
    func isCaught(snippet: String) {
        #expect(unsafeFindings(RepositoryFile(path: "Sources/Proxy/File.swift", snippet)).count == 1)
    }

    @Test(arguments: ["// unsafe", "let text = \"unsafe\"", "let unsafely = 1", "/* unsafe */ let a = 1"])
    func isFine(snippet: String) {
        #expect(unsafeFindings(RepositoryFile(path: "Sources/Proxy/File.swift", snippet)).isEmpty)
    }
}
