import Core
import Routing

/// What a rule changes of what its targets get. Source: docs/elbv2.md, "Transforms".
extension Worker {
    /// Rewrites the request as `plan` says. Returns false if that failed and the request was answered.
    mutating func transform(_ exchange: Exchange, by plan: TransformPlan) -> Bool {
        let request = exchange.request
        if let host = plan.host {
            switch host.apply(to: request.host, of: request, in: resources.matchSpace) {
            case .notFound: break
            case .written(let range): exchange.record.transformedHost = range
            case .failed(let failure): return fail(exchange, failure)
            }
        }
        if let url = plan.url {
            switch url.apply(to: request, in: resources.matchSpace) {
            case .notFound: break
            case .written(let range): setURL(exchange, range)
            case .failed(let failure): return fail(exchange, failure)
            }
        }
        let isTransformed = !exchange.record.transformedHost.isEmpty || !exchange.record.transformedURL.isEmpty
        if isTransformed { exchange.record.transformStatus = "TransformSuccess" }
        return true
    }

    /// Has the target asked for the path and query in `range`.
    private func setURL(_ exchange: Exchange, _ range: ByteRange) {
        let request = exchange.request
        let target = request.bytes(request.target)
        if target.isEmpty || target[0] != .slash {
            // The log tells what came in, which for an absolute-form target is the path and query that were parsed.
            let start = request.byteCount
            request.appendCopy(of: request.path)
            request.appendCopy(of: request.query)
            request.target = request.range(from: start)
        }
        let bytes = request.bytes(range)
        var pathCount = 0
        while pathCount < bytes.count, bytes[pathCount] != .questionMark { pathCount += 1 }
        request.path = ByteRange(start: range.start, count: pathCount)
        request.query = ByteRange(start: range.start + pathCount, count: range.count - pathCount)
        exchange.record.transformedURL = range
    }

    private mutating func fail(_ exchange: Exchange, _ failure: TransformFailure) -> Bool {
        exchange.record.transformStatus = failure.word
        counters.transformFailures.add()
        answer(exchange, status: 500, reasonCode: failure.word)
        return false
    }
}
