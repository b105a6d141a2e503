/// What is done with a request. An action is final: no further rule is tried after it.
///
/// Source: ELBv2 Action.
public enum Action: Hashable, Sendable {
    /// It goes to a target of a target group.
    case forward(ForwardAction)
    /// Apus answers the request itself.
    case fixedResponse(FixedResponse)
    /// The client is sent elsewhere.
    case redirect(Redirect)
}

/// The target groups among which requests are divided by weight.
public struct ForwardAction: Hashable, Sendable {
    /// At least one; each group at most once. When all weights are 0, requests are answered with 503.
    public var targetGroups: [WeightedTargetGroup]
    /// Whether clients stay with a group.
    public var stickiness: TargetGroupStickiness
    /// How users are told apart, where each of them is to stay with a group; nil where every request counts by itself.
    public var cohorts: Cohorts?
    /// Keys of ELBv2 that are accepted but have no effect in this version, with their values as written, so that what
    /// was put is shown again.
    public var withoutEffect: [String: Value] = [:]

    /// Divides requests, or connections, among these groups.
    public init(
        targetGroups: [WeightedTargetGroup], stickiness: TargetGroupStickiness = TargetGroupStickiness()
    ) {
        self.targetGroups = targetGroups
        self.stickiness = stickiness
    }
}

/// How users are divided among the groups of an action by their weights: each user is of one group, on every worker and
/// in every process, and more weight only adds users to a group.
public struct Cohorts: Hashable, Sendable {
    /// What of a request tells users apart.
    public var key = BalancingAttributes.HashKey.sourceIP
    /// Text that makes the division another one than that of other actions.
    public var salt = ""
    /// Values of the key that are of a group whatever the weights, by the name of the group.
    public var pins: [String: [String]] = [:]

    /// Users by their addresses.
    public init() {}
}

/// Whether clients stay with a target group of an action.
public struct TargetGroupStickiness: Hashable, Sendable {
    /// Whether they do: by a cookie, or by their address on network load balancers.
    public var isEnabled: Bool
    /// For how many seconds after its last response a client stays with its group. On application load balancers, where
    /// stickiness must have it.
    public var durationSeconds: Int?

    /// Stickiness, which is off by default.
    public init(isEnabled: Bool = false, durationSeconds: Int? = nil) {
        self.isEnabled = isEnabled
        self.durationSeconds = durationSeconds
    }
}

/// A target group and its share of the requests.
public struct WeightedTargetGroup: Hashable, Sendable {
    /// Name of the group.
    public var targetGroupName: String
    /// 0–999: its share is this weight over the sum of the weights.
    public var weight: Int

    /// A group with its weight.
    public init(targetGroupName: String, weight: Int = 1) {
        self.targetGroupName = targetGroupName
        self.weight = weight
    }
}

/// A response that Apus makes itself, without a target.
public struct FixedResponse: Hashable, Sendable {
    /// 2xx, 4xx or 5xx.
    public var statusCode: Int
    /// Its Content-Type: text/plain, text/css, text/html, application/javascript or application/json.
    public var contentType: String?
    /// Its body, at most 1024 bytes.
    public var messageBody: String?
    /// Keys of ELBv2 that are accepted but have no effect in this version, with their values as written, so that what
    /// was put is shown again.
    public var withoutEffect: [String: Value] = [:]

    /// A fixed response.
    public init(statusCode: Int, contentType: String? = nil, messageBody: String? = nil) {
        self.statusCode = statusCode
        self.contentType = contentType
        self.messageBody = messageBody
    }
}

/// Where a client is sent. A component holds literal text and placeholders: `#{protocol}`, `#{host}`,
/// `#{port}`, `#{path}` (without its leading slash) and `#{query}`, which stand for the request's own.
public struct Redirect: Hashable, Sendable {
    /// How permanent the redirect is.
    public enum StatusCode: String, Hashable, Sendable, CaseIterable {
        /// 301, permanent.
        case movedPermanently = "HTTP_301"
        /// 302, temporary.
        case found = "HTTP_302"
    }

    /// How permanent it is.
    public var statusCode: StatusCode
    /// `HTTP`, `HTTPS` or `#{protocol}`.
    public var `protocol`: String
    /// The host, 1–128 characters.
    public var host: String
    /// A port number or `#{port}`.
    public var port: String
    /// Begins with a slash, 1–128 characters.
    public var path: String
    /// Without the question mark, 0–128 characters.
    public var query: String

    /// Keys of ELBv2 that are accepted but have no effect in this version, with their values as written, so that what
    /// was put is shown again.
    public var withoutEffect: [String: Value] = [:]

    /// A redirect; a component that is not given stays as the request has it.
    public init(
        statusCode: StatusCode,
        protocol: String = "#{protocol}",
        host: String = "#{host}",
        port: String = "#{port}",
        path: String = "/#{path}",
        query: String = "#{query}"
    ) {
        self.statusCode = statusCode
        self.protocol = `protocol`
        self.host = host
        self.port = port
        self.path = path
        self.query = query
    }
}
