import Core
import HTTP2
import Model
import Proxy
import TLS
import Telemetry

// What is about the whole: status, configuration, metrics, reload, check, events, instances.
extension AdminRoutes {
    /// What may be seen from outside.
    static var observation: [Route] {
        [Route("/metrics", ("GET", metrics)), Route("/health", ("GET", health))]
    }

    static var overview: [Route] {
        [
            Route("/v1/status", ("GET", status)),
            Route("/v1/config", ("GET", config)).ofGeneration(),
            Route("/v1/reload", ("POST", reload)),
            Route("/v1/check", ("POST", check)),
            Route("/v1/events", ("GET", events)),
            Route("/v1/instances", ("GET", instances)).ofGeneration(),
            Route("/v1/instances/{id}", ("GET", instance), ("PUT", putInstance), ("DELETE", deleteInstance))
                .ofGeneration(),
        ]
    }

    private static func status(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let actions = call.actions
        let workers = actions.workers.map(\.counters)
        func sum(_ read: (WorkerCounters) -> UInt64) -> Value {
            .int(Int(clamping: workers.reduce(0) { $0 &+ read($1) }))
        }
        completion(
            .value([
                "version": .string(Control.version),
                "libraries": ["openssl": .string(TLSLibrary.version), "nghttp2": .string(HTTP2Library.version)],
                // It loses bytes: docs/decisions.md, decision 37.
                "kernelTLS": false,
                "pid": .int(Int(SystemProcess.id)),
                "uptimeSeconds": .int(Int(Instant.now().since(actions.startedAt) / 1_000_000_000)),
                "configurationFile": .string(actions.configurationFile),
                "generation": .int(Int(clamping: actions.generation)),
                "changesNotApplied": .array(actions.changesNotApplied.map { .string($0) }),
                "overridden": .array(actions.overrides.map(\.value)),
                "groupsFailedOpen": .array(actions.groupsFailedOpen.map { .string($0) }),
                "workers": .array(actions.workers.map(worker)),
                "flows": flows(workers),
                "counters": [
                    "clientConnections": sum { $0.connectionsAccepted.value },
                    "clientConnectionsActive": sum { $0.connectionsActive.value },
                    "requests": sum { $0.requests.value },
                    "requestsActive": sum { $0.requestsActive.value },
                    "targetResponses5xx": sum { $0.targetResponses.value(.serverError) },
                    "generatedResponses5xx": sum { $0.generatedResponses.value(.serverError) },
                    "retries": sum { $0.retries.value },
                    "failOpenRequests": sum { $0.failOpenRequests.value },
                    "connectionsCutByConfiguration": sum { $0.connectionsCutByConfiguration.value },
                    "exchangesCutByDeregistration": sum { $0.exchangesCutByDeregistration.value },
                ],
            ]))
    }

    /// Connections that are passed on, and flows of datagrams, by kind.
    private static func flows(_ workers: [WorkerCounters]) -> Value {
        let members = FlowKind.allCases.map { kind in
            let ended = workers.reduce(0) { $0 &+ $1.flowsEnded.value(kind) }
            let total = workers.reduce(0) { $0 &+ $1.flows.value(kind) }
            let counts: Value = ["active": .int(Int(clamping: total &- ended)), "total": .int(Int(clamping: total))]
            return Value.Member("\(kind.label)", counts)
        }
        return .object(members)
    }

    private static func worker(_ worker: WorkerHandle) -> Value {
        let counters = worker.counters
        return [
            "index": .int(worker.index),
            "clientConnectionsActive": .int(Int(clamping: counters.connectionsActive.value)),
            "targetConnectionsActive": .int(Int(clamping: counters.targetConnectionsActive.value)),
            "requests": .int(Int(clamping: counters.requests.value)),
            "requestsActive": .int(Int(clamping: counters.requestsActive.value)),
            "bytesHeld": .int(Int(clamping: counters.bytesHeld.value)),
        ]
    }

    private static func config(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        completion(.value(call.actions.document.encoded()))
    }

