import Foundation
import Testing

private let fileLinesMax = 500
private let functionLinesMax = 70
private let columnsMax = 120

/// Files that consist of a table and may be longer than others, each with the reason why it is not split.
private let tables: [String: String] = [:]

private func sizeFindings(_ file: RepositoryFile) -> [Finding] {
    var findings: [Finding] = []
    let lines = file.text.lines
    let lineCount = lines.last == "" ? lines.count - 1 : lines.count
    if lineCount > fileLinesMax && tables[file.pathInFolder] == nil {
        findings.append(
            Finding(
                path: file.path, line: fileLinesMax + 1,
                message: "\(lineCount) lines, \(fileLinesMax) at most: move a type or a topic into Type+Topic.swift"))
    }
    for (index, line) in lines.enumerated() where line.count > columnsMax {
        let message = "\(line.count) columns, \(columnsMax) at most: break the line"
        findings.append(Finding(path: file.path, line: index + 1, message: message))
    }
    return findings + functionFindings(file)
}

private func functionFindings(_ file: RepositoryFile) -> [Finding] {
    let code = file.text.code
    let opening = #"^ *((@\w+(\([^)\n]*\))?|[a-z]+(\(\w+\))?) +)*(func +\S+|init[?(<]|deinit\b|subscript[(<])"#
    return code.matches(opening).map { $0.line - 1 }.compactMap { start in
        guard let end = bodyEnd(code, from: start), end - start + 1 > functionLinesMax else { return nil }
        return Finding(
            path: file.path, line: start + 1,
            message: "function of \(end - start + 1) lines, \(functionLinesMax) at most: split it into functions")
    }
}

/// The line on which the braces opened at or after `start` are closed again; nil for a declaration without a body.
private func bodyEnd(_ code: [String], from start: Int) -> Int? {
    var braces = 0
    var parentheses = 0
    for index in start..<code.count {
        for character in code[index] {
            switch character {
            case "(", "[": parentheses += 1
            case ")", "]": parentheses -= 1
            case "{": braces += 1
            case "}":
                braces -= 1
                if braces == 0 && parentheses == 0 { return index }
                // The enclosing type or protocol ends here: the declaration has no body.
                if braces < 0 { return nil }
            default: break
            }
        }
    }
    return nil
}

@Suite struct SizeTests {
    @Test func filesFunctionsAndLinesAreShort() {
        expectTidy(Repository.swiftFiles("Sources") + Repository.swiftFiles("Tests"), sizeFindings)
    }

    @Test func benchmarksAreAsShort() {
        let files = Repository.swiftFiles("Benchmarks")
        for finding in files.flatMap(sizeFindings) { Issue.record("\(finding)") }
    }

    @Test func exemptionsAreStillNeeded() {
        let files = Repository.swiftFiles("Sources") + Repository.swiftFiles("Tests")
        for name in tables.keys {
            let lines = files.first { $0.pathInFolder == name }?.text.lines.count ?? 0
            #expect(lines > fileLinesMax, "\(name) needs no exemption: remove it here")
        }
    }

    @Test(arguments: [
        String(repeating: "\n", count: 501),
        "let a = \"" + String(repeating: "a", count: 120) + "\"",
        function(lines: 71),
        "    @inlinable public static " + function(lines: 71),
        "extension A {\n    init(a: Int,\n        b: Int = 2) {" + String(repeating: "\n", count: 70) + "}\n}",
    ])
    func isCaught(snippet: String) {
        #expect(sizeFindings(RepositoryFile(path: "Sources/Core/File.swift", snippet)).count == 1)
    }

    @Test(arguments: [
        String(repeating: "\n", count: 500),
        String(repeating: "a", count: 120),
        function(lines: 70),
        "protocol A {\n    func a()\n" + String(repeating: "\n", count: 90) + "}",
        "// func a() {" + String(repeating: "\n", count: 90) + "// }",
    ])
    func isFine(snippet: String) {
        #expect(sizeFindings(RepositoryFile(path: "Sources/Core/File.swift", snippet)).isEmpty)
    }

    private static func function(lines: Int) -> String {
        "func a<B>(_ b: B) -> [Int] {" + String(repeating: "\n", count: lines - 1) + "}"
    }
}
