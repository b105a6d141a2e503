import Core
import Model
import Telemetry

/// What may be seen from outside: the metrics, and whether this process serves.
enum MetricsRoutes {
    static var all: [AdminRoutes.Route] {
        [
            .init("/metrics", ("GET", metrics)),
            .init("/health", ("GET", health)),
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
}
