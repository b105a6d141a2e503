import Routing

/// What is done with a request that a rule, or the default action, has matched.
public enum ActionPlan: Sendable {
    case forward(ForwardPlan)
    case fixedResponse(FixedResponsePlan)
    case redirect(RedirectPlan)
}

/// The target groups among which requests are divided.
public struct ForwardPlan: Sendable, Equatable {
    /// `GroupPlan.id` of each.
    public let groups: [Int]
    /// The weight of each, 0–999.
    public let weights: [Int]
    /// Whether a client stays with its group: of connections by the client's address, of requests by a cookie.
    public let isSticky: Bool
    /// For how many seconds after its last response a client stays with its group.
    public let stickinessSeconds: UInt32
    /// How users are divided; nil where every request counts by itself.
    public let cohorts: CohortPlan?

    public init(
        groups: [Int], weights: [Int], isSticky: Bool = false, stickinessSeconds: UInt32 = 86_400,
        cohorts: CohortPlan? = nil
    ) {
        precondition(groups.count == weights.count && !groups.isEmpty, "forward plan: a weight for every group")
        self.groups = groups
        self.weights = weights
        self.isSticky = isSticky
        self.stickinessSeconds = stickinessSeconds
        self.cohorts = cohorts
    }
}

/// A redirect.
public final class RedirectPlan: Sendable {
    /// 301 or 302.
    public let status: UInt16
    /// Makes the value of the Location field.
    public let template: RedirectTemplate

    public init(status: UInt16, template: RedirectTemplate) {
        self.status = status
        self.template = template
    }
}

/// A fixed response.
public final class FixedResponsePlan: Sendable {
    /// 2xx, 4xx or 5xx.
    public let status: UInt16
    /// Empty means no Content-Type field.
    public let contentType: [UInt8]
    /// At most 1024 bytes.
    public let body: [UInt8]

    public init(status: UInt16, contentType: [UInt8], body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}
