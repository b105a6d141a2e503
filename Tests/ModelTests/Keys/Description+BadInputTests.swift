import Testing

@testable import Model

/// Every key of every object, with values that are refused: where the message stands, what it expected and found, and
/// what to do. The keys are those of the schema, so a new one is tried without anybody thinking of it; its shape must
/// have a value here that is wrong.
@Suite struct BadInputTests {
    /// A value that may not stand, what of it the message shows, and the word that the remedy must name.
    struct Wrong: Sendable {
        let content: Value.Content
        var near: String?
        init(_ content: Value.Content, near: String? = nil) {
            self.content = content
            self.near = near
        }
    }

    /// Values that nothing of this shape may have.
    static func wrong(_ shape: Shape) -> [Wrong] {
        switch shape {
        case .bool: [Wrong(.string("yes")), Wrong(.int(1)), Wrong(.array([]))]
        case .integer(let range, _):
            [Wrong(.string("many")), Wrong(.int(range.lowerBound - 1)), Wrong(.int(range.upperBound + 1))]
        case .number(let range, _):
            [Wrong(.string("many")), Wrong(.double(range.lowerBound - 1)), Wrong(.double(range.upperBound + 1))]
        case .text(let rule):
            [Wrong(.array([])), Wrong(.string(String(repeating: "\0", count: rule.length.upperBound + 1)))]
        case .word(let words, _): [Wrong(.int(7)), misspelt(words)]
        case .list: [Wrong(.string("one")), Wrong(.int(7))]
        case .object(let object): [Wrong(.string("one")), Wrong(.array([])), unknownKey(object)]
        case .map: [Wrong(.string("one")), Wrong(.array([]))]
        case .either: [Wrong(.array([])), Wrong(.object([]))]
        }
    }

    /// The longest word without its second letter.
    private static func misspelt(_ words: [String]) -> Wrong {
        let word = words.max { $0.count < $1.count } ?? ""
        let slip = String(word.prefix(1) + word.dropFirst(2))
        // Other words may be as near; short ones are not guessed.
        let isAlone = words.filter { Spelling.nearest(to: slip, among: [$0]) != nil }.count == 1
        return Wrong(.string(slip), near: isAlone ? word : nil)
    }

    private static func unknownKey(_ object: ObjectShape) -> Wrong {
        guard case .string(let slip) = misspelt(object.keys.map(\.name)).content else { return Wrong(.null) }
        return Wrong(
            .object([Value.Member(slip, Value(.null))]),
            near: Spelling.nearest(to: slip, among: object.keys.map(\.name)))
    }

    /// `value` with `content` in the first place where the key `id` stands; nil if it stands nowhere.
    private static func replacing(
        _ id: String, by content: Value.Content, in value: Value, _ shape: Shape
    ) -> (value: Value, place: Location?)? {
        var result = value
        switch (shape, value.content) {
        case (.object(let object), .object(var members)):
            for (index, member) in members.enumerated() {
                guard let key = object.keys.first(where: { $0.name == member.key }) else { continue }
                if "\(object.name).\(key.name)" == id {
                    let place = member.value.location
                    members[index].value = Value(content, at: place)
                    result.content = .object(members)
                    return (result, place)
                }
                guard let (inner, place) = replacing(id, by: content, in: member.value, key.shape) else { continue }
                members[index].value = inner
                result.content = .object(members)
                return (result, place)
            }
        case (.list(let element, _), .array(var elements)):
            for (index, one) in elements.enumerated() {
                guard let (inner, place) = replacing(id, by: content, in: one, element) else { continue }
                elements[index] = inner
                result.content = .array(elements)
                return (result, place)
            }
        case (.map(let element), .object(var members)):
            for (index, member) in members.enumerated() {
                guard let (inner, place) = replacing(id, by: content, in: member.value, element) else { continue }
                members[index].value = inner
                result.content = .object(members)
                return (result, place)
            }
        default: break
        }
        return nil
    }

    @Test func everyKeySaysWhatIsWrong() throws {
        let shape = Shape.object(Document.description.shape)
        let tree = try Value.parse(yaml: ConfTests.text("reference.yaml"), file: "reference.yaml")
        for key in ReferenceWalker.allKeys {
            let name = key.shape.name
            let values = Self.wrong(key.shape.shape)
            #expect(!values.isEmpty, "\(key.id) has no value that is wrong: add one for its shape")
            for wrong in values {
                guard let (value, place) = Self.replacing(key.id, by: wrong.content, in: tree, shape) else {
                    Issue.record("reference.yaml lacks \(key.id)")
                    continue
                }
                let shown = "\(key.id): \(Value(wrong.content).brief)"
                let errors = #expect(throws: ConfigErrors.self, "\(shown)") {
                    try Document(value, file: "reference.yaml")
                }
                guard let error = errors?.first else { continue }
                #expect(error.file == "reference.yaml" && error.location != nil, "\(shown)")
                if wrong.near == nil { #expect(error.location == place, "\(shown): \(error)") }
                #expect(error.path.contains(name), "\(shown): \(error)")
                #expect(error.expected.contains(name) || wrong.near != nil, "\(shown): \(error)")
                #expect(error.found != nil, "\(shown): \(error)")
                #expect([".", "?", "…"].contains(String(error.remedy.suffix(1))), "\(shown): \(error)")
                if let near = wrong.near {
                    #expect(error.remedy.contains("Did you mean \(near)?"), "\(shown): \(error)")
                }
            }
        }
    }
}
