import Testing

/// Words that the project does not use, and what to write instead.
private let words: [(pattern: String, instead: String)] = [
    (#"(?i)upstream"#, "target"),
    (#"(?i)downstream"#, "client"),
    (#"(?i)front-?end"#, "client or listener"),
    (#"(?i)back-?end"#, "target"),
    (#"\b[pP]eers?\b"#, "client, target, or \"the other side\""),
    // FileManager is a type of Foundation.
    (#"\b(?!FileManager\b)\w*Managers?\b"#, "the noun for what it is, as in Pool, Table, Registry"),
    (#"\b\w*Helpers?\b"#, "the noun for what it is, or a function on the type it helps"),
    (#"\b\w*Util(s|ity|ities)?\b"#, "the noun for what it is, or an extension of the type it is about"),
    // `octet_string` is part of OpenSSL's names.
    (#"(?<![A-Za-z_])[oO]ctets?(?![A-Za-z_])|(?<=[a-z])Octets?\b"#, "byte"),
    (#"(?i)complain"#, "warn, warning"),
    (#"(?i)farewell|goodbye"#, "drain, close, or the frame: GOAWAY, FIN, close_notify"),
    (#"(?i)patience"#, "timeout"),
    (#"(?i)unheard"#, "unresponsive, unacknowledged"),
    (#"\b([dD]oors?|\w+Doors?|door[A-Z]\w*)\b"#, "endpoint, listener, socket"),
    (#"\b([bB]ells?|[dD]oorbells?|\w+Bells?)\b"#, "event, wakeup"),
    (#"(?i)\bmoods?\b"#, "state, phase"),
    (#"(?i)\b(doubtful|assured)\b"#, "unverified, verified"),
    (#"\b([sS]pells?|\w+Spells?)\b"#, "period; to write"),
]

/// Marks of unfinished work, and of merge conflicts.
private let unfinished = #"\b(TODO|FIXME|XXX|HACK)\b|^(<{7}|>{7}) \S"#

/// Paths of a particular machine.
private let machinePath = #"(?<![\w./-])/(work|home|root|Users)/\w"#

private func vocabularyFindings(_ file: RepositoryFile) -> [Finding] {
    words.flatMap { word in
        file.text.lines.matches(word.pattern).map { match in
            let message = "\"\(match.text)\" is a word that we do not use: write \(word.instead)"
            return Finding(path: file.path, line: match.line, message: message)
        }
    }
}

private func leftoverFindings(_ file: RepositoryFile) -> [Finding] {
    let marks = file.text.lines.matches(unfinished).map { match in
        Finding(path: file.path, line: match.line, message: "\(match.text): finish it, or open an issue for it")
    }
    return marks
        + file.text.lines.matches(machinePath).map { match in
            let message = "\"\(match.text)…\" is a path of one machine: make it relative, temporary or configured"
            return Finding(path: file.path, line: match.line, message: message)
        }
}

@Suite struct VocabularyTests {
    @Test func sourcesSpeakTheProjectsWords() {
        expectTidy(Repository.swiftFiles("Sources"), vocabularyFindings)
    }

    @Test func nothingIsLeftOver() {
        // The tests of this target contain what they forbid.
        let files = Repository.textFiles.filter { !$0.path.hasPrefix("Tests/TidyTests/") }
        expectTidy(files, leftoverFindings)
    }

    @Test(arguments: [
        "let upstreamCount = 1", "// the Downstream side", "case frontEnd", "\"back-end\"", "var peer: Token",
        "final class PoolManager {}", "enum StringHelper {}", "struct ByteUtils {}", "let octets = 1",
        "address+Octets", "complainedAt", "case farewell", "let filePatience = 1", "isUnheard", "AdminDoor",
        "let logBell = 1", "// its mood", "case doubtful", "LossSpell",
    ])
    func isNotOurWord(snippet: String) {
        #expect(vocabularyFindings(RepositoryFile(path: "Sources/Core/File.swift", snippet)).count == 1)
    }

    @Test(arguments: [
        "let target = client", "// utilisation", "FileManager.default", "let manager = 1", "speers", "Spelling.nearest",
        "a_octet_string", "label",
    ])
    func isOurWord(snippet: String) {
        #expect(vocabularyFindings(RepositoryFile(path: "Sources/Core/File.swift", snippet)).isEmpty)
    }

    @Test(arguments: [
        "// TODO: later", "/* FIXME */", "<<<<<<< HEAD", "let path = \"/work/a\"", "see /home/somebody/x",
    ])
    func isLeftOver(snippet: String) {
        #expect(leftoverFindings(RepositoryFile(path: "Sources/Core/File.swift", snippet)).count == 1)
    }

    @Test(arguments: ["let todo = 1", "GET /homepage", "a/work/b", "/var/lib/apus", "./work/b", "HACKING"])
    func isFinished(snippet: String) {
        #expect(leftoverFindings(RepositoryFile(path: "Sources/Core/File.swift", snippet)).isEmpty)
    }
}
