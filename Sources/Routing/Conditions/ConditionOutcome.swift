import RegularExpressions

/// What testing a condition has come to.
public enum ConditionOutcome: UInt8, Equatable, Sendable {
    /// It holds.
    case holds
    /// It does not hold.
    case fails
    /// Whether it holds cannot be told: a regular expression was given up at its limit.
    case limit

    /// The outcome of a condition that can always be told.
    init(_ holds: Bool) { self = holds ? .holds : .fails }

    /// Whether any of `expressions` matches `text`; they are tried in their order, up to the first that does not fail.
    init(_ expressions: [RegularExpression], _ text: Span<UInt8>, _ space: MatchSpace?) {
        guard let space else { preconditionFailure("rules: expressions without a space to match in") }
        self = .fails
        let expressions = expressions.span
        for index in expressions.indices {
            switch expressions[index].search(text, in: space) {
            case .notFound: continue
            case .found: self = .holds
            case .limit: self = .limit
            }
            return
        }
    }
}
