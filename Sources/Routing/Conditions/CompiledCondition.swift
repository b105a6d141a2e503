import RegularExpressions

/// One condition of a rule, as workers test it: an enum over the kinds that there are, each of which has a file here.
///
/// A rule applies to what meets all of its conditions. `RuleTable` finds rules by their host-header and path-pattern
/// conditions, and tests the others of those that it has found.
///
/// Shape:  made by control, of what the configuration says; testing one allocates nothing.
/// Source: Application Load Balancer user guide, "Condition types for listener rules".
public enum CompiledCondition: Equatable, Sendable {
    case hostHeader(HostHeaderCondition)
    case pathPattern(PathPatternCondition)
    case httpHeader(HTTPHeaderCondition)
    case requestMethod(RequestMethodCondition)
    case queryString(QueryStringCondition)
    case sourceIP(SourceIPCondition)
    case sourceFamily(SourceFamilyCondition)
    case serverName(ServerNameCondition)
    case hostRegex(HostRegexCondition)
    case pathRegex(PathRegexCondition)
    case httpHeaderRegex(HTTPHeaderRegexCondition)

    /// Whether it has regular expressions, which are tested after all else.
    var hasExpressions: Bool {
        switch self {
        case .hostRegex, .pathRegex, .httpHeaderRegex: true
        default: false
        }
    }

    /// Tests it; one with regular expressions needs `space`.
    public func test(_ facts: borrowing RuleFacts, in space: MatchSpace?) -> ConditionOutcome {
        switch self {
        case .hostRegex(let condition): condition.test(facts, in: space)
        case .pathRegex(let condition): condition.test(facts, in: space)
        case .httpHeaderRegex(let condition): condition.test(facts, in: space)
        default: ConditionOutcome(matches(facts))
        }
    }

    /// Whether it holds, which has no regular expressions.
    private func matches(_ facts: borrowing RuleFacts) -> Bool {
        switch self {
        case .hostHeader(let condition): condition.matches(facts)
        case .pathPattern(let condition): condition.matches(facts)
        case .httpHeader(let condition): condition.matches(facts)
        case .requestMethod(let condition): condition.matches(facts)
        case .queryString(let condition): condition.matches(facts)
        case .sourceIP(let condition): condition.matches(facts)
        case .sourceFamily(let condition): condition.matches(facts)
        case .serverName(let condition): condition.matches(facts)
        case .hostRegex, .pathRegex, .httpHeaderRegex:
            preconditionFailure("rules: an expression is tested as a pattern")
        }
    }
}
