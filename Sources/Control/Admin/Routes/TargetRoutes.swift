import Core
import Model

/// The targets of a group.
enum TargetRoutes {
    static var all: [AdminRoutes.Route] {
        [
            .init("/v1/target-groups/{tg}/targets", ("GET", .read, describe), ("POST", .targets, register)),
            .init("/v1/target-groups/{tg}/deregister", ("POST", .targets, deregister)),
        ]
    }

    /// DescribeTargetHealth: all targets, or those that `?id=` and `port=` name.
    private static func describe(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let all = try call.status.targetHealth(group: call.name("tg"), targets: try call.queriedTargets())
        let sorted = all.sorted { ($0.target.id, $0.target.port ?? 0) < ($1.target.id, $1.target.port ?? 0) }
        let layers = call.status.targetLayers(ofGroup: call.name("tg"))
        completion(.value(["targetHealthDescriptions": .array(sorted.map { $0.value(layers) })]))
    }

    private static func register(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let body = try call.request.json()
        let targets = try call.targets(of: body, beside: "wait", "timeoutSeconds")
        let timeout = try call.timeout(of: body)
        guard body["wait"]?.bool ?? false else {
            return call.apply(.registerTargets(group: call.name("tg"), targets), completion)
        }
        let status = call.status
        call.services.targets.register(
            group: call.name("tg"), targets: targets, within: timeout, by: call.request.user, if: call.condition,
            for: call.requester
        ) { result in
            switch result {
            case .failure(let error): completion(.refused(error))
            case .success(let health):
                completion(
                    .value([
                        "generation": .int(Int(clamping: status.generation)),
                        "targetHealthDescriptions": .array(health.map(\.value)),
                    ]))
            }
        }
    }

    private static func deregister(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let body = try call.request.json()
        let targets = try call.targets(of: body, beside: "wait")
        let (status, wait) = (call.status, body["wait"]?.bool ?? false)
        call.services.targets.deregister(
            group: call.name("tg"), targets: targets, wait: wait, by: call.request.user, if: call.condition,
            for: call.requester
        ) { result in
            switch result {
            case .failure(let error): completion(.refused(error))
            case .success(let report):
                let sorted = report.targets.sorted { ($0.id, $0.port) < ($1.id, $1.port) }
                var answer: Value = [
                    "generation": .int(Int(clamping: status.generation)), "targets": .array(sorted.map(\.value)),
                ]
                answer["warnings"] = report.warning.map { .array([$0.value]) }
                completion(.value(answer))
            }
        }
    }
}

extension AdminCallContext {
    /// The targets that the query asks for; nil when it asks for all.
    fileprivate func queriedTargets() throws(AdminError) -> [TargetDescription]? {
        var targets: [TargetDescription] = []
        for (key, value) in request.query {
            switch key {
            case "id": targets.append(TargetDescription(id: value))
            case "port":
                guard let port = Int(value), (1...65535).contains(port), !targets.isEmpty else {
                    throw AdminError(
                        code: "ValidationError", message: "port must be a port after the id it belongs to.",
                        remedy: "Write it as in ?id=10.0.0.5&port=8080.")
                }
                targets[targets.count - 1].port = port
            default:
                throw AdminError(
                    code: "ValidationError", message: "The query may hold id and port, but found \"\(key)\".",
                    remedy: "Write it as in ?id=10.0.0.5&port=8080.")
            }
        }
        return targets.isEmpty ? nil : targets
    }

    /// How long the body of a registration allows to wait. Errors: it is no such time, or nothing waits.
    fileprivate func timeout(of body: Value) throws(AdminError) -> Nanoseconds {
        guard let value = body["timeoutSeconds"] else { return Nanoseconds(seconds: Limits.healthWaitSeconds) }
        guard body["wait"]?.bool == true else {
            throw AdminError(
                code: "ValidationError", message: "timeoutSeconds is how long to wait, but wait is not true.",
                remedy: "Write \"wait\": true as well, or leave it out.")
        }
        let seconds = value.seconds ?? -1
        guard seconds >= 0, seconds <= Limits.healthWaitSecondsMax else {
            throw AdminError(
                code: "ValidationError",
                message: "timeoutSeconds must be a number of seconds from 0 to "
                    + "\(Int(Limits.healthWaitSecondsMax)), but found \(value.json()).",
                remedy: "Write it as in \"timeoutSeconds\": 60.")
        }
        return Nanoseconds(seconds: seconds)
    }

    /// The targets that `{"targets":[{"id":…,"port":…}]}` holds, at least one; `others` are the keys that may stand
    /// beside them.
    fileprivate func targets(of body: Value, beside others: String...) throws(AdminError) -> [TargetDescription] {
        let remedy = "Write it as in {\"targets\": [{\"id\": \"10.0.0.9\", \"port\": 8080}]}."
        guard let members = body.members, let list = body["targets"] else {
            throw AdminError(
                code: "ValidationError", message: "The body must be an object with a list of targets.", remedy: remedy)
        }
        for member in members where member.key != "targets" {
            guard others.contains(member.key) else {
                throw AdminError(
                    code: "ValidationError", message: "The body has a key that is not known here: \"\(member.key)\".",
                    remedy: remedy)
            }
            guard member.key != "wait" || member.value.bool != nil else {
                throw AdminError(
                    code: "ValidationError", message: "wait must be true or false, but found \(member.value.json()).",
                    remedy: "Write it as in \"wait\": true.")
            }
        }
        return try read(list, TargetDescription.list)
    }
}

extension TargetHealthDescription {
    /// The same with where the target comes from, which `layers` tells; a target that drains comes from nowhere.
    fileprivate func value(_ layers: [TargetKey: TargetLayer]) -> Value {
        var value = value
        guard state != .draining, let port = target.port, let layer = layers[TargetKey(id: target.id, port: port)]
        else { return value }
        value["layer"] = .string(layer.label)
        if case .discovered(let name) = layer { value["discoveredAs"] = .string(name) }
        return value
    }

    /// As DescribeTargetHealth shows it.
    var value: Value {
        var health: Value = ["state": .string(state.rawValue)]
        health["reason"] = reason.map { .string($0) }
        health["description"] = description.map { .string($0) }
        var value: Value = [
            "target": .target(
                target.id, target.port, weight: target.weight, zone: target.zone, quicServerID: target.quicServerID),
            "healthCheckPort": .int(healthCheckPort),
            "targetHealth": health, "suspect": .bool(isSuspect),
        ]
        value["ejected"] = ejection.map { .string("\($0.label)") }
        if isHeld { value["removalHeld"] = true }
        value["anomalyDetection"] = anomaly.map { anomaly in
            [
                "result": .string(anomaly.isAnomalous ? "anomalous" : "normal"),
                "mitigationInEffect": .string(anomaly.isMitigated ? "yes" : "no"),
            ]
        }
        return value
    }
}

extension Deregistration {
    /// As the answer tells it: how the draining ended only if that was waited for.
    fileprivate var value: Value {
        var value = drain?.value ?? .target(id, port)
        value["registered"] = .bool(wasRegistered)
        return value
    }
}

extension Value {
    /// A number, whole or not.
    var seconds: Double? {
        switch content {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }
}
