import Core
import HTTP1
import Routing

/// What a rule changes of what its targets get. Source: docs/elbv2.md, "Transforms".
extension Worker {
    /// Rewrites the request as `plan` says. Returns false if that failed and the request was answered.
    mutating func transform(_ exchange: Exchange, by plan: TransformPlan) -> Bool {
        let request = exchange.request
        resources.matchSpace.beginDecision()
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
            case .written(let range): if let failure = setURL(exchange, range) { return fail(exchange, failure) }
            case .failed(let failure): return fail(exchange, failure)
            }
        }
        let isTransformed = !exchange.record.transformedHost.isEmpty || !exchange.record.transformedURL.isEmpty
        guard isTransformed else { return true }
        // Beyond what a client may send there is no room for what is added to every request.
        let byteCount = requestHeadByteCount(request) + exchange.record.transformedHost.count
        guard byteCount <= HTTP1.Limits.requestHeadBytesMax else { return fail(exchange, .bufferTooSmall) }
        exchange.record.transformStatus = "TransformSuccess"
        return true
    }

    /// Has the target asked for the path and query in `range`, in canonical form. Returns why not if that path would
    /// have been refused of a client.
    private func setURL(_ exchange: Exchange, _ range: ByteRange) -> TransformFailure? {
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
        let written = ByteRange(start: range.start, count: pathCount)
        let query = ByteRange(start: range.start + pathCount, count: range.count - pathCount)
        let start = request.byteCount
        // The arena must not grow while the path is read from it: the canonical form is no longer.
        request.appendCopy(of: written)
        request.truncate(to: start)
        guard CanonicalPath.append(request.bytes(written), to: request) == nil else { return .invalidPath }
        request.path = request.range(from: start)
        request.query = request.appendCopy(of: query)
        exchange.record.transformedURL = request.range(from: start)
        return nil
    }

    private mutating func fail(_ exchange: Exchange, _ failure: TransformFailure) -> Bool {
        exchange.record.transformStatus = failure.word
        counters.transformFailures.add()
        answer(exchange, status: 500, reasonCode: failure.word)
        return false
    }
}