    private static func metrics(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let bytes =
            if let page = call.page { try page.bytes(call.actions) } else { try MetricsPage(call.actions).bytes() }
        completion(.text(PrometheusText.contentType, bytes))
    }

    /// Whether this process serves: 503 once it has begun to end.
    private static func health(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        guard !call.actions.isStopping else {
            throw AdminError(
                code: "OperationNotPermitted", status: Operations.statusUnavailable,
                message: "This Apus is stopping: it finishes what is in flight.", remedy: "Ask the next one.")
        }
        completion(.value(["status": "serving"]))
    }

    private static func reload(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        var isDiscarding = false
        if !call.request.body.isEmpty {
            let body = try call.request.json()
            let known = body.members?.allSatisfy { $0.key == "discardChanges" && $0.value.bool != nil } ?? false
            guard known else {
                throw AdminError(
                    code: "ValidationError",
                    message: "The body may hold discardChanges, true or false, and nothing else.",
                    remedy: "Send {\"discardChanges\": true}, or no body.")
            }
            isDiscarding = body["discardChanges"]?.bool ?? false
        }
        call.actions.reload(discardingChanges: isDiscarding, if: call.condition) { result in
            switch result {
            case .failure(let errors):
                let status = call.actions.isStopping ? Operations.statusUnavailable : nil
                completion(.refused(AdminError(errors, status: status)))
            case .success(let report):
                var answer: Value = [
                    "generation": .int(Int(clamping: report.generation)),
                    "changes": .array(report.changes.map { .string($0) }),
                    "changesNotApplied": .array(report.changesNotApplied.map { .string($0) }),
                    "overridden": .array(report.overrides.map(\.value)),
                    "needsRestart": .array(report.needsRestart.map { .string($0) }),
                ]
                answer["putAside"] = report.putAside.map { .string($0) }
                let warnings = call.actions.document.warnings().map { Warning($0, DocumentPlaces()).value }
                if !warnings.isEmpty { answer["warnings"] = .array(warnings) }
                completion(.value(answer))
            }
        }
    }

    /// Says what a reload would say of a whole document, in JSON or YAML. The query may name the `file` in which the
    /// mistakes are, and the `folder` in which its relative paths begin.
    private static func check(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        try call.requireGeneration()
        var names: [String: String] = [:]
        for (key, value) in call.request.query {
            guard ["file", "folder"].contains(key) else {
                throw AdminError(
                    code: "ValidationError", message: "The query may hold file and folder, but found \"\(key)\".",
                    remedy: "Write it as in /v1/check?file=edge.yaml&folder=/etc/apus.")
            }
            names[key] = value
        }
        call.actions.check(call.request.body, file: names["file"] ?? "", folder: names["folder"]) { check in
            guard check.mistakes.isEmpty else { return completion(.refused(AdminError(ConfigErrors(check.mistakes)))) }
            completion(.value(check.value))
        }
    }

    private static func events(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        guard let recent = call.request.query.first(where: { $0.key == "recent" }) else {
            return completion(.events(recent: 0))
        }
        guard let count = Int(recent.value), count >= 0 else {
            throw AdminError(
                code: "ValidationError", message: "recent must be a number of events, but found \"\(recent.value)\".",
                remedy: "Write it as in /v1/events?recent=20.")
        }
        completion(.events(recent: count))
    }

    private static func instances(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let all = call.actions.document.instances.sorted { $0.id < $1.id }
        completion(.value(["instances": .array(all.map { $0.encoded() })]))
    }

    private static func instance(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        guard let instance = call.actions.document.instances.first(where: { $0.id == call.name("id") }) else {
            throw AdminError(
                code: "ResourceNotFound", message: "There is no instance \(call.name("id")).",
                remedy: "See \"apus instances\" for those there are.")
        }
        completion(.value(instance.encoded()))
    }

    private static func putInstance(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let body = try call.object(named: "id", .string(call.name("id")))
        call.apply(.putInstance(try call.read(body, Instance.init(_:))), completion)
    }

    private static func deleteInstance(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        call.apply(.deleteInstance(id: call.name("id")), completion)
    }
}
