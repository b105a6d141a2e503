import Core
import Model

/// One thing the command line asks of a running Apus: the request, and how people see the answer.
///
/// Source: docs/admin-api.md.
public struct AdminCall {
    /// As in `GET`.
    let method: String
    /// Path and query.
    let target: String
    /// What is sent; nil for nothing.
    let body: Value?
    /// The answer as text for a person, whether in colours or not.
    let view: (Value, _ coloured: Bool) -> String
    /// Whether the answer says that something was cut, or is going to be.
    let tellsOfCuts: (Value) -> Bool

    private init(
        _ method: String, _ target: String, _ body: Value? = nil,
        tellsOfCuts: @escaping (Value) -> Bool = { _ in false },
        view: @escaping (Value, Bool) -> String
    ) {
        self.method = method
        self.target = target
        self.body = body
        self.tellsOfCuts = tellsOfCuts
        self.view = view
    }

    /// What a call brought that was not refused.
    public struct Outcome: Sendable {
        /// What to print, with its last line feed.
        public let text: String
        /// What to say on the standard error: a line each.
        public let warnings: [String]
        /// With which status the command ends: 0, or 4 if something was cut.
        public let exitStatus: Int32
    }

    /// Asks the server at `socket`, and waits for its answer.
    public func perform(socket: String, asJSON: Bool, coloured: Bool) throws(AdminClientError) -> Outcome {
        let answer = try AdminClient(path: socket).call(method, target, body: body)
        return Outcome(
            text: asJSON ? answer.json(pretty: true) : view(answer, coloured),
            warnings: (answer["warnings"]?.array ?? []).compactMap { Warning($0)?.description },
            exitStatus: tellsOfCuts(answer) ? 4 : 0)
    }

    // MARK: The whole

    /// Version, uptime, workers, counters.
    public static var status: AdminCall { AdminCall("GET", "/v1/status", view: AdminView.status) }

    /// Reads the file again.
    public static func reload(discardingChanges: Bool) -> AdminCall {
        AdminCall("POST", "/v1/reload", discardingChanges ? ["discardChanges": true] : nil, view: AdminView.reload)
    }

    // MARK: Target groups

    /// All target groups.
    public static var groups: AdminCall { AdminCall("GET", "/v1/target-groups", view: AdminView.groups) }

    /// The health of a group's targets; of all of them when `targets` is empty.
    public static func targets(of group: String, _ targets: [TargetName]) -> AdminCall {
        let query = targets.map { "id=\(escaped($0.id))" + ($0.port.map { "&port=\($0)" } ?? "") }.joined(
            separator: "&")
        let path = "/v1/target-groups/\(escaped(group))/targets"
        return AdminCall("GET", query.isEmpty ? path : "\(path)?\(query)", view: AdminView.targets)
    }

    /// Adds targets to a group, and waits until they are healthy if `wait`, at most for so many seconds if they are
    /// given.
    public static func register(
        _ targets: [TargetName], in group: String, wait: Bool = false, timeoutSeconds: Double? = nil
    ) -> AdminCall {
        var body: Value = ["targets": list(targets)]
        if wait { body["wait"] = true }
        body["timeoutSeconds"] = timeoutSeconds.map { .number($0) }
        return AdminCall("POST", "/v1/target-groups/\(escaped(group))/targets", body) { answer, _ in
            AdminView.done(
                "Registered \(counted(targets.count, "target")) in \(group)\(wait ? ", healthy now" : "")", answer)
        }
    }

    /// Removes targets from a group, and waits until they are drained if `wait`.
    public static func deregister(_ targets: [TargetName], from group: String, wait: Bool) -> AdminCall {
        let body: Value = ["targets": list(targets), "wait": .bool(wait)]
        let path = "/v1/target-groups/\(escaped(group))/deregister"
        return AdminCall("POST", path, body, tellsOfCuts: AdminView.tellsOfCuts) { answer, coloured in
            if wait { return AdminView.drained(answer, coloured) }
            return AdminView.deregistered(answer, from: group)
        }
    }

    // MARK: Listeners

    /// All listeners of all load balancers.
    public static var listeners: AdminCall { AdminCall("GET", "/v1/load-balancers", view: AdminView.listeners) }

    /// The rules of a listener, its default action last.
    public static func rules(of listener: ListenerOrRule) -> AdminCall {
        AdminCall("GET", "\(listener.listenerPath)/rules", view: AdminView.rules)
    }

    /// Adds or replaces a rule. `conditions` and `actions` are as in the file. Errors: `listener` names no priority.
    public static func putRule(_ rule: ListenerOrRule, hosts: [String], paths: [String], forward: [GroupWeight])
        -> AdminCall
    {
        var conditions: [Value] = []
        func add(_ field: String, _ values: [String]) {
            if values.isEmpty { return }
            conditions.append(["field": .string(field), "values": .array(values.map { .string($0) })])
        }
        add("host-header", hosts)
        add("path-pattern", paths)
        let groups = forward.map { weight -> Value in
            ["targetGroupName": .string(weight.group), "weight": .int(weight.weight)]
        }
        let action: Value = ["type": "forward", "forwardConfig": ["targetGroups": .array(groups)]]
        return putRule(rule, ["conditions": .array(conditions), "actions": [action]])
    }

    /// Adds or replaces a rule that is given as JSON. Errors: what is wrong with the JSON.
    public static func putRule(_ rule: ListenerOrRule, json: String) throws(AdminClientError) -> AdminCall {
        do throws(ConfigErrors) {
            return putRule(rule, try Value.parse(json: json, file: ""))
        } catch {
            throw .refused(AdminError(error))
        }
    }

    private static func putRule(_ rule: ListenerOrRule, _ body: Value) -> AdminCall {
        AdminCall("PUT", rule.path, body) { answer, _ in AdminView.done("Put rule \(rule)", answer) }
    }

    /// Removes a rule.
    public static func deleteRule(_ rule: ListenerOrRule) -> AdminCall {
        AdminCall("DELETE", rule.path) { answer, _ in AdminView.done("Deleted rule \(rule)", answer) }
    }

    /// Sets weights in a forward action.
    public static func weights(_ action: ListenerOrRule, _ weights: [GroupWeight]) -> AdminCall {
        let body = Value.object(weights.map { Value.Member($0.group, .int($0.weight)) })
        let text = weights.map { "\($0.group)=\($0.weight)" }.joined(separator: " ")
        return AdminCall("PUT", "\(action.path)/weights", body) { answer, _ in
            AdminView.done("Set weights \(text) of \(action)", answer)
        }
    }

    // MARK: Instances

    /// The instance registry.
    public static var instances: AdminCall { AdminCall("GET", "/v1/instances", view: AdminView.instances) }

    /// Adds or replaces an entry of the registry.
    public static func setInstance(_ id: String, address: String) -> AdminCall {
        AdminCall("PUT", "/v1/instances/\(escaped(id))", ["address": .string(address)]) { answer, _ in
            AdminView.done("Set \(id) to \(address)", answer)
        }
    }

    /// Removes an entry of the registry.
    public static func deleteInstance(_ id: String) -> AdminCall {
        AdminCall("DELETE", "/v1/instances/\(escaped(id))") { answer, _ in AdminView.done("Deleted \(id)", answer) }
    }

    private static func list(_ targets: [TargetName]) -> Value { .array(targets.map { .target($0.id, $0.port) }) }
}

/// `text` as one segment of a path or one value of a query.
func escaped(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
        if byte.isLetter || byte.isDigit || [0x2D, 0x2E, 0x5F, 0x3A].contains(byte) {
            result.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
    }
    return result
}
