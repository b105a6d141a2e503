import Core
import Model
import Telemetry

/// What may be seen from outside: the metrics, and whether this process serves.
enum MetricsRoutes {
    static var all: [AdminRoutes.Route] {
        [
            .init("/metrics", ("GET", .read, metrics)),
            .init("/health", ("GET", .read, health)),
            .init("/ready", ("GET", .read, ready)),
        ]
    }

    private static func metrics(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let bytes =
            if let page = call.page { try page.bytes(call.status) } else { try MetricsPage(call.status).bytes() }
        completion(.text(PrometheusText.contentType, bytes))
    }

    /// Whether this process serves: 503 once it has begun to end.
    private static func health(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        guard !call.status.isStopping else {
            throw AdminError(
                code: "OperationNotPermitted", status: ChangeQueue.statusUnavailable,
                message: "This Apus is stopping: it finishes what is in flight.", remedy: "Ask the next one.")
        }
        completion(.value(["status": "serving"]))
    }

    /// Whether new clients should be sent here: 503 once the process has begun to end, and while some group has fewer
    /// healthy targets than its `dns_failover` attributes ask for.
    private static func ready(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let groups = call.status.groupsFailedOver
        guard groups.isEmpty else {
            let more = groups.count - Model.Limits.targetsNamedMax
            let names = groups.prefix(Model.Limits.targetsNamedMax).joined(separator: ", ")
            throw AdminError(
                code: "HealthUnavailable", status: ChangeQueue.statusUnavailable,
                message: "Too few targets are healthy in \(names)"
                    + "\(more > 0 ? " and \(counted(more, "more group"))" : "").",
                remedy: "Send clients elsewhere; see \"apus targets list\" for why.")
        }
        guard !call.status.isStopping else { return try health(call, completion) }
        completion(.value(["status": "ready"]))
    }
}
