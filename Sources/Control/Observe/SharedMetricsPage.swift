import Core
import Model

/// The page of `/metrics` that TCP clients share, so that frequent requests cost little.
///
/// A page is given to all who ask within `Limits.metricsPageShare` times the time that it took to make. So however
/// often it is asked for, making it takes a tenth of the control thread at most.
///
/// Shape: one object of the control thread.
final class SharedMetricsPage {
    private var bytes: [UInt8] = []
    private var isGoodUntil = Instant(nanoseconds: 0)

    /// The page of what `status` tells, made now or a moment ago.
    func bytes(_ status: any StatusSource) throws(AdminError) -> [UInt8] {
        let began = Instant.now()
        if began < isGoodUntil { return bytes }
        bytes = try MetricsPage(status).bytes()
        let ended = Instant.now()
        isGoodUntil = ended + Limits.metricsPageShare * ended.since(began)
        return bytes
    }
}
