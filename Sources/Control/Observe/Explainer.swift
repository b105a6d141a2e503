import Core
import Model
import Proxy
import Routing

/// A request that is to be explained.
struct ExplainedRequest {
    /// Its method.
    var method = "GET"
    /// The host that it names, with a port if the URL has one.
    var authority: String
    /// The port that the URL asks for.
    var port: Int
    /// The path and the query.
    var target: String
    /// Its other fields, in their order.
    var fields: [(name: String, value: String)] = []
    /// The client's address.
    var source = "127.0.0.1"
    /// The listener, as `web:8080`; nil for the one that has the port.
    var listener: String?

    /// As HTTP/1 writes it.
    var head: String {
        var text = "\(method) \(target) HTTP/1.1\r\nHost: \(authority)\r\n"
        for field in fields { text += "\(field.name): \(field.value)\r\n" }
        return text + "\r\n"
    }

    /// The host without a port.
    var host: String {
        if authority.first == "[" { return String(authority.dropFirst().prefix { $0 != "]" }) }
        return String(authority.prefix { $0 != ":" })
    }
}

/// What routes of the admin socket need of `Explainer`.
protocol ExplainActions: AnyObject {
    /// What would become of a request, and why. Errors: there is no such listener, or it is no request.
    func explain(_ request: ExplainedRequest) throws(AdminError) -> Value
}

/// Says what would become of a request, and why: rule by rule, and target by target.
///
/// Shape:  one object of the control thread; nothing is changed.
final class Explainer: ExplainActions {
    private let store: DocumentStore
    private let registry: TargetRegistry
    private let publication: Publication
    private let health: TargetHealth

    /// Explains by what `publication` has put in force.
    init(_ store: DocumentStore, _ registry: TargetRegistry, _ publication: Publication, _ health: TargetHealth) {
        self.store = store
        self.registry = registry
        self.publication = publication
        self.health = health
    }

    func explain(_ request: ExplainedRequest) throws(AdminError) -> Value {
        let (balancer, listener) = try self.listener(of: request)
        guard let key = balancer.keys(of: listener).first, let plan = publication.plan(of: key) else {
            throw AdminError(
                code: "ListenerNotFound", status: 409,
                message: "\(balancer.name):\(listener.port) is not in force yet.",
                remedy: "Ask again in a moment.")
        }
        guard let client = SocketAddress(literal: request.source, port: 0) else {
            throw AdminError(
                code: "ValidationError", message: "source must be an address, but found \"\(request.source)\".",
                remedy: "Write it as in 198.51.100.7.")
        }
        let head = Array(request.head.utf8)
        guard head.count <= Limits.explainedHeadBytesMax else {
            throw AdminError(
                code: "ValidationError", message: "The head of the request has \(head.count) bytes.",
                remedy: "Make it \(Limits.explainedHeadBytesMax) at most.")
        }
        let name = Array(request.host.utf8)
        let isNamed = plan.tls != nil && SocketAddress(literal: request.host, port: 0) == nil
        let trial = RequestTrial(
            plan, head: head.span, client: client,
            serverName: plan.tls == nil ? nil : isNamed ? name : [])
        var value = value(of: trial, listener, "\(balancer.name):\(listener.port)")
        if let access = plan.access, !access.admits(client) { value["clientDenied"] = true }
        return value
    }

    // MARK: Which listener

    private func listener(of request: ExplainedRequest) throws(AdminError) -> (LoadBalancer, Listener) {
        let document = store.committedDocument
        let all = document.loadBalancers.flatMap { balancer in
            balancer.listeners.filter { $0.protocol.kind == .application }.map { (balancer, $0) }
        }
        let names = all.map { "\($0.0.name):\($0.1.port)" }
        let found = all.filter { balancer, listener in
            request.listener.map { $0 == "\(balancer.name):\(listener.port)" } ?? (listener.port == request.port)
        }
        if let first = found.first, found.count == 1 { return first }
        let wanted = request.listener.map { "is \($0)" } ?? "has port \(request.port)"
        throw AdminError(
            code: "ListenerNotFound", status: 404,
            message: found.isEmpty
                ? "No listener of an application load balancer \(wanted)."
                : "\(found.count) listeners have port \(request.port).",
            remedy: names.isEmpty
                ? "Add one."
                : "Name one with --listener: \(names.prefix(Model.Limits.targetsNamedMax).joined(separator: ", ")).")
    }

