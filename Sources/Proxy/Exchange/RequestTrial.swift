import Core
import HTTP1
import RegularExpressions
import Routing
import TLS

/// What a listener would do with a request that nobody has sent: for `apus explain`.
///
/// The request is read, decided about and transformed by the very code that workers use, of the plan that they use.
/// Nothing is sent, counted, or changed but what lies in here.
///
/// Shape:  an object of control's, for one request; the plan may be that of a worker, as plans do not change.
public final class RequestTrial {
    /// What becomes of the request before any action.
    public enum Outcome: Equatable {
        /// It is answered with this status, since something is wrong with it.
        case refused(status: UInt16, reason: StaticString)
        /// The action of the rule with this index is done; nil stands for the default action.
        case apply(rule: Int?)

        public static func == (left: Outcome, right: Outcome) -> Bool {
            switch (left, right) {
            case (.apply(let left), .apply(let right)): left == right
            case (.refused(let left, _), .refused(let right, _)): left == right
            default: false
            }
        }
    }

    private let plan: ListenerPlan
    private let client: SocketAddress
    private let request = Head()
    private let scratch = Head()
    private let space = MatchSpace()
    /// What becomes of it.
    public private(set) var outcome = Outcome.apply(rule: nil)
    /// Of each rule, in their order, and each of its conditions, whether it holds. Empty if the request is refused
    /// before rules are asked.
    public private(set) var conditions: [[ConditionOutcome]] = []
    /// The host and the path and query that its target is told; nil where that is what the client has sent.
    public private(set) var transformed: (host: [UInt8]?, url: [UInt8]?) = (nil, nil)

    /// Tries the request whose whole head is `head`, as HTTP/1 writes it. `serverName` is what a TLS client asks for;
    /// nil without TLS.
    public init(_ plan: ListenerPlan, head: Span<UInt8>, client: SocketAddress, serverName: [UInt8]?) {
        self.plan = plan
        self.client = client
        var scan = HeadScan()
        switch parseRequestHead(head, into: request, options: plan.settings.requestOptions, scan: &scan) {
        case .complete: break
        case .refused(let violation):
            outcome = .refused(status: violation.status, reason: violation.reasonCode)
            return
        case .needMore:
            outcome = .refused(status: 400, reason: "IncompleteHead")
            return
        }
        request.removeSpoofedFields(ownNames: plan.settings.ownFieldNames)
        decide(serverName)
        if case .apply(let rule?) = outcome { transform(by: plan.rules[rule]) }
    }

    private func decide(_ serverName: [UInt8]?) {
        let decision = decision(serverName)
        testConditions()
        switch decision {
        case .apply(let rule): outcome = .apply(rule: rule)
        case .regexLimit: outcome = .refused(status: 500, reason: "RegexLimit")
        case .tooManyForwardedAddresses: outcome = .refused(status: 463, reason: "TooManyForwardedAddresses")
        case .misdirected: outcome = .refused(status: 421, reason: "HostIsNotServerName")
        case .ambiguousPath:
            outcome = .refused(status: Violation.ambiguousPath.status, reason: Violation.ambiguousPath.reasonCode)
        }
    }

    private func decision(_ serverName: [UInt8]?) -> Decision {
        let request = request
        let host = request.host
        guard let serverName else {
            return plan.decide(request, host: host, from: ClientFacts(client), scratch: scratch, in: space)
        }
        let facts = ClientFacts(
            client, authentication: plan.tls?.clientAuthentication.mode ?? .off, serverName: serverName.span)
        return plan.decide(request, host: host, from: facts, scratch: scratch, in: space)
    }

    /// Tests every condition, where a decision finds rules by tables and tests few.
    ///
    /// All regular expressions together may cost what those of one decision may: beyond it they are not decided. So
    /// many rules cannot hold up the thread.
    private func testConditions() {
        let request = request
        let facts = RuleFacts(request, host: request.host, client: client)
        space.beginDecision()
        conditions = plan.rules.map { rule in rule.conditions.map { $0.test(facts, in: space) } }
    }

    private func transform(by rule: RulePlan) {
        guard let transforms = rule.transforms else { return }
        let made = transforms.apply(to: request, in: space)
        if let failure = made.failure { outcome = .refused(status: 500, reason: failure.word) }
        if !made.host.isEmpty { transformed.host = copy(made.host) }
        if !made.url.isEmpty { transformed.url = copy(made.url) }
    }

    private func copy(_ range: ByteRange) -> [UInt8] {
        let request = request
        let bytes = request.bytes(range)
        return [UInt8](copying: bytes)
    }

    /// The place among the groups of its action of the one that the user belongs to; nil where users are not divided,
    /// or all weights are 0.
    public var cohort: Int? {
        guard case .apply(let rule) = outcome,
            case .forward(let forward) = rule.map({ plan.rules[$0].action }) ?? plan.defaultAction,
            let cohorts = forward.cohorts
        else { return nil }
        let (pinned, place) = cohorts.place(of: request, client: client)
        return pinned ?? SmoothWeights(weights: forward.weights).index(atPlace: place)
    }

    /// What a group would do with the request: whether each of its targets may be picked, and which one a worker would
    /// that has picked none before; nil if there is none.
    public func pick(in group: GroupPlan, now: Instant) -> (eligible: [Bool], picked: Int?, isFailOpen: Bool) {
        let targets = group.targets.map { plan in
            let target = BalancedTarget(plan.cell)
            target.adopt(
                weight: plan.weight, isInOtherZone: plan.isInOtherZone, limit: group.settings.limits.requestsMax,
                group.balancing, watch: group.settings.watch, in: group.cell)
            return target
        }
        var balancer = Balancer(group.balancing, targets: targets, seed: 0)
        let hash = group.settings.hashKey?.hash(request, client: client) ?? 0
        let request = PickRequest(
            hash: hash, tried: [], mayTrySuspect: false, isLimited: group.settings.limits.requestsMax > 0, now: now)
        let picked = balancer.pick(request, from: targets)
        return (targets.indices.map { balancer.mayPick($0) }, picked, balancer.isFailOpen)
    }
}
