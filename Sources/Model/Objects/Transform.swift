/// A change to what a target gets of a request, made once a rule has decided for it. Source: ELBv2 RuleTransform.
public enum Transform: Hashable, Sendable {
    /// `host-header-rewrite`: the Host field, made of the host that the request names.
    case hostHeaderRewrite(RewriteConfig)
    /// `url-rewrite`: the path and the query, made of those of the request.
    case urlRewrite(RewriteConfig)
}

/// A regular expression and what its match is replaced with. Source: ELBv2 RewriteConfig.
public struct RewriteConfig: Hashable, Sendable {
    /// The regular expression: PCRE2's; it may match anywhere in the text.
    public var regex: String
    /// What takes the place of the first match; `$1` to `$9` are what its groups have captured.
    public var replace: String

    /// A rewrite.
    public init(regex: String, replace: String) {
        self.regex = regex
        self.replace = replace
    }
}
