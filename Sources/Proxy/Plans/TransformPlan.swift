import Routing

/// What a rule changes of what targets get.
public final class TransformPlan: Sendable {
    /// Makes the Host field; nil leaves it alone.
    let host: HostHeaderRewrite?
    /// Makes the path and the query; nil leaves them alone.
    let url: URLRewrite?

    /// The transforms of a rule, of which there is at least one.
    public init(host: HostHeaderRewrite?, url: URLRewrite?) {
        self.host = host
        self.url = url
    }
}
