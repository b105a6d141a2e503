import Foundation
import Testing

@testable import Model

/// The files of conf/, as a user gets them.
@Suite struct ConfTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "conf")

    static func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    @Test func everyFileIsTested() throws {
        let found = try FileManager.default.subpathsOfDirectory(atPath: Self.folder.path())
        // A part of the package's, and files of Compose.
        let others = ["debian/apus.yaml"] + found.filter { $0.hasSuffix("compose.yaml") }
        let names = Set(found.filter { $0.hasSuffix(".yaml") }).subtracting(others).subtracting(Self.withoutTargets)
        #expect(names.sorted() == Self.names)
        // Each example has a page, and a configuration.
        let examples = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path() + "/examples")
        #expect(examples.count >= 4)
        for name in examples {
            #expect(found.contains("examples/\(name)/README.md") && found.contains("examples/\(name)/apus.yaml"))
        }
    }

    static let names = [
        "blue-green.yaml", "container/demo.yaml", "examples/api-gateway/apus.yaml", "examples/microservices/apus.yaml",
        "examples/tcp-ports/apus.yaml", "examples/web/apus.yaml", "https.yaml", "network.yaml", "quickstart.yaml",
        "reference.yaml",
    ]
    static let withoutTargets = ["container/apus.yaml"]

    @Test(arguments: withoutTargets) func loadsWithoutTargets(_ name: String) throws {
        let document = try Document.load(yaml: Self.text(name), file: "conf/\(name)")
        #expect(!document.loadBalancers.isEmpty && document.admin == Document().admin)
    }

    @Test(arguments: names) func loads(_ name: String) throws {
        let document = try Document.load(yaml: Self.text(name), file: "conf/\(name)")
        #expect(!document.loadBalancers.isEmpty && !document.targetGroups.isEmpty)
        #expect(try Document(document.encoded()) == document)
    }

    /// The package appends what the quickstart balances: its own part says only where things lie.
    @Test func thePackageServesTheQuickstart() throws {
        let quickstart = try Self.text("quickstart.yaml")
        let start = try #require(quickstart.range(of: "\nloadBalancers:\n")).lowerBound
        let text = try Self.text("debian/apus.yaml") + quickstart[start...]
        let document = try Document.load(yaml: text, file: "apus.yaml")
        #expect(document.admin == Document().admin && document.runtime == Document().runtime)
        #expect(document.logs.access.destination == .file("/var/log/apus/access.log"))
        #expect(document.loadBalancers == (try Document.load(yaml: quickstart, file: "")).loadBalancers)
    }

    @Test func quickstartIsWhatTheDemoServes() throws {
        let document = try Document.load(yaml: Self.text("quickstart.yaml"), file: "quickstart.yaml")
        #expect(document.admin.socket == "/tmp/apus-demo/admin.sock")
        #expect(document.logs.access.destination == .file("/tmp/apus-demo/access.log"))
        let web = try #require(document.loadBalancers.first)
        #expect(web.addresses == ["127.0.0.1"] && web.listeners.map(\.port) == [8080])
        let groups = [
            WeightedTargetGroup(targetGroupName: "blue", weight: 90),
            WeightedTargetGroup(targetGroupName: "green", weight: 10),
        ]
        #expect(web.listeners[0].defaultActions == [.forward(ForwardAction(targetGroups: groups))])
        #expect(document.targetGroups.flatMap(\.targets).map(\.port) == [9001, 9002, 9003, 9004])
    }

    /// Each key of the schema stands in reference.yaml, below a comment with its meaning, range and default; and the
    /// value there is the default, where there is one. (That it has no other key is tested by its loading.)
    @Test func referenceSaysWhatTheCodeDoes() throws {
        let text = try Self.text("reference.yaml")
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var walker = ReferenceWalker()
        walker.walk(try Value.parse(yaml: text, file: "reference.yaml"), .object(Document.description.shape))
        for key in ReferenceWalker.allKeys {
            guard let (location, value) = walker.seen[key.id] else {
                Issue.record("reference.yaml lacks \(key.id)")
                continue
            }
            let comment = ReferenceWalker.comment(above: location.line, in: lines)
            #expect(comment.contains(key.comment), "the comment above line \(location.line), \(key.id)")
            // A redirect that changes nothing would be refused, so one component differs there.
            if let expected = key.shape.defaultValue, key.isScalar, key.object != "RedirectConfig" {
                #expect(value == expected, "\(key.id) in line \(location.line) should show its default")
            }
        }
        #expect(walker.seen.count == ReferenceWalker.allKeys.count)
    }
}

/// Goes through a value and its shape side by side and notes where each key stands first.
struct ReferenceWalker {
    struct DescribedKey {
        let object: String
        let shape: KeyShape
        var id: String { "\(object).\(shape.name)" }
        var isScalar: Bool {
            switch shape.shape {
            case .list, .object, .map: false
            default: true
            }
        }

        /// What the comment must say.
        var comment: String {
            var text = shape.meaning
            switch shape.shape {
            case .object, .list(.object, _), .map: break
            default: text += " Must be \(shape.shape.expected)."
            }
            if shape.isRequired { return text + " Required." }
            if let value = shape.defaultValue, isScalar { text += " Default: \(value.string ?? value.json())." }
            return text
        }
    }

    /// The object whose keys are those of another one, where their meaning is.
    private static let repeating = "TargetGroupDefaults"

    /// Where each key was first seen, and its value there.
    private(set) var seen: [String: (Location, Value)] = [:]

    mutating func walk(_ value: Value, _ shape: Shape) {
        switch shape {
        case .object(let object) where object.name == Self.repeating: break
        case .object(let object):
            for member in value.members ?? [] {
                guard let key = object.keys.first(where: { $0.name == member.key }) else { continue }
                let id = "\(object.name).\(key.name)"
                if seen[id] == nil, let location = member.keyLocation { seen[id] = (location, member.value) }
                walk(member.value, key.shape)
            }
        case .list(let element, _): for value in value.array ?? [] { walk(value, element) }
        case .map(let element): for member in value.members ?? [] { walk(member.value, element) }
        default: break
        }
    }

    /// Every key of every object of a configuration.
    static let allKeys: [DescribedKey] = {
        var keys: [DescribedKey] = []
        var objects: Set<String> = []
        func visit(_ shape: Shape) {
            switch shape {
            case .object(let object):
                guard object.name != repeating, objects.insert(object.name).inserted else { return }
                keys += object.keys.map { DescribedKey(object: object.name, shape: $0) }
                object.keys.forEach { visit($0.shape) }
            case .list(let element, _), .map(let element): visit(element)
            case .either(let first, let second):
                visit(first)
                visit(second)
            default: break
            }
        }
        visit(.object(Document.description.shape))
        return keys
    }()

    /// The comment lines directly above a line, joined.
    static func comment(above line: Int, in lines: [String]) -> String {
        var words: [String] = []
        for text in lines[..<(line - 1)].reversed() {
            let trimmed = text.trimmingCharacters(in: .whitespaces)
            guard trimmed.hasPrefix("#") else { break }
            words.insert(trimmed.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces), at: 0)
        }
        return words.joined(separator: " ")
    }
}
