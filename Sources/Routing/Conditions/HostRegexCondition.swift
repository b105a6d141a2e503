import RegularExpressions

/// The condition `host-header` with `regexValues`. It holds when any of its patterns matches the host, in which letters
/// are in lower case; a match may begin anywhere.
public struct HostRegexCondition: Equatable, Sendable {
    private let expressions: [RegularExpression]

    /// A condition with these patterns, copies that no other worker has.
    public init(_ expressions: [RegularExpression]) { self.expressions = expressions }

    /// Tests it.
    func test(_ facts: borrowing RuleFacts, in space: MatchSpace?) -> ConditionOutcome {
        ConditionOutcome(expressions, facts.host, space)
    }
}
