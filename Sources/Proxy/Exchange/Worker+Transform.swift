import Core
import HTTP1
import RegularExpressions
import Routing

/// What a rule changes of what its targets get. Source: docs/elbv2.md, "Transforms".
extension Worker {
    /// Rewrites the request as `plan` says. Returns false if that failed and the request was answered.
    mutating func transform(_ exchange: Exchange, by plan: TransformPlan) -> Bool {
        let made = plan.apply(to: exchange.request, in: resources.matchSpace)
        exchange.record.transformedHost = made.host
        exchange.record.transformedURL = made.url
        if let failure = made.failure { return fail(exchange, failure) }
        if made.isTransformed { exchange.record.transformStatus = "TransformSuccess" }
        return true
    }

    private mutating func fail(_ exchange: Exchange, _ failure: TransformFailure) -> Bool {
        exchange.record.transformStatus = failure.word
        counters.transformFailures.add()
        answer(exchange, status: 500, reasonCode: failure.word)
        return false
    }
}

/// What the transforms of a rule have made of a request.
struct TransformedRequest {
    /// The host that its target is told; empty if that stays.
    var host = ByteRange.empty
    /// The path and query that its target is asked for; empty if they stay.
    var url = ByteRange.empty
    /// Why it cannot be transformed; nil if it can.
    var failure: TransformFailure?

    /// Whether anything is another.
    var isTransformed: Bool { !host.isEmpty || !url.isEmpty }
}

extension TransformPlan {
    /// Rewrites `request`, in whose arena the results lie.
    func apply(to request: Head, in space: MatchSpace) -> TransformedRequest {
        var made = TransformedRequest()
        space.beginDecision()
        if let host {
            switch host.apply(to: request.host, of: request, in: space) {
            case .notFound: break
            case .written(let range): made.host = range
            case .failed(let failure): made.failure = failure
            }
        }
        if made.failure == nil, let url {
            switch url.apply(to: request, in: space) {
            case .notFound: break
            case .written(let range): setURL(request, range, &made)
            case .failed(let failure): made.failure = failure
            }
        }
        guard made.failure == nil, made.isTransformed else { return made }
        // Beyond what a client may send there is no room for what is added to every request.
        let byteCount = requestHeadByteCount(request) + made.host.count
        if byteCount > HTTP1.Limits.requestHeadBytesMax { made.failure = .bufferTooSmall }
        return made
    }

    /// Has the target asked for the path and query in `range`, in canonical form, unless that path would have been
    /// refused of a client.
    private func setURL(_ request: Head, _ range: ByteRange, _ made: inout TransformedRequest) {
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
        guard CanonicalPath.append(request.bytes(written), to: request) == nil else {
            made.failure = .invalidPath
            return
        }
        request.path = request.range(from: start)
        request.query = request.appendCopy(of: query)
        made.url = request.range(from: start)
    }
}
