/// What a request, or on a network load balancer a connection, must be for a rule to apply. It holds when any of its
/// values matches.
///
/// Shape:  in a pattern `*` stands for any characters, also none, and `?` for exactly one. Regular expressions are
///         those of PCRE2 and may match anywhere in the text.
/// Source: ELBv2 RuleCondition. One kind of condition is added here, in `Model/Keys/Condition+Keys.swift`, and compiled
///         by `CompiledCondition.init` in Control for workers.
public enum Condition: Hashable, Sendable {
    /// `host-header`: the name of the Host field, without regard to case.
    case hostHeader([String])
    /// `host-header` with `regexValues`: regular expressions for that name, without regard to case.
    case hostHeaderRegex([String])
    /// `path-pattern`: the path, without the query, with regard to case.
    case pathPattern([String])
    /// `path-pattern` with `regexValues`: regular expressions for the path, with regard to case.
    case pathPatternRegex([String])
    /// `http-header`: the values of the fields with this name, name and values without regard to case.
    case httpHeader(name: String, [String])
    /// `http-header` with `regexValues`: regular expressions for those values, without regard to case.
    case httpHeaderRegex(name: String, [String])
    /// `http-request-method`: the method, with regard to case. These are words and not patterns.
    case requestMethod([String])
    /// `query-string`: the parameters of the query, without regard to case.
    case queryString([QueryStringPair])
    /// `source-ip`: the network of the client's address.
    case sourceIP([AddressBlock])
    /// `source-ip` with `ipAddressType`: the family of the client's address. On network load balancers.
    case sourceFamily(IPAddressFamily)
    /// `apus.sni`: the name that a client's TLS asks for, without regard to case. On TCP listeners; our own, not
    /// ELBv2's.
    case serverName([String])
}

/// A parameter of a query that a `query-string` condition looks for. Source: ELBv2 QueryStringKeyValuePair.
public struct QueryStringPair: Hashable, Sendable {
    /// The pattern of the key; nil stands for any key. `\*`, `\?` and `\\` stand for the characters themselves.
    public var key: String?
    /// The pattern of the value, with the same escapes.
    public var value: String

    /// A pair; without `key` any parameter may have the value.
    public init(key: String? = nil, value: String) {
        self.key = key
        self.value = value
    }
}

/// A family of addresses. Source: ELBv2 SourceIpConditionConfig.
public enum IPAddressFamily: String, Hashable, Sendable, CaseIterable {
    /// IPv4.
    case ipv4
    /// IPv6.
    case ipv6
}
