import Foundation
import Testing

/// A citation of a document of this repository by its file and, optionally, its sections: `docs/elbv2.md, "Actions"`.
private let citation = #"(?<![\w./*+-])([\w.-][\w./-]*\.md)(#[\w-]+)?(?:, "([^"]{1,60})"(?: and "([^"]{1,60})")?)?"#

/// A citation of a decision by its number: `docs/decisions.md, decision 7`.
private let decisionCitation = #"([\w.-][\w./-]*\.md), decision (\d+)"#

private func citationFindings(_ file: RepositoryFile, in documents: [String: RepositoryFile]) -> [Finding] {
    cited(citation, file).flatMap { line, groups -> [Finding] in
        guard let document = document(groups[0], citedIn: file, documents) else {
            let message = "\(groups[0]) is not in this repository: cite an RFC, a public page by its title, or docs/"
            return [Finding(path: file.path, line: line, message: message)]
        }
        let titles = document.text.lines.matches("^#+ .+$").map { String($0.text.drop { $0 == "#" }.dropFirst()) }
        let anchors = titles.map {
            "#" + $0.lowercased().replacing(" ", with: "-").filter { $0.isLetter || $0.isNumber || $0 == "-" }
        }
        let missing =
            (anchors.contains(groups[1]) || groups[1].isEmpty ? [] : [groups[1]])
            + groups.dropFirst(2).filter { !$0.isEmpty && !titles.contains($0) }
        return missing.map { Finding(path: file.path, line: line, message: "\(groups[0]) has no section \($0)") }
    }
        + cited(decisionCitation, file).compactMap { line, groups in
            let document = document(groups[0], citedIn: file, documents)
            if document?.text.lines.matches("^\(groups[1])\\. ").isEmpty == false { return nil }
            return Finding(path: file.path, line: line, message: "\(groups[0]) has no decision \(groups[1])")
        }
}

/// The matches of `pattern` in the prose of `file`, also across a line break: the line of each, and its groups.
private func cited(
    _ pattern: String, _ file: RepositoryFile, where mark: String = ".md"
) -> [(line: Int, groups: [String])] {
    guard let expression = try? NSRegularExpression(pattern: pattern) else {
        preconditionFailure("not a regular expression: \(pattern)")
    }
    let lines = prose(file)
    return lines.indices.flatMap { index -> [(line: Int, groups: [String])] in
        guard lines[index].contains(mark) else { return [] }
        let next = index + 1 < lines.count ? lines[index + 1].drop { "/#* ".contains($0) } : ""
        let text = "\(lines[index].trimmingCharacters(in: .whitespaces)) \(next)" as NSString
        let length = lines[index].trimmingCharacters(in: .whitespaces).utf16.count
        return expression.matches(in: text as String, range: NSRange(location: 0, length: text.length))
            .filter { $0.range.location < length }
            .map { match in
                let groups = (1..<match.numberOfRanges).map { match.range(at: $0) }
                return (index + 1, groups.map { $0.location == NSNotFound ? "" : text.substring(with: $0) })
            }
    }
}

/// The prose of a file: all lines of a page, the comments of a program.
private func prose(_ file: RepositoryFile) -> [String] {
    if file.path.hasSuffix(".swift") { return file.text.comments }
    if file.path.hasSuffix(".py") { return file.text.lines.map { $0.hasPrefix("#") ? $0 : "" } }
    return file.text.lines
}

/// The document that a path names: relative to the root of the repository, or to the folder of the citing file.
private func document(
    _ name: String, citedIn file: RepositoryFile, _ documents: [String: RepositoryFile]
) -> RepositoryFile? {
    let folder = URL(fileURLWithPath: "/\(file.path)").deletingLastPathComponent()
    let beside = URL(fileURLWithPath: name, relativeTo: folder).standardizedFileURL.path.dropFirst()
    return documents[name] ?? documents[String(beside)]
}

private let documents = Dictionary(
    uniqueKeysWithValues: Repository.textFiles.filter { $0.path.hasSuffix(".md") }.map { ($0.path, $0) })