    // MARK: What is told

    private func value(of trial: RequestTrial, _ listener: Listener, _ name: String) -> Value {
        let rules = listener.rules.sorted { $0.priority < $1.priority }
        var value: Value = ["listener": .string(name)]
        value["rules"] = .array(
            zip(rules, trial.conditions).enumerated().map { index, rule in
                self.value(of: rule.0, rule.1, decides: trial.outcome == .apply(rule: index))
            })
        switch trial.outcome {
        case .refused(let status, let reason):
            value["outcome"] = "refused"
            value["status"] = .int(Int(status))
            value["reason"] = .string("\(reason)")
        case .apply(let index):
            let rule = index.map { rules[$0] }
            value["rule"] = rule.map { .int($0.priority) } ?? "default"
            tell(rule?.actions ?? listener.defaultActions, trial, &value)
            if rule?.rateLimit != nil { value["rateLimited"] = true }
        }
        value["transformedHost"] = trial.transformed.host.map { .string(String(decoding: $0, as: UTF8.self)) }
        value["transformedUrl"] = trial.transformed.url.map { .string(String(decoding: $0, as: UTF8.self)) }
        return value
    }

    private func value(of rule: Rule, _ outcomes: [ConditionOutcome], decides: Bool) -> Value {
        let written = rule.encoded()["conditions"]?.array ?? []
        let conditions = zip(written, rule.conditions.count == outcomes.count ? outcomes : []).map {
            condition, outcome in
            ["condition": condition, "holds": outcome.value] as Value
        }
        return [
            "priority": .int(rule.priority), "conditions": .array(conditions),
            "holds": .bool(outcomes.allSatisfy { $0 == .holds }), "decides": .bool(decides),
        ]
    }

    private func tell(_ actions: [Action], _ trial: RequestTrial, _ value: inout Value) {
        for action in actions {
            switch action {
            case .forward(let forward):
                value["outcome"] = "forward"
                value["sticky"] = .bool(forward.stickiness.isEnabled)
                value["cohort"] = trial.cohort.map { .string(forward.targetGroups[$0].targetGroupName) }
                let total = forward.targetGroups.reduce(0) { $0 + $1.weight }
                value["targetGroups"] = .array(
                    forward.targetGroups.map { self.value(of: $0, total: total, trial) })
            case .fixedResponse, .redirect:
                value["outcome"] = action.encoded()["type"] ?? "answer"
                value["action"] = action.encoded()
            }
        }
    }

    private func value(of weighted: WeightedTargetGroup, total: Int, _ trial: RequestTrial) -> Value {
        var value: Value = [
            "targetGroupName": .string(weighted.targetGroupName), "weight": .int(weighted.weight),
            "sharePercent": .number(
                total == 0 ? 0 : (Double(weighted.weight) * 10_000 / Double(total)).rounded() / 100),
        ]
        guard let group = registry.groups[weighted.targetGroupName], let plan = group.plans.first else { return value }
        let pick = trial.pick(in: plan, now: Instant.now())
        value["algorithm"] = .string(group.configuration.attributes.balancing.algorithm.rawValue)
        value["failOpen"] = .bool(pick.isFailOpen)
        let known = (try? health.describe(group: group.name, targets: nil)) ?? []
        value["targets"] = .array(
            plan.targets.enumerated().map { index, target in
                let registration = group.registrations.first { $0.id == target.id }
                let key = registration?.key
                var one: Value = [
                    "id": .string(key?.id ?? "\(target.address)"), "port": .int(key?.port ?? 0),
                    "weight": .int(target.weight), "eligible": .bool(pick.eligible[index]),
                    "picked": .bool(pick.picked == index),
                ]
                if let found = known.first(where: { $0.target.id == key?.id && $0.target.port == key?.port }) {
                    one["state"] = .string(found.state.rawValue)
                    one["reason"] = found.description.map { .string($0) }
                }
                if target.cell.isSuspect { one["suspect"] = true }
                return one
            })
        return value
    }
}

extension ConditionOutcome {
    /// As the socket shows it.
    fileprivate var value: Value {
        switch self {
        case .holds: true
        case .fails: false
        case .limit: "limit"
        }
    }
}
