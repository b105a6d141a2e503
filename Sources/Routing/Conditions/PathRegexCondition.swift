import Core
import RegularExpressions

/// The condition `path-pattern` with `regexValues`. It holds when any of its patterns matches the path, which is
/// canonical and without the query; a match may begin anywhere.
public struct PathRegexCondition: Equatable, Sendable {
    private let expressions: [RegularExpression]

    /// A condition with these patterns, copies that no other worker has.
    public init(_ expressions: [RegularExpression]) { self.expressions = expressions }

    /// Patterns as `PathPatternCondition` has them, one of which matches every path for which this condition holds; nil
    /// unless every expression says how such a path begins.
    var patterns: [[UInt8]]? {
        let tellPrefix = expressions.allSatisfy {
            !$0.ignoresCase && !$0.prefix.isEmpty && Glob.kind(of: $0.prefix) == .literal
        }
        return tellPrefix ? expressions.map { $0.prefix + [.asterisk] } : nil
    }

    /// Tests it.
    func test(_ facts: borrowing RuleFacts, in space: MatchSpace?) -> ConditionOutcome {
        ConditionOutcome(expressions, facts.path, space)
    }
}
