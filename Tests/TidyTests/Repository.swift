import Foundation
import Testing

/// One text file of the repository.
struct RepositoryFile {
    /// From the top of the repository, as `Sources/Core/Buffer.swift`.
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

/// The working tree this test was compiled from.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The Swift files below `folder`, sorted by path.
    static func swiftFiles(_ folder: String) -> [RepositoryFile] {
        files(folder).filter { $0.path.hasSuffix(".swift") }
    }

    /// Every text file people write: sources, tests, benchmarks, configuration and the pages at the top.
    static func textFiles() -> [RepositoryFile] {
        let endings = [".swift", ".c", ".h", ".md", ".yaml", ".yml", ".json", ".py", ".sh", "Makefile", "run"]
        return files("").filter { file in endings.contains { file.path.hasSuffix($0) } }
    }

    private static func files(_ folder: String) -> [RepositoryFile] {
        let base = folder.isEmpty ? root : root.appendingPathComponent(folder)
        guard let walk = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil) else { return [] }
        var found: [RepositoryFile] = []
        for case let url as URL in walk {
            // Made by building or measuring, and not ours to keep tidy.
            if [".build", ".git", "results", "__pycache__"].contains(url.lastPathComponent) {
                walk.skipDescendants()
                continue
            }
            guard !url.hasDirectoryPath, let text = try? String(contentsOf: url, encoding: .utf8) else { continue }
            found.append(RepositoryFile(path: String(url.path.dropFirst(root.path.count + 1)), text))
        }
        return found.sorted { $0.path < $1.path }
    }
}

/// Something untidy: where, and what to write instead.
struct Finding: CustomStringConvertible {
    let path: String
    let line: Int
    let message: String
    var description: String { "\(path):\(line): \(message)" }
}

/// Fails the test once for each finding, and if there was nothing to look at.
func expectTidy(_ files: [RepositoryFile], _ rule: (RepositoryFile) -> [Finding]) {
    #expect(!files.isEmpty, "no files found below \(Repository.root.path): the rule checked nothing")
    for finding in files.flatMap(rule) { Issue.record("\(finding)") }
}

extension String {
    /// Where the regular expression matches, as text.
    func matches(_ pattern: String) -> [String] {
        var found: [String] = []
        var rest = startIndex..<endIndex
        while let range = range(of: pattern, options: .regularExpression, range: rest) {
            found.append(String(self[range]))
            rest = range.isEmpty ? index(after: range.lowerBound)..<endIndex : range.upperBound..<endIndex
            if rest.isEmpty { break }
        }
        return found
    }
}
