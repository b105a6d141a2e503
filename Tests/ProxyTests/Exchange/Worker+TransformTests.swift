import Core
import HTTP1
import RegularExpressions
import Routing
import Testing

@testable import Proxy

/// What targets get, and logs tell, of a request that a rule transforms.
@Suite struct WorkerTransformTests {
    private let target: LoopbackTarget

    init() throws { target = try LoopbackTarget() }

    /// A worker whose rule for all paths replaces in the host, and in path and query, what the expression finds.
    private func worker(
        host: (String, String)? = nil, url: (String, String)? = nil
    ) throws -> ServingWorker {
        func rewrite(_ pair: (String, String)) throws -> Rewrite {
            Rewrite(try RegularExpression(pair.0, ignoresCase: false), replacement: pair.1)
        }
        let transforms = TransformPlan(
            host: try host.map { HostHeaderRewrite(try rewrite($0)) }, url: try url.map { URLRewrite(try rewrite($0)) })
        var settings = Plans.settings
        settings.addsReason = true
        let rule = RulePlan(
            priority: 1, conditions: [.pathPattern(PathPatternCondition(["/*"]))], action: Plans.forward([0], [1]),
            transforms: transforms)
        let listener = ListenerPlan(
            id: 0, loadBalancer: "app/web", port: 80, settings: settings, rules: [rule],
            defaultAction: Plans.fixed(404))
        return try ServingWorker(listener, [Plans.group(0, "blue", [target.plan])])
    }

    /// The request as the target gets it, and the log's line.
    private func forwarded(
        _ request: String, host: (String, String)? = nil, url: (String, String)? = nil
    ) throws -> (request: String, log: String) {
        var worker = try worker(host: host, url: url)
        let client = try worker.client(), target = target
        client.send(request)
        #expect(worker.serve { target.has(1) || client.has("</html>") })
        target.connections.first?.answer()
        #expect(worker.serve { client.count(of: 200) == 1 }, "\(client.text)")
        worker.settle()
        worker.stop()
        return (target.connections.first?.text ?? "", worker.bench.takeLog())
    }

    @Test func targetsGetTheNewHostAndURL() throws {
        let (request, log) = try forwarded(
            "GET /api/a?b=c HTTP/1.1\r\nHost: www.example\r\n\r\n", host: ("^www\\.(.*)$", "internal.$1"),
            url: ("^/api/(.*)$", "/v2/$1"))
        #expect(request.hasPrefix("GET /v2/a?b=c HTTP/1.1\r\n"), "\(request)")
        #expect(request.lowercased().contains("\r\nhost: internal.example\r\n"))
        #expect(log.contains("/api/a?b=c") && log.contains("www.example"), "what was asked for")
        #expect(log.contains("internal.example") && log.contains("/v2/a?b=c") && log.contains("TransformSuccess"))
    }

    /// The canonical form is what is forwarded, as without a transform.
    @Test func theNewPathIsCanonical() throws {
        let (request, _) = try forwarded(
            "GET /x HTTP/1.1\r\nHost: a\r\n\r\n", url: ("^/x$", "/%61%7E/b"))
        #expect(request.hasPrefix("GET /a~/b HTTP/1.1\r\n"), "\(request)")
    }

    @Test func whatIsNotFoundStays() throws {
        let (request, log) = try forwarded(
            "GET /api HTTP/1.1\r\nHost: a\r\n\r\n", host: ("^b$", "c"), url: ("^/other", "/"))
        #expect(request.hasPrefix("GET /api HTTP/1.1\r\n") && !log.contains("TransformSuccess"))
    }

    /// An absolute-form target is rewritten by its path and query alone.
    @Test func anAbsoluteTargetIsRewritten() throws {
        let (request, log) = try forwarded(
            "GET http://a/api/x HTTP/1.1\r\nHost: a\r\n\r\n", url: ("^/api", ""))
        #expect(request.hasPrefix("GET /x HTTP/1.1\r\n"), "\(request)")
        #expect(log.contains("TransformSuccess"), "\(log)")
    }

    static let failing: [(host: (String, String)?, url: (String, String)?, path: String, reason: String)] = [
        (("^a$", "a b"), nil, "/", "TransformInvalidHost"), (nil, ("^/(.*)$", "$1"), "/x", "TransformInvalidPath"),
        (nil, ("^/(.*)$", "/../$1"), "/x", "TransformInvalidPath"),
        (nil, ("^/(.*)$", "/$1$1$1$1"), "/" + String(repeating: "a", count: 6000), "TransformBufferTooSmall"),
    ]

    /// A request that cannot be transformed reaches no target: it would be another one than the rule says.
    @Test(arguments: failing.indices) func whatFailsGets500(_ index: Int) throws {
        let test = Self.failing[index]
        var worker = try worker(host: test.host, url: test.url)
        let client = try worker.client(asking: test.path), target = target
        #expect(worker.serve { client.has("</html>") || target.has(1) })
        #expect(client.count(of: 500) == 1 && client.text.contains("Apus-Reason: \(test.reason)\r\n"), "\(client.text)")
        #expect(worker.counters.transformFailures.value == 1 && !target.has(1))
        worker.settle()
        #expect(worker.bench.takeLog().contains(test.reason))
        worker.stop()
    }

    /// What is added to every request needs room: a head that would be longer than what a client may send is refused.
    @Test(arguments: [("b", true), (String(repeating: "b", count: 300), false)])
    func aHeadThatGrowsTooLargeIsRefused(_ host: String, isForwarded: Bool) throws {
        var worker = try worker(host: ("^a$", host))
        let client = try worker.client(), target = target
        var request = "GET / HTTP/1.1\r\nHost: a\r\n"
        let length = HTTP1.Limits.requestHeadBytesMax - 200
        while request.utf8.count < length - 2 {
            let count = min(8000, length - 2 - request.utf8.count)
            request += "X-A: \(String(repeating: "a", count: max(0, count - 7)))\r\n"
        }
        client.send(request + "\r\n")
        #expect(worker.serve { client.has("</html>") || target.has(1) })
        #expect(target.has(1) == isForwarded && client.text.contains("TransformBufferTooSmall") == !isForwarded)
        worker.stop()
    }
}
