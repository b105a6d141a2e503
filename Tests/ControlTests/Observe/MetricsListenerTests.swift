import Core
import Model
import Testing

@testable import Control

@Suite struct MetricsListenerTests {
    private let loop = ControlLoop()
    private let actions: RecordingActions
    private let metrics: MetricsListener
    private let none = ListenerSockets(workerCount: 1)

    init() {
        actions = RecordingActions(document: AdminHarness.document, loop: loop)
        metrics = MetricsListener(loop: loop, logger: quiet)
        metrics.services = actions
    }

    private func document(_ port: UInt16?) -> Document {
        Document(admin: Admin(metrics: port.flatMap { TCPAddress("127.0.0.1:\($0)") }))
    }

    private func open(_ port: UInt16?) throws {
        try metrics.prepare(for: document(port), beside: none)
        metrics.commit(document(port))
    }

    private func pass() {
        var hasPassed = false
        loop.afterBatch { hasPassed = true }
        #expect(run(loop) { hasPassed })
    }

    @Test func isOpenedMovedAndClosed() throws {
        let ports = [try freePort(), try freePort()]
        try open(ports[0])
        #expect(metrics.localAddress?.port == ports[0])
        try open(ports[0])
        #expect(metrics.localAddress?.port == ports[0], "it stays as it is")
        try open(ports[1])
        #expect(metrics.localAddress?.port == ports[1])
        try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: ports[0])!, sharesPort: false).close()
        try open(nil)
        #expect(metrics.localAddress == nil)
        try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: ports[1])!, sharesPort: false).close()
    }

    @Test func anAddressThatCannotBeHadRefusesAndLeavesTheOldOne() throws {
        let port = try freePort()
        try open(port)
        let taken = try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: 0)!, sharesPort: false)
        defer { taken.close() }
        let error = #expect(throws: ConfigErrors.self) {
            try metrics.prepare(for: document(taken.localAddress!.port), beside: none)
        }
        #expect(error?.first.path == "admin.metrics" && error?.first.remedy.contains("ss -ltnp") == true)
        #expect(metrics.localAddress?.port == port)
        metrics.close()
        #expect(metrics.localAddress == nil)
    }

    /// In part it is the one of before, or a listener's that is on its way out.
    @Test func mayHaveWhatIsOursAlready() throws {
        let ports = [try freePort(), try freePort()]
        try open(ports[0])
        let all = Document(admin: Admin(metrics: TCPAddress("0.0.0.0:\(ports[0])")))
        #expect(metrics.mistakes(for: all, beside: none, DocumentPlaces()).isEmpty)
        try metrics.prepare(for: all, beside: none)
        metrics.commit(all)
        #expect(metrics.localAddress?.isUnspecified == true)

        let listeners = ListenerSockets(workerCount: 1)
        let served = Document(loadBalancers: [loadBalancer("web", port: Int(ports[1]), forwardingTo: [("blue", 1)])])
        try listeners.prepare(for: served)
        defer { listeners.abandonPrepared() }
        #expect(listeners.takesConnections(at: SocketAddress(literal: "127.0.0.1", port: ports[1])!))
        #expect(metrics.mistakes(for: document(ports[1]), beside: listeners, DocumentPlaces()).isEmpty)
        #expect(metrics.mistakes(for: document(ports[1]), beside: none, DocumentPlaces()).count == 1)
        try metrics.prepare(for: document(ports[1]), beside: listeners)
        metrics.commit(document(ports[1]))
        #expect(metrics.localAddress?.port == ports[1])
        // And the other way round.
        let next = Document(loadBalancers: [loadBalancer("api", port: Int(ports[1]), forwardingTo: [("blue", 1)])])
        let others = ListenerSockets(workerCount: 1)
        #expect(others.mistakes(for: next, DocumentPlaces()).count == 1)
        #expect(others.mistakes(for: next, DocumentPlaces(), beside: metrics.localAddress).isEmpty)
        metrics.close()
    }

    @Test func whatWasPreparedAndNotCommittedIsClosed() throws {
        let port = try freePort()
        try metrics.prepare(for: document(port), beside: none)
        metrics.abandonPrepared()
        try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: port)!, sharesPort: false).close()
    }

    /// A stranger's bytes do not put off its deadline, and at the cap the one that waits longest makes room.
    @Test func strangersAreNotWaitedForLonger() throws {
        let listener = try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: 0)!, sharesPort: false)
        let server = AdminServer(metrics: listener, loop: loop, services: actions, logger: quiet)
        defer { server.close() }
        func connect() throws -> Socket { try Socket.connect(to: try #require(listener.localAddress)) }
        let first = try connect()
        #expect(run(loop) { server.clientCount == 1 })
        let connection = try #require(server.connections.values.first)
        let since = connection.waitsSince
        let buffer = Buffer(capacity: 4096)
        for _ in 0..<3 {
            buffer.append(Array("G".utf8).span)
            _ = first.write(buffer)
            buffer.removeAll()
            pass()
        }
        #expect(connection.waitsSince == since)
        var others: [Socket] = []
        for count in 2...(Limits.metricsClientsMax + 1) {
            others.append(try connect())
            #expect(
                run(loop) { server.clientCount == min(count, Limits.metricsClientsMax) || server.clientsClosed > 0 })
        }
        #expect(run(loop) { server.clientsClosed == 1 })
        #expect(server.clientCount == Limits.metricsClientsMax)
        #expect(!server.connections.values.contains { $0 === connection }, "the first one is gone")
        for socket in others + [first] { socket.close() }
    }
}
