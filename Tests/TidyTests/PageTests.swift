import Foundation
import Testing

/// A kind of names that users meet and that docs/ must therefore mention: the source files, an expression whose only
/// group is the name, and the pages of which one must have each name.
private struct Subject: Sendable, CustomTestStringConvertible {
    let what: String
    let files: String
    let expression: String
    let pages: [String]
    /// The least number of names, so that a renamed file or function does not leave the rule without any.
    let countMin: Int
    var testDescription: String { what }
}

private let subjects: [Subject] = [
    Subject(
        what: "keys of the file", files: #"Sources/Model/(Keys|Objects)/.*\.swift"#,
        expression: #"\w*Key\(\s*(?:optional: )?"([\w.]+)""#,
        pages: ["docs/elbv2.md", "docs/running.md", "docs/discovery.md", "docs/rollouts.md", "docs/admin-api.md"],
        countMin: 100
    ),
    Subject(
        what: "words of keys",
        files: #"Sources/Model/(Objects|Keys)/(Balancing|Listener|TargetGroup|LoadBalancer|TrafficProtocol)\w*\.swift"#,
        expression: #"(?m)^ +case \w+ = "([\w.]+)"$"#, pages: ["docs/elbv2.md"], countMin: 15),
    Subject(
        what: "security policies", files: #"Sources/Model/Objects/SecurityPolicy\.swift"#,
        expression: #"SecurityPolicy\("([\w-]+)""#, pages: ["docs/elbv2.md"], countMin: 20),
    Subject(
        what: "codes of refusals", files: #"Sources/Model/Validation/ConfigError\.swift"#,
        expression: #"case \w+ = "(\w+)""#, pages: ["docs/elbv2.md", "docs/admin-api.md"], countMin: 25),
    Subject(
        what: "other codes of refusals", files: #"Sources/(Control|CLI)/.*\.swift"#, expression: #"code: "([A-Z]\w+)""#,
        pages: ["docs/elbv2.md", "docs/admin-api.md"], countMin: 10),
    Subject(
        what: "states of targets", files: #"Sources/Routing/Health/Health\w+\.swift"#,
        expression: #""((?:Elb|Target|Container)\.\w+|unhealthy\.draining)""#, pages: ["docs/elbv2.md"], countMin: 10),
    Subject(
        what: "reasons of responses that Apus makes itself", files: #"Sources/(HTTP1|Proxy)/.*\.swift"#,
        expression: #"(?:\bword|\breasonCode|case \.\w+): "([A-Z][a-z]+[A-Z]\w+)""#,
        pages: ["docs/elbv2.md", "docs/threats.md", "docs/networking.md"], countMin: 50),
    Subject(
        what: "paths of the admin socket", files: #"Sources/Control/Admin/.*\.swift"#,
        expression: #"(?:Route|\.init)\(\s*"(/[^"]+)""#, pages: ["docs/admin-api.md"], countMin: 15),
    Subject(
        what: "events", files: #"Sources/Control/Observe/Event\.swift"#, expression: #""([a-z]+-[a-z-]+)""#,
        pages: ["docs/admin-api.md"], countMin: 10),
    Subject(
        what: "failures of client certificates", files: #"Sources/TLS/Certificates/ClientCertificateFailure\.swift"#,
        expression: #": "(\w+)""#, pages: ["docs/elbv2.md"], countMin: 13),
]

/// The names of `subject`, and those of them that none of its pages has.
private func missing(_ subject: Subject, in files: [RepositoryFile]) -> (names: Set<String>, missing: [String]) {
    let pages = files.filter { subject.pages.contains($0.path) }.map { $0.text.lines.joined(separator: "\n") }
    let names = files.filter { $0.path.range(of: "^\(subject.files)$", options: .regularExpression) != nil }
        .flatMap { groups(subject.expression, $0.text.lines.joined(separator: "\n")) }
    let isThere = { (name: String) in
        let whole = "(?<![\\w-])\(NSRegularExpression.escapedPattern(for: name))(?![\\w-]|\\.\\w)"
        return pages.contains { $0.range(of: whole, options: .regularExpression) != nil }
    }
    return (Set(names), Set(names).filter { !isThere($0) }.sorted())
}

/// The first group of each match of `pattern` in `text`.
private func groups(_ pattern: String, _ text: String) -> [String] {
    guard let expression = try? NSRegularExpression(pattern: pattern) else {
        preconditionFailure("not a regular expression: \(pattern)")
    }
    let whole = text as NSString
    return expression.matches(in: text, range: NSRange(location: 0, length: whole.length)).map {
        whole.substring(with: $0.range(at: 1))
    }
}

@Suite struct PageTests {
    @Test(arguments: subjects) private func pagesNameEverything(_ subject: Subject) {
        let (names, missing) = missing(subject, in: Repository.textFiles)
        #expect(names.count >= subject.countMin, "\(subject.what): only \(names.count) found in \(subject.files)")
        let pages = subject.pages.joined(separator: " or ")
        for name in missing { Issue.record("\(pages) does not name \(name), which is among the \(subject.what)") }
    }

    @Test func whatIsNotNamedIsCaught() {
        let subject = Subject(
            what: "things", files: "Sources/.*", expression: #"name: "(\w+)""#, pages: ["docs/a.md"], countMin: 1)
        let files = [
            RepositoryFile(path: "Sources/A/B.swift", "name: \"one\" name: \"two\" name: \"three\""),
            RepositoryFile(path: "docs/a.md", "`one`, twos and three.four"),
        ]
        #expect(missing(subject, in: files).missing == ["three", "two"])
    }

    @Test func pagesAreShortAndLinked() throws {
        let files = Repository.textFiles
        for (path, linesMax) in [("README.md", 200), ("ARCHITECTURE.md", 250)] {
            let lines = try #require(files.first { $0.path == path }).text.lines.count
            #expect(lines <= linesMax, "\(path) has \(lines) lines: move something to docs/")
        }
        let readme = try #require(files.first { $0.path == "README.md" }).text.lines.joined(separator: "\n")
        let pages = files.filter { $0.path.hasPrefix("docs/") && $0.path.hasSuffix(".md") }
        #expect(pages.count >= 9)
        for page in pages { #expect(readme.contains("(\(page.path))"), "README.md does not link to \(page.path)") }
    }

    /// ARCHITECTURE.md lists the folders of each target, one target on a line.
    @Test func foldersAreThoseOfTheArchitecture() throws {
        let page = try #require(Repository.textFiles.first { $0.path == "ARCHITECTURE.md" })
        var listed: Set<String> = []
        for line in page.text.lines {
            let words = line.split(separator: " ")
            guard let target = words.first, target.hasSuffix("/"), words.count > 1 else { continue }
            for folder in words.dropFirst() { listed.insert("\(target)\(folder)") }
        }
        let there = Repository.swiftFiles("Sources").compactMap { file -> String? in
            let parts = file.path.split(separator: "/")
            return parts.count > 3 ? parts[1...2].joined(separator: "/") : nil
        }
        #expect(listed.count > 30)
        #expect(listed.subtracting(there).sorted() == [], "ARCHITECTURE.md lists these folders, which do not exist")
        #expect(Set(there).subtracting(listed).sorted() == [], "ARCHITECTURE.md does not list these folders")
    }

    /// The types and files that pages for maintainers name exist.
    @Test(arguments: ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/decisions.md"])
    func namesAreThoseOfTheSources(page: String) throws {
        let text = try #require(Repository.textFiles.first { $0.path == page }).text.lines.joined(separator: "\n")
        let files = Repository.textFiles.map(\.path)
        let words = Set(
            Repository.swiftFiles("Sources").flatMap { file in
                file.text.lines.flatMap { $0.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init) }
            })
        let types = groups(#"`([A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*)`"#, text)
        let paths = groups(#"`([\w/+-]+(?:/[\w+-]+)?\.swift)`"#, text)
        #expect(types.count + paths.count >= 5, "too few names found in \(page): has its form changed?")
        for type in Set(types) where !words.contains(type) && !files.contains(where: { $0.hasPrefix("Tests/\(type)/") })
        {
            let isFile = files.contains { $0.hasSuffix("/\(type).swift") }
            #expect(isFile || type == "Makefile", "\(page) names \(type), which is not in Sources")
        }
        for path in Set(paths) where !files.contains(where: { $0 == path || $0.hasSuffix("/\(path)") }) {
            Issue.record("\(page) names \(path), which does not exist")
        }
    }

    /// The chart is drawn by `make chart`; this fails if the table was changed without it.
    @Test func theChartShowsTheTable() throws {
        let readme = try #require(Repository.textFiles.first { $0.path == "README.md" }).text.lines
        let chart = try String(contentsOf: Repository.root.appendingPathComponent("docs/bench.svg"), encoding: .utf8)
        let start = try #require(readme.firstIndex { $0.hasPrefix("| work") })
        let rows = readme[start...].prefix { $0.hasPrefix("|") }.dropFirst(2)
        #expect(rows.count >= 10)
        let head = cells(readme[start])
        for row in rows.map(cells) {
            let unit = row[0].split(separator: ",").last?.trimmingCharacters(in: .whitespaces) ?? ""
            for (title, cell) in zip(head, row).dropFirst() where !title.contains("÷") {
                guard let number = cell.split(separator: " ").first, Double(number) != nil else { continue }
                #expect(chart.contains(">\(number) \(unit) · \(title)<"), "bench.svg lacks \(title): \(row[0])")
            }
        }
    }

    private func cells(_ line: String) -> [String] {
        line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
}
