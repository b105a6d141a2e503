import Core
import HTTP1
import Routing
import Testing

@testable import Proxy

/// Responses that Apus makes itself, as clients get them.
@Suite struct WorkerAnswerTests {
    private static let page = ActionPlan.fixedResponse(
        FixedResponsePlan(status: 200, contentType: Array("text/plain".utf8), body: Array("hello".utf8)))

    /// What a client gets for `request`, up to the end of the connection if `toEnd`, else up to `text`.
    private func response(
        to request: String, _ action: ActionPlan = page, has text: String = "\r\n\r\n",
        change: (inout ListenerSettings) -> Void = { _ in }
    ) throws -> LoopbackEnd {
        var settings = Plans.settings
        change(&settings)
        var worker = try ServingWorker(Plans.listener(settings: settings, defaultAction: action))
        let client = try worker.client()
        client.send(request)
        #expect(worker.serve { client.has(text) }, "\(client.text)")
        worker.settle()
        _ = client.hasEnd
        worker.stop()
        return client
    }

    @Test func anErrorPageHasItsLengthAndItsReason() throws {
        let client = try response(to: "GET / HTTP/1.1\r\n\r\n", has: "</html>") { $0.addsReason = true }
        let parts = client.text.split(separator: "\r\n\r\n", omittingEmptySubsequences: false)
        #expect(client.text.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(client.text.contains("\r\nApus-Reason: MissingHost\r\n"))
        #expect(parts[0].contains("Content-Length: \(parts[1].utf8.count)"), "\(client.text)")
    }

    /// What was wrong with a request may hide where the next one begins: nothing that follows is looked at.
    @Test func nothingIsReadBehindAnUnreadableRequest() throws {
        let client = try response(
            to: "GET / HTTP/1.1\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n", has: "</html>")
        #expect(client.isEnded && client.text.contains("\r\nConnection: close\r\n"))
        #expect(client.text.split(separator: "HTTP/1.1 ").count == 1, "one response")
    }

    @Test func aMethodThatIsNotAllowedComesWithThoseThatAre() throws {
        let client = try response(to: "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", has: "</html>")
        #expect(client.text.hasPrefix("HTTP/1.1 405 "))
        #expect(client.text.contains("\r\nAllow: GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH\r\n"))
    }

    @Test func aFixedResponseIsWhatTheRuleSays() throws {
        let client = try response(to: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", has: "hello")
        #expect(client.text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(client.text.contains("\r\nContent-Type: text/plain\r\n"))
        #expect(client.text.contains("\r\nContent-Length: 5\r\n") && client.text.contains("\r\nServer: apus\r\n"))
        #expect(client.text.contains("\r\nDate: ") && !client.isEnded)
    }

    /// The length that a GET would have; the response behind it begins at once.
    @Test func toHEADNoBodyIsSent() throws {
        let client = try response(
            to: "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", has: "hello")
        let parts = client.text.split(separator: "\r\n\r\n", omittingEmptySubsequences: false)
        #expect(parts.count == 3 && parts[0].contains("Content-Length: 5"))
        #expect(parts[1].hasPrefix("HTTP/1.1 200 ") && parts[2] == "hello")
    }

    /// Source: RFC 9110 §8.6.
    @Test func a204HasNoLength() throws {
        let client = try response(to: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", Plans.fixed(204))
        #expect(client.text.hasSuffix("\r\n\r\n") && !client.text.contains("Content-Length"))
        #expect(!client.text.contains("Transfer-Encoding"))
    }

    /// A body that nobody reads would be taken for the next request.
    @Test(arguments: [
        ("Content-Length: 0\r\n\r\n", false), ("\r\n", false), ("Content-Length: 5\r\n\r\n", true),
        ("Transfer-Encoding: chunked\r\n\r\n", true),
    ]) func aConnectionGoesOnWhereTheRequestHasEnded(_ rest: String, closes: Bool) throws {
        let client = try response(to: "POST / HTTP/1.1\r\nHost: a\r\n\(rest)", has: "hello")
        #expect(client.text.contains("\r\nConnection: close\r\n") == closes)
    }

    @Test func aRedirectTellsWhereTo() throws {
        let plan = RedirectPlan(
            status: 301, template: RedirectTemplate(scheme: "HTTPS", port: "443", path: "/x/#{path}"))
        let client = try response(to: "GET /a?b=c HTTP/1.1\r\nHost: www.example\r\n\r\n", .redirect(plan))
        #expect(client.text.hasPrefix("HTTP/1.1 301 Moved Permanently\r\n"))
        #expect(client.text.contains("\r\nLocation: https://www.example:443/x/a?b=c\r\n"), "\(client.text)")
    }

    @Test func aRedirectWithoutAHostIsABadRequest() throws {
        let plan = RedirectPlan(status: 302, template: RedirectTemplate(port: "443"))
        let client = try response(to: "GET / HTTP/1.0\r\n\r\n", .redirect(plan), has: "</html>") {
            $0.addsReason = true
        }
        #expect(client.text.hasPrefix("HTTP/1.1 400 ") && client.text.contains("Apus-Reason: HostMissing\r\n"))
    }

    @Test func aLocationThatGrowsTooLongIsRefused() throws {
        let plan = RedirectPlan(
            status: 302, template: RedirectTemplate(path: "/" + String(repeating: "#{path}", count: 10)))
        let path = String(repeating: "a", count: 2000)
        let client = try response(to: "GET /\(path) HTTP/1.1\r\nHost: a\r\n\r\n", .redirect(plan), has: "</html>") {
            $0.addsReason = true
        }
        #expect(client.text.hasPrefix("HTTP/1.1 507 ") && client.text.contains("RedirectTooLong"))
        #expect(!client.text.contains("Location:"))
    }

    /// A client of gRPC expects the status of the call, not one of HTTP. Source: gRPC over HTTP2, "Responses".
    @Test func aCallGetsAStatusOfGRPC() throws {
        var settings = Plans.settings
        settings.speaksH2C = true
        var worker = try ServingWorker(
            Plans.listener(settings: settings, defaultAction: Plans.forward([0], [1])),
            [Plans.group(0, "blue", [], version: .grpc)])
        let client = try worker.http2Client()
        let slot = client.ask(
            "POST /a.B/C HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\n\r\n")
        #expect(worker.serve { client.status(slot) != nil })
        #expect(client.status(slot) == 200)
        #expect(client.field("grpc-status", slot) == "14" && client.field("grpc-message", slot) == "NoTargets")
        #expect(client.field("content-type", slot) == "application/grpc")
        #expect(worker.counters.generatedStatuses.value(.unavailable) == 1, "it is counted as what it would be")
        worker.stop()
    }
}
