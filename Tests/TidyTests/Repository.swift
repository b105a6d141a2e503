import Foundation
import Testing

/// One text file of the repository.
struct RepositoryFile: Sendable {
    /// The path relative to the root of the repository, such as `Sources/Core/Buffer.swift`.
    let path: String
    let text: SwiftText

    init(path: String, _ text: String) {
        self.path = path
        self.text = SwiftText(text)
    }

    /// `Core` of `Sources/Core/Buffer.swift`.
    var module: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
    /// `Core/Buffer.swift` of `Sources/Core/Buffer.swift`.
    var pathInFolder: String { path.split(separator: "/").dropFirst().joined(separator: "/") }
}

/// The working tree from which this test was compiled.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Every text file that people write, sorted by path: sources, tests, benchmarks, configurations and pages.
    static let textFiles = readFiles()

    /// The Swift files below `folder`.
    static func swiftFiles(_ folder: String) -> [RepositoryFile] {
        textFiles.filter { $0.path.hasPrefix(folder + "/") && $0.path.hasSuffix(".swift") }
    }

    private static func readFiles() -> [RepositoryFile] {
        let endings = [
            ".swift", ".c", ".h", ".md", ".yaml", ".yml", ".json", ".py", ".sh", "Makefile", ".ci/run", ".ci/fresh",
        ]
        guard let walk = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil) else { return [] }
        var found: [RepositoryFile] = []
        for case let url as URL in walk {
            // Written by builds and measurements.
            if [".build", ".git", "results", "__pycache__"].contains(url.lastPathComponent) {
                walk.skipDescendants()
                continue
            }
            let path = String(url.path.dropFirst(root.path.count + 1))
            guard endings.contains(where: path.hasSuffix) else { continue }
            if let text = try? String(contentsOf: url, encoding: .utf8) {
                found.append(RepositoryFile(path: path, text))
            }
        }
        return found.sorted { $0.path < $1.path }
    }
}

/// A violation of a rule: where it is, and what to write instead.
struct Finding: CustomStringConvertible {
    let path: String
    let line: Int
    let message: String
    var description: String { "\(path):\(line): \(message)" }
}

/// Fails the test once for each finding, and if there are no files.
func expectTidy(_ files: [RepositoryFile], _ rule: (RepositoryFile) -> [Finding]) {
    #expect(!files.isEmpty, "no files found below \(Repository.root.path): the rule checked nothing")
    for finding in files.flatMap(rule) { Issue.record("\(finding)") }
}

extension Array where Element == String {
    /// The matches of the regular expression in these lines. `^` and `$` are the ends of a line.
    func matches(_ pattern: String) -> [(line: Int, text: String)] {
        let text = joined(separator: "\n") as NSString
        guard let expression = try? NSRegularExpression(pattern: pattern, options: .anchorsMatchLines) else {
            preconditionFailure("not a regular expression: \(pattern)")
        }
        let found = expression.matches(in: text as String, range: NSRange(location: 0, length: text.length))
        guard !found.isEmpty else { return [] }
        var starts = [0]
        for line in self { starts.append(starts[starts.count - 1] + line.utf16.count + 1) }
        return found.map { match in
            let line = starts.firstIndex { $0 > match.range.location } ?? starts.count
            return (line, text.substring(with: match.range))
        }
    }
}