@Suite struct CitationTests {
    @Test func whatIsCitedIsInTheRepository() {
        // Tests of this target cite documents that do not exist.
        let files = Repository.textFiles.filter { !$0.path.hasPrefix("Tests/TidyTests/") }
        expectTidy(files) { citationFindings($0, in: documents) }
    }

    private static let samples = [
        "docs/a.md": RepositoryFile(path: "docs/a.md", "# Title\n## Two words\n7. **Seven.**\n"),
        "README.md": RepositoryFile(path: "README.md", "# Title\n"),
    ]

    @Test(arguments: [
        "/// Source: b.md §3.", "/// Source: docs/b.md.", "/// See docs/a.md, \"Three words\".", "// a.md",
        "/// See docs/a.md, \"Two\n/// phrases\".", "/// See docs/a.md, \"Title\" and \"Other\".",
        "/// See docs/a.md, decision 8.", "/// See docs/a.md#three-words.",
    ])
    func isCaught(snippet: String) {
        let file = RepositoryFile(path: "Sources/Core/File.swift", snippet)
        #expect(citationFindings(file, in: Self.samples).count == 1)
    }

    @Test(arguments: [
        "/// Source: docs/a.md.", "/// See docs/a.md, \"Two words\".", "/// See docs/a.md, \"Two\n/// words\".",
        "/// See docs/a.md, decision 7.", "/// See docs/a.md#two-words.", "let path = \"b.md\"", "/// see README.md",
        "/// A name such as *.md, or https://example.com/b.md.",
    ])
    func isFine(snippet: String) {
        let file = RepositoryFile(path: "Sources/Core/File.swift", snippet)
        #expect(citationFindings(file, in: Self.samples).isEmpty)
    }

    @Test func pagesCiteEachOtherFromTheirOwnFolder() {
        #expect(citationFindings(RepositoryFile(path: "docs/c.md", "[a](a.md#two-words)"), in: Self.samples).isEmpty)
        #expect(citationFindings(RepositoryFile(path: "docs/c.md", "[a](b.md)"), in: Self.samples).count == 1)
    }
}

/// A citation of a test in a page: `FooTests` or `FooTests.bar`.
private let testCitation = #"`((?:\w+\+)?\w+Tests)(?:\.(\w+))?`"#

private func testFindings(_ page: RepositoryFile, in tests: [RepositoryFile]) -> [Finding] {
    cited(testCitation, page, where: "`").compactMap { line, groups in
        // A whole test target is cited in the same form.
        if groups[1].isEmpty, tests.contains(where: { $0.module == groups[0] }) { return nil }
        let files = tests.filter { $0.path.hasSuffix("/\(groups[0]).swift") }
        let isThere = files.contains { file in
            groups[1].isEmpty || isTest(groups[1], file)
        }
        if isThere { return nil }
        return Finding(path: page.path, line: line, message: "there is no test \(groups.joined(separator: "."))")
    }
}

/// Whether `name` is a function of `file` with the attribute `@Test`.
private func isTest(_ name: String, _ file: RepositoryFile) -> Bool {
    let code = file.text.code.joined(separator: "\n")
    guard let function = code.range(of: "\\bfunc \(name)\\b", options: .regularExpression) else { return false }
    let before = code[..<function.lowerBound]
    guard let mark = before.range(of: "@Test", options: .backwards) else { return false }
    return !before[mark.upperBound...].contains("func ")
}

@Suite struct TestCitationTests {
    @Test func testsThatPagesNameExist() {
        let tests = Repository.swiftFiles("Tests")
        expectTidy(Repository.textFiles.filter { $0.path.hasSuffix(".md") }) { testFindings($0, in: tests) }
    }

    @Test func aTestThatIsNotThereIsCaught() {
        let tests = [RepositoryFile(path: "Tests/CoreTests/ATests.swift", "@Test func b() {}\nfunc c() {}")]
        let page = RepositoryFile(path: "docs/a.md", "`ATests` `ATests.b` `ATests.c` `BTests` and ATests.d")
        #expect(testFindings(page, in: tests).count == 2)
    }
}
