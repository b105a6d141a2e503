import Core
import Model
import Testing

@testable import Control

@Suite struct ListenerSocketsTests {
    private func document(_ ports: [UInt16]) -> Document {
        Document(loadBalancers: ports.map { loadBalancer("web\($0)", port: Int($0), forwardingTo: [("blue", 1)]) })
    }

    private func key(_ port: UInt16) -> ListenerKey {
        ListenerKey(loadBalancer: "web\(port)", address: SocketAddress(literal: "127.0.0.1", port: port)!)
    }

    @Test func opensOneSocketPerWorkerAndKeepsWhatIsThere() throws {
        let port = try freePort(), other = try freePort()
        let sockets = ListenerSockets(workerCount: 3)
        try sockets.prepare(for: document([port]))
        try sockets.prepare(for: document([port]))
        let first = sockets.takePrepared(for: document([port]), generation: 1)
        #expect(first.opened[key(port)]?.count == 3)
        #expect(first.closed.isEmpty)
        try sockets.prepare(for: document([port, other]))
        let second = sockets.takePrepared(for: document([port, other]), generation: 2)
        #expect(Array(second.opened.keys) == [key(other)])
        let third = sockets.takePrepared(for: document([other]), generation: 3)
        #expect(third.opened.isEmpty)
        #expect(third.closed == [key(port)])
        for socket in [first, second].flatMap(\.opened.values).joined() { socket.close() }
    }

    @Test func socketsThatWerePassedAreSharedAmongWorkers() throws {
        let bound = try (0..<2).map { _ in try freePort() }.map {
            try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: $0)!, sharesPort: true)
        }
        defer { for socket in bound { socket.close() } }
        let passed = try bound.map { try PassedSocket(descriptor: $0.descriptor, name: "web") }
        let port = passed[0].address.port, own = try freePort()
        let sockets = ListenerSockets(workerCount: 3, passed: passed)
        let document = document([port, own])
        #expect(sockets.passedInVain(for: document) == [passed[1]])
        #expect(sockets.mistakes(for: document, DocumentPlaces()).isEmpty)
        // Each time anew, as when the listener goes and comes back.
        for generation: UInt64 in [1, 3] {
            try sockets.prepare(for: document)
            let opened = sockets.takePrepared(for: document, generation: generation).opened
            #expect(opened[key(port)]?.count == 3 && opened[key(own)]?.count == 3)
            for socket in opened.values.joined() {
                #expect(socket.socket?.localAddress != nil)
                socket.close()
            }
            _ = sockets.takePrepared(for: self.document([]), generation: generation + 1)
            sockets.adopted(generation + 1)
        }
        let few = ListenerSockets(workerCount: 1, passed: [passed[0], passed[0]])
        let errors = #expect(throws: ConfigErrors.self) { try few.prepare(for: self.document([port])) }
        #expect(errors?.first.remedy.contains("once for each worker at most") == true)
    }

    @Test func oneSocketForDatagramsHasOneWorker() throws {
        let receiver = try DatagramSocket.listen(on: SocketAddress(literal: "127.0.0.1", port: 0)!, sharesPort: true)
        defer { receiver.close() }
        let passed = try PassedSocket(descriptor: receiver.descriptor, name: "dns")
        var balancer = loadBalancer("dns", port: Int(passed.address.port), forwardingTo: [("blue", 1)])
        balancer.type = .network
        balancer.listeners[0].protocol = .udp
        let document = Document(loadBalancers: [balancer])
        let sockets = ListenerSockets(workerCount: 3, passed: [passed])
        try sockets.prepare(for: document)
        let opened = sockets.takePrepared(for: document, generation: 1).opened.values.joined()
        #expect(opened.map { $0.datagrams != nil } == [true, false, false])
        for socket in opened { socket.close() }
    }

    @Test(arguments: [true, false]) func refusesAPortThatAnotherProgramHas(sharesPort: Bool) throws {
        let other = try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: 0)!, sharesPort: sharesPort)
        defer { other.close() }
        let taken = other.localAddress!.port, free = try freePort()
        let sockets = ListenerSockets(workerCount: 2)
        let errors = #expect(throws: ConfigErrors.self) { try sockets.prepare(for: document([free, taken])) }
        #expect(errors?.all.count == 1)
        #expect(errors?.first.message.contains("127.0.0.1:\(taken)") == true)
        // Nothing was kept open: the free port is free again.
        try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: free)!, sharesPort: false).close()
    }

    @Test func aListenerMayComeBackBeforeWorkersHaveClosedIt() throws {
        let port = try freePort()
        let sockets = ListenerSockets(workerCount: 1)
        try sockets.prepare(for: document([port]))
        let held = sockets.takePrepared(for: document([port]), generation: 1).opened.values.joined()
        _ = sockets.takePrepared(for: document([]), generation: 2)
        // The worker still has its socket.
        try sockets.prepare(for: document([port]))
        sockets.abandonPrepared()
        sockets.adopted(2)
        #expect(throws: ConfigErrors.self, "from now on it is another program's") {
            try sockets.prepare(for: document([port]))
        }
        for socket in held { socket.close() }
        try sockets.prepare(for: document([port]))
        sockets.abandonPrepared()
    }

    @Test func namesAnAddressThatTheHostDoesNotHave() {
        let document = Document(loadBalancers: [
            LoadBalancer(name: "web", addresses: ["192.0.2.1"], listeners: [Listener(port: 8080, defaultActions: [])])
        ])
        let sockets = ListenerSockets(workerCount: 1)
        let errors = #expect(throws: ConfigErrors.self) { try sockets.prepare(for: document) }
        #expect(errors?.first.remedy.contains("0.0.0.0") == true)
    }
}
