import RegularExpressions

/// The regular expressions that were compiled for workers, so that each is compiled once, and not at every change.
///
/// Shape:  of the control thread. Workers get copies, which share what was compiled and no counter.
/// Limits: `Limits.expressionsCachedMax`; when there are more, all are forgotten, and those in use are compiled again
///         at the next change of their listener.
final class ExpressionCache {
    private struct Key: Hashable {
        let pattern: String
        let ignoresCase: Bool
    }

    private var known: [Key: RegularExpression] = [:]

    /// A copy for one worker of `pattern`, which was validated.
    func copy(of pattern: String, ignoresCase: Bool) -> RegularExpression {
        let key = Key(pattern: pattern, ignoresCase: ignoresCase)
        if let expression = known[key] { return RegularExpression(copying: expression) }
        guard let expression = try? RegularExpression(pattern, ignoresCase: ignoresCase) else {
            preconditionFailure("publisher: a valid document has no such expression")
        }
        if known.count >= Limits.expressionsCachedMax { known = [:] }
        known[key] = expression
        return RegularExpression(copying: expression)
    }
}
