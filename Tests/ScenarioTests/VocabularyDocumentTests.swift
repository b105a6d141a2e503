import Foundation
import Testing

/// docs/elbv2.md beside what the program itself says of its words: `apus schema`.
@Suite struct VocabularyDocumentTests {
    /// The keys of these objects stand in tables that have a default and a range.
    private static let objects = [
        "LoadBalancer", "LoadBalancerAttributes", "Listener", "ListenerAttributes", "TargetGroup",
        "TargetGroupAttributes", "MutualAuthentication", "Matcher",
    ]

    @Test("Defaults and ranges in docs/elbv2.md are those of the schema", arguments: objects)
    func tables(of object: String) throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let schema = try ApusProcess.command(["schema"], socket: "", folder: folder).json
        let properties = schema["$defs"][object]["properties"].members
        #expect(!properties.isEmpty, "the schema has no \(object)")
        let rows = try Self.rows()
        for (key, shape) in properties {
            guard let row = rows.first(where: { Self.isAbout(key, $0) }) else { continue }
            for number in Self.figures(shape) where !Self.has(number, row) {
                Issue.record("docs/elbv2.md: the row of \(key) does not say \(number): \(row)")
            }
        }
    }

    @Test func anotherDefaultIsFound() {
        let row = "| `a.seconds` | time | 60; 0.1–4,000 s |"
        #expect(Self.isAbout("a.seconds", row) && !Self.isAbout("seconds", row))
        #expect(Self.figures(["default": 60, "minimum": 0.1, "maximum": 4000]).allSatisfy { Self.has($0, row) })
        #expect(!Self.has("6", row) && !Self.has("400", row) && !Self.has("true", row))
    }

    /// The rows of the page's tables.
    private static func rows() throws -> [String] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/elbv2.md"), encoding: .utf8)
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `") }.map(String.init)
        #expect(rows.count > 80)
        return rows
    }

    /// Whether the first cell names the key, alone or behind the object that has it.
    private static func isAbout(_ key: String, _ row: String) -> Bool {
        let first = row.split(separator: "|").first ?? ""
        return first.contains("`\(key)`") || first.contains("`matcher.\(key)`")
    }

    /// Its default and the ends of its range, as text.
    private static func figures(_ shape: JSON) -> [String] {
        ["default", "minimum", "maximum"].compactMap { name in
            switch shape[name] {
            case .number(let number): number == number.rounded() ? "\(Int(number))" : "\(number)"
            case .bool(let bool): "\(bool)"
            case .string(let text) where !text.isEmpty: text
            default: nil
            }
        }
    }

    private static func has(_ figure: String, _ row: String) -> Bool {
        let plain = row.replacingOccurrences(of: #"(?<=\d),(?=\d{3})"#, with: "", options: .regularExpression)
        let word = "(?<![\\w.])\(NSRegularExpression.escapedPattern(for: figure))(?![\\w]|\\.\\d)"
        return plain.range(of: word, options: .regularExpression) != nil
    }
}
