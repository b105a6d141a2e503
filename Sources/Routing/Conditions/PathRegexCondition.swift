import RegularExpressions

/// The condition `path-pattern` with `regexValues`. It holds when any of its patterns matches the path, which is
/// canonical and without the query; a match may begin anywhere.
public struct PathRegexCondition: Equatable, Sendable {
    private let expressions: [RegularExpression]

    /// A condition with these patterns, copies that no other worker has.
    public init(_ expressions: [RegularExpression]) { self.expressions = expressions }

    /// Tests it.
    func test(_ facts: borrowing RuleFacts, in space: MatchSpace?) -> ConditionOutcome {
        ConditionOutcome(expressions, facts.path, space)
    }
}
