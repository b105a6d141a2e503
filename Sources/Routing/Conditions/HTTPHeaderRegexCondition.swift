import Core
import RegularExpressions

/// The condition `http-header` with `regexValues`. It holds when any of its patterns matches any value of the fields
/// with its name; a match may begin anywhere.
public struct HTTPHeaderRegexCondition: Equatable, Sendable {
    /// The fields that it looks at.
    let fields: FieldSelector
    private let expressions: [RegularExpression]

    /// A condition on the fields with this name; the patterns are copies that no other worker has.
    public init(name: String, _ expressions: [RegularExpression]) {
        fields = FieldSelector(name)
        self.expressions = expressions
    }

    /// Tests it.
    func test(_ facts: borrowing RuleFacts, in space: MatchSpace?) -> ConditionOutcome {
        for index in facts.fields.indices where fields.selects(facts.fields[index], of: facts.bytes) {
            let outcome = ConditionOutcome(expressions, facts.bytes.extracting(facts.fields[index].value), space)
            if outcome != .fails { return outcome }
        }
        return .fails
    }
}
