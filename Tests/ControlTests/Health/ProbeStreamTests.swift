import Core
import HTTP1
import HTTP2
import Testing

@testable import Control

/// A check over HTTP/2 and a target, both in memory: what an answer is taken for.
@Suite struct ProbeStreamTests {
    private let now = Instant(nanoseconds: 1_000_000_000)

    /// What the probe makes of a target that sends `head`, then `body`, then `trailers`; or resets the stream.
    private func ask(
        isGRPC: Bool = false, _ head: String? = nil, body: [UInt8] = [], trailers: String? = nil
    ) -> ProbeStream.Answer? {
        let workbench = ProbeWorkbench()
        let probe = ProbeStream(isGRPC: isGRPC, heads: workbench.heads, now: now)
        let target = HTTP2Session(.server, HTTP2Settings(), heads: workbench.heads, now: now)
        let toTarget = Buffer(capacity: 64 * 1024), toProbe = Buffer(capacity: 64 * 1024)
        let address = SocketAddress(literal: "10.0.0.1", port: 80)!
        workbench.compose(path: "/ready", host: address, isGRPC: isGRPC, isSecure: false)
        probe.ask(workbench.head, isSecure: false, into: toTarget)
        let takenCount = target.receive(toTarget.bytes, now: now)
        #expect(takenCount == toTarget.count)
        guard case .head(let slot, let request, _)? = firstHead(target) else { return nil }
        let isForPath = request.bytes(request.path).equals("/ready")
        #expect(isForPath)
        if let head {
            let hasMore = !body.isEmpty || trailers != nil
            target.respond(slot, parse(head), framing: hasMore ? .chunked : .none, isEnd: !hasMore)
            let bytes = Buffer(capacity: 64)
            bytes.append(body.span)
            if hasMore { target.attach(slot, bytes, isLast: true, trailers: trailers.map(parse)) }
        } else {
            target.reset(slot, .cancel)
        }
        #expect(target.produce(into: toProbe))
        toTarget.removeAll()
        probe.receive(toProbe.bytes, into: toTarget, heads: workbench.heads, now: now)
        return probe.answer
    }

    private func firstHead(_ session: HTTP2Session) -> HTTP2Event? {
        (0..<session.eventCount).map(session.event).first { if case .head = $0 { true } else { false } }
    }

    private func parse(_ text: String) -> Head {
        let head = Head(), bytes = Array("HTTP/1.1 \(text)\r\n\r\n".utf8)
        var scan = HeadScan()
        let result = parseResponseHead(bytes.span, into: head, requestIsHEAD: false, scan: &scan)
        guard case .complete = result else { preconditionFailure("not a response: \(text)") }
        return head
    }

    @Test func theStatusCounts() {
        #expect(ask("204 No Content") == .status(204))
        #expect(ask("503 No", body: [1, 2, 3]) == .status(503))
    }

    @Test func aResetIsNoAnswer() {
        #expect(ask() == .broken)
        #expect(ask(isGRPC: true) == .broken)
    }

    @Test func gRPCCountsByItsOwnStatus() {
        #expect(ask(isGRPC: true, "200 OK\r\ngrpc-status: 12") == .grpc(12, isServing: false))
        let empty: [UInt8] = [0, 0, 0, 0, 0]
        let whole = ask(isGRPC: true, "200 OK", body: empty, trailers: "200 T\r\ngrpc-status: 0")
        #expect(whole == .grpc(0, isServing: false))
        #expect(ask(isGRPC: true, "200 OK", body: empty) == .grpc(nil, isServing: false))
        #expect(ask(isGRPC: true, "404 No\r\ngrpc-status: 0") == .grpc(nil, isServing: false))
    }

    @Test(arguments: ["+1", "", "1x", "100", "a"])
    func whatIsNoStatusOfGRPCIsNone(text: String) {
        #expect(ask(isGRPC: true, "200 OK\r\ngrpc-status: \(text)") == .grpc(nil, isServing: false))
    }

    @Test func theStandardServiceSaysWhetherItServes() {
        for (status, isServing) in [(1, true), (2, false)] as [(UInt8, Bool)] {
            let body: [UInt8] = [0, 0, 0, 0, 2, 8, status]
            let answer = ask(isGRPC: true, "200 OK", body: body, trailers: "200 T\r\ngrpc-status: 0")
            #expect(answer == .grpc(0, isServing: isServing))
        }
    }
}
