/// What a listener's rules say about a request, or about a connection that is passed on.
public enum RuleMatch: Equatable, Sendable {
    /// The rule with this index is the first that applies.
    case rule(Int)
    /// None applies: the default action holds.
    case none
    /// Whether the rule with this index applies could not be told, as a regular expression of it was given up at its
    /// limit and none of its other conditions fails. No rule before it applies. The request must be refused: to go on
    /// with the next rule would let a stranger walk around this one.
    case limit(rule: Int)
}
