import Core
import Telemetry
import Testing

@testable import Proxy

/// The PROXY header before what a client says, on listeners of either layer.
@Suite struct WorkerProxyHeaderTests {
    private static var settings: ListenerSettings {
        var settings = Plans.settings
        settings.trustedProxies = [AddressRange(Plans.address("127.0.0.0", 0), prefixLength: 8)]
        settings.forwardedForMode = .append
        return settings
    }

    private static let line = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"

    private func httpWorker(_ target: LoopbackTarget) throws -> ServingWorker {
        try ServingWorker(
            Plans.listener(settings: Self.settings, defaultAction: Plans.forward([0], [1])),
            [Plans.group(0, "blue", [target.plan])])
    }

    private func flowWorker(_ target: LoopbackTarget) throws -> ServingWorker {
        try ServingWorker(Plans.flowListener(settings: Self.settings), [Plans.flowGroup([target.plan])])
    }

    @Test func theClientIsWhoTheHeaderNames() throws {
        let target = try LoopbackTarget()
        var worker = try httpWorker(target)
        let client = try worker.client()
        client.send(Self.line + "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(worker.serve { target.has(1) })
        #expect(target.connections[0].text.lowercased().contains("x-forwarded-for: 192.0.2.1\r\n"))
        target.connections[0].answer()
        #expect(worker.serve { client.count(of: 200) == 1 })
        worker.settle()
        #expect(worker.bench.takeLog().contains("192.0.2.1"))
        worker.stop()
    }

    /// Lists of addresses are about who the header names, not about the proxy, which has its own.
    @Test(arguments: [("192.0.2.1", true), ("127.0.0.1", false)])
    func whoTheHeaderNamesMayBeDenied(network: String, isDenied: Bool) throws {
        let target = try LoopbackTarget()
        let access = Plans.denying(network, 32)
        var worker = try ServingWorker(
            Plans.listener(settings: Self.settings, access: access, defaultAction: Plans.fixed(204)))
        let client = try worker.client()
        client.send(Self.line + "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(worker.serve { client.hasEnd || client.count(of: 204) == 1 })
        #expect(client.hasEnd == isDenied && client.text.isEmpty == isDenied)
        #expect(worker.counters.connectionsRejected.value(.deniedAddress) == (isDenied ? 1 : 0))
        worker.stop()
        var flows = try ServingWorker(
            Plans.flowListener(settings: Self.settings, access: access), [Plans.flowGroup([target.plan])])
        let other = try flows.client()
        other.send(Self.line + "hello")
        #expect(flows.serve { other.hasEnd || target.hasTaken(1) })
        #expect(other.hasEnd == isDenied)
        #expect(flows.counters.flowEndings.value(.denied) == (isDenied ? 1 : 0))
        #expect(access.denials.connections.value == (isDenied ? 2 : 0))
        #expect(access.denials.lastClient.value == (isDenied ? Plans.address("192.0.2.1", 0) : nil))
        flows.stop()
    }

    /// A health check of the proxy itself is judged by where it comes from.
    @Test func withoutAddressesTheProxyMayBeDenied() throws {
        var worker = try ServingWorker(
            Plans.listener(settings: Self.settings, access: Plans.denying("127.0.0.1", 32)))
        let client = try worker.client()
        client.send("PROXY UNKNOWN\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(worker.serve { client.hasEnd })
        #expect(client.text.isEmpty)
        worker.stop()
    }

    /// However it is cut, the bytes behind it are the request's.
    @Test func aHeaderMayComeInPieces() throws {
        let target = try LoopbackTarget()
        var worker = try httpWorker(target)
        let client = try worker.client()
        for piece in ["P", "ROXY TCP4 192.0.2.1 ", "192.0.2.2 56324 443", "\r"] {
            client.send(piece)
            worker.settle()
            #expect(worker.counters.requests.value == 0 && !client.hasEnd)
        }
        client.send("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(worker.serve { target.has(1) })
        worker.stop()
    }

    /// A health check of the proxy itself: the client is who has connected.
    @Test func withoutAddressesTheClientIsWhoConnected() throws {
        let target = try LoopbackTarget()
        var worker = try httpWorker(target)
        let client = try worker.client()
        client.send("PROXY UNKNOWN\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(worker.serve { target.has(1) })
        #expect(target.connections[0].text.lowercased().contains("x-forwarded-for: 127.0.0.1\r\n"))
        worker.stop()
    }

    @Test(arguments: ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 0 99999\r\n", "\u{16}\u{3}"])
    func withoutAHeaderNobodyIsServed(_ text: String) throws {
        let target = try LoopbackTarget()
        var worker = try httpWorker(target)
        let client = try worker.client()
        client.send(text)
        #expect(worker.serve { client.hasEnd })
        #expect(client.text.isEmpty && worker.counters.connectionsRejected.value(.proxyHeader) == 1)
        #expect(worker.counters.requests.value == 0 && worker.bench.worker.clientCount == 0)
        worker.stop()
    }

    @Test func aHeaderThatDoesNotComeIsNotWaitedForLong() throws {
        let target = try LoopbackTarget()
        var worker = try httpWorker(target)
        let client = try worker.client()
        client.send("PROXY ")
        worker.settle()
        worker.pass(after: Self.settings.proxyHeaderTimeout - 10_000_000)
        #expect(!client.hasEnd)
        worker.pass(after: 20_000_000)
        #expect(worker.serve { client.hasEnd })
        #expect(worker.counters.connectionsRejected.value(.proxyHeader) == 1)
        worker.stop()
    }

    // MARK: Tunnels

    @Test func bytesBehindTheHeaderArePassedOn() throws {
        let target = try LoopbackTarget()
        var worker = try flowWorker(target)
        let client = try worker.client()
        client.send(Self.line + "hello")
        #expect(worker.serve { target.hasTaken(1) && target.connections[0].has("hello") })
        #expect(target.connections[0].text == "hello", "the header itself is not")
        client.close()
        worker.settle()
        target.connections[0].close()
        worker.settle()
        let log = worker.takeConnectionLog()
        #expect(log.contains("192.0.2.1") && !log.contains("127.0.0.1:0"), "\(log)")
        worker.stop()
    }

    @Test(arguments: [("hello\r\n", false, "ProxyHeaderMissing"), ("PROXY TCP4 ", true, "ProxyHeaderCut")])
    func aTunnelWithoutAHeaderIsReset(_ text: String, ends: Bool, _ reason: String) throws {
        let target = try LoopbackTarget()
        var worker = try flowWorker(target)
        let client = try worker.client()
        client.send(text)
        worker.settle()
        if ends { client.socket.shutdownWrite() }
        #expect(worker.serve { client.hasEnd })
        worker.settle()
        let log = worker.takeConnectionLog()
        #expect(worker.counters.flowEndings.value(.proxyHeader) == 1 && log.contains(reason), "\(log)")
        #expect(!target.hasTaken(1))
        worker.stop()
    }
}
