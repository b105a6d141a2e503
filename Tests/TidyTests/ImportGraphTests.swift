import Testing

/// Which target may import which. Source: ARCHITECTURE.md, "Modules". None may import Foundation, which brings 34 MB of
/// data about languages into the binary; FoundationEssentials is what stands below it.
private let importsAllowed: [String: Set<String>] = [
    "CLinux": [],
    "Core": ["CLinux", "Glibc"],
    "TLS": ["Core", "COpenSSL"],
    "HTTP1": ["Core"],
    "DNS": ["Core", "CCares"],
    "RegularExpressions": ["CPCRE2"],
    "YAML": ["CYAML"],
    "Model": ["RegularExpressions", "YAML"],
    "Routing": ["Core", "RegularExpressions"],
    "Telemetry": ["Core", "HTTP1", "HTTP2", "Routing"],
    "HTTP2": ["Core", "HTTP1", "CNghttp2"],
    "Proxy": ["Core", "HTTP1", "HTTP2", "Model", "RegularExpressions", "Routing", "TLS", "Telemetry"],
    "Control": [
        "Core", "HTTP1", "HTTP2", "DNS", "Model", "RegularExpressions", "Routing", "TLS", "Telemetry", "Proxy",
        "Logging", "FoundationEssentials",
    ],
    "CLI": ["Core", "HTTP1", "Model", "ArgumentParser"],
    "apus": ["Control", "CLI", "ArgumentParser"],
]

/// Modules of the standard library that every target may import.
private let importsFree: Set<String> = ["Synchronization"]

private func importFindings(_ file: RepositoryFile) -> [Finding] {
    guard let allowed = importsAllowed[file.module] else {
        return [Finding(path: file.path, line: 1, message: "target \(file.module) is new: give it a row in this test")]
    }
    return file.text.code.enumerated().compactMap { index, line in
        let words = line.split(separator: " ").map(String.init)
        // Attributes may stand before `import`, and a kind such as `struct` after it.
        guard let keyword = words.firstIndex(of: "import"), words[..<keyword].allSatisfy(isImportPrefix),
            let name = words[(keyword + 1)...].first(where: { !importKinds.contains($0) })
        else { return nil }
        let module = name.split(separator: ".").first.map(String.init) ?? name
        if allowed.contains(module) || importsFree.contains(module) { return nil }
        let list = allowed.union(importsFree).sorted().joined(separator: ", ")
        return Finding(
            path: file.path, line: index + 1,
            message: "\(file.module) must not import \(module), only \(list): move the code to a target that may")
    }
}

private let importKinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
private func isImportPrefix(_ word: String) -> Bool {
    word.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains(word)
}

/// Only Core writes files: Foundation writes them with mktemp(3), which Package.swift leaves out of the binary.
private func foundationWriteFindings(_ file: RepositoryFile) -> [Finding] {
    file.text.code.matches(#"\batomically:|\.write\(to: *(url|URL)|\bcreateFile\("#).map { match in
        Finding(path: file.path, line: match.line, message: "no Foundation to write files: use replaceFile of Core")
    }
}

@Suite struct ImportGraphTests {
    @Test func foundationWritesNoFile() {
        expectTidy(Repository.swiftFiles("Sources"), foundationWriteFindings)
    }

    @Test(arguments: [
        "try text.write(toFile: path, atomically: true, encoding: .utf8)",
        "try data.write(to: URL(fileURLWithPath: a))",
        "FileManager.default.createFile(atPath: path, contents: nil)",
    ])
    func foundationThatWritesIsCaught(snippet: String) {
        #expect(foundationWriteFindings(RepositoryFile(path: "Sources/Control/File.swift", snippet)).count == 1)
    }

    @Test func everyTargetImportsOnlyWhatStandsAboveIt() {
        expectTidy(Repository.swiftFiles("Sources"), importFindings)
    }

    @Test(arguments: [
        ("HTTP1", "import Foundation"), ("HTTP1", "import Proxy"), ("Telemetry", "@preconcurrency import Logging"),
        ("Control", "import YAML"), ("Control", "import Foundation"), ("Core", "import struct Foundation.Data"),
        ("apus", "public import Proxy"),
        ("Proxy", "import Foundation"), ("Elsewhere", "let a = 1"), ("Model", "import Core"),
    ])
    func isCaught(module: String, snippet: String) {
        let findings = importFindings(RepositoryFile(path: "Sources/\(module)/File.swift", "// first\n\(snippet)\n"))
        #expect(findings.count == 1)
        if module != "Elsewhere" { #expect(findings.first?.line == 2) }
    }

    @Test(arguments: [
        ("HTTP1", "import Core"), ("Proxy", "import Synchronization"), ("Control", "import FoundationEssentials"),
        ("Model", "// import Core"), ("Model", "let text = \"import Core\""), ("Model", "let important = 1"),
    ])
    func isFine(module: String, snippet: String) {
        #expect(importFindings(RepositoryFile(path: "Sources/\(module)/File.swift", snippet)).isEmpty)
    }
}
