import Core
import HTTP2
import Model
import Proxy
import TLS
import Telemetry

/// The whole: status and configuration.
enum StatusRoutes {
    static var all: [AdminRoutes.Route] {
        [
            .init("/v1/status", ("GET", .read, status)),
            .init("/v1/config", ("GET", .read, config)).ofGeneration(),
        ]
    }

    private static func status(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let source = call.status
        let workers = source.workers.map(\.counters)
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
                "uptimeSeconds": .int(Int(Instant.now().since(source.startedAt) / 1_000_000_000)),
                "configurationFile": .string(source.configurationFile),
                "generation": .int(Int(clamping: source.generation)),
                "changesNotApplied": .array(source.changesNotApplied.map { .string($0) }),
                "overridden": .array(source.overrides.map(\.value)),
                "groupsFailedOpen": .array(source.groupsFailedOpen.map { .string($0) }),
                "groupsFailedOver": .array(source.groupsFailedOver.map { .string($0) }),
                "finishing": .array(source.finishing.map(\.value)),
                "workers": .array(source.workers.map(worker)),
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
        completion(.value(call.status.document.encoded()))
    }
}
