import Core

/// The condition `http-header`: the values of the header fields with one name. It holds when any of its patterns
/// matches any of them.
///
/// Shape:  in a pattern `*` stands for zero or more bytes and `?` for exactly one; there is no escape. The case of
///         ASCII letters matters neither in names nor in values.
public struct HTTPHeaderCondition: Equatable, Sendable {
    /// The fields that it looks at.
    let fields: FieldSelector
    /// The patterns, in lower case, with runs of stars made one.
    let patterns: [[UInt8]]

    /// A condition on the fields with this name.
    public init(name: String, _ values: [String]) {
        fields = FieldSelector(name)
        patterns = values.map { Glob.simplified($0.utf8.map(\.lowercased)) }
    }

    /// Whether it holds.
    func matches(_ facts: borrowing RuleFacts) -> Bool {
        for index in facts.fields.indices where fields.selects(facts.fields[index], of: facts.bytes) {
            let value = facts.bytes.extracting(facts.fields[index].value)
            if Glob.matchesAny(of: patterns, value, ignoresCase: true) { return true }
        }
        return false
    }
}
