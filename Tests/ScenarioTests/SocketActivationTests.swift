import Foundation
import Glibc
import Testing

/// Listeners on sockets that a service manager has opened and passed.
@Suite struct SocketActivationTests {
    private func document(_ ports: [UInt16], workers: Int = 2) -> Document {
        let action: JSON = ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "200"]]
        var document = Document(listeners: ports.map { .init(defaultAction: action, port: $0) }, groups: [])
        document.runtime["workers"] = .init(workers)
        return document
    }

    private func start(_ document: Document, _ sockets: String...) throws -> ApusProcess {
        try ApusProcess.start(document) { _ in words(sockets) }
    }

    private func words(_ sockets: [String]) -> [String] {
        [Tool.python, Tool.script("socket_activation")] + sockets + ["--"]
    }

    /// The id of the process that serves; `ApusProcess` has that of its service manager.
    private func servingProcess(_ apus: ApusProcess) -> pid_t? {
        (try? apus.admin("GET", "/v1/status"))?.json["pid"].int.flatMap { pid_t(exactly: $0) }
    }

    @Test("All workers take connections from one socket, and from one each", arguments: [1, 2])
    func connections(count: Int) throws {
        let port = try PortAllocator.port()
        let word = "tcp:127.0.0.1:\(port)"
        let apus = try count == 1 ? start(document([port]), word) : start(document([port]), word, word)
        let clients = try (0..<64).map { _ in try apus.client() }
        for client in clients { #expect(try client.get("/").status == 200) }
        let workers = try apus.admin("GET", "/v1/status").json["workers"].elements
        let shares = workers.map { $0["clientConnectionsActive"].int ?? 0 }
        #expect(shares.reduce(0, +) == 64)
        // The kernel divides among sockets by a hash; of one socket, whoever is awake first may have all.
        if count == 2 { #expect(shares.allSatisfy { $0 > 0 }, "\(shares)") }
        #expect(apus.terminate() == .exited(0))
        #expect(!apus.errors.contains("passed"), "\(apus.errors)")
    }

    @Test("Connections and datagrams of one listener come from the sockets that were passed")
    func datagrams() throws {
        let target = try DatagramTarget()
        let port = try PortAllocator.port()
        var document = Document.datagrams(target)
        document.listeners[0].port = port
        document.listeners[0].settings["protocol"] = "TCP_UDP"
        document.groups[0].settings["protocol"] = "TCP_UDP"
        let apus = try start(document, "tcp:127.0.0.1:\(port)", "udp:127.0.0.1:\(port)")
        // Flows of many clients, each of which stays with one target's socket.
        for number in 0..<20 {
            let client = try DatagramEnd(to: apus)
            for round in 0..<5 { #expect(try client.ask("\(number) \(round)") == "\(number) \(round)") }
        }
        #expect(try apus.metric("apus_flows_total", "udp") == 20)
        #expect(Set(target.arrivals.map(\.source)).count == 20)
        #expect(apus.terminate() == .exited(0))
        #expect(!apus.errors.contains("passed"), "\(apus.errors)")
    }

    @Test("While it restarts, connections wait in the socket and none is refused")
    func restart() throws {
        let port = try PortAllocator.port()
        let apus = try start(document([port]), "tcp:127.0.0.1:\(port)")
        for _ in 0..<5 {
            let process = try #require(servingProcess(apus))
            #expect(Glibc.kill(process, SIGTERM) == 0)
            for _ in 0..<20 { #expect(try apus.client().get("/").status == 200) }
            #expect(eventually { servingProcess(apus).map { $0 != process } ?? false })
        }
        #expect(apus.terminate() == .exited(0))
    }

    @Test("After an upgrade, listeners that come back use the sockets that the first process was passed")
    func upgrade() throws {
        let target = try DatagramTarget()
        let port = try PortAllocator.port()
        var document = Document.datagrams(target)
        document.listeners[0].port = port
        document.listeners[0].settings["protocol"] = "TCP_UDP"
        document.groups[0].settings["protocol"] = "TCP_UDP"
        document.runtime["workers"] = 2
        let site = try UpgradingApus(document) { _ in
            words(["once", "tcp:127.0.0.1:\(port)", "udp:127.0.0.1:\(port)"])
        }
        #expect(site.noteSuccessor(), "the first one is the service manager")
        let flow = try DatagramEnd(to: site.apus)
        for round in 0..<3 {
            #expect(try flow.ask("before \(round)") == "before \(round)")
            let result = try site.upgrade()
            #expect(result.status == .exited(0), "\(result)")
            #expect(site.ids.count == round + 3)
            #expect(try flow.ask("after \(round)") == "after \(round)")
        }
        #expect(target.arrivals.map(\.source).count == 6 && Set(target.arrivals.map(\.source)).count == 1)

        let path = "/v1/load-balancers/web/listeners/\(port)"
        let listener = try site.apus.admin("GET", path).json
        #expect(try site.apus.admin("DELETE", path).status == 200)
        let answer = try site.apus.admin("PUT", path, listener)
        #expect(answer.status == 200, "\(answer.text)")
        let end = try DatagramEnd(to: site.apus)
        #expect(try end.ask("again") == "again")
        kill(site.id, SIGTERM)
        #expect(eventually { !site.isRunning(site.id) })
        #expect(site.apus.terminate() == .exited(0))
    }

    @Test("A listener may go and come back; what waits meanwhile keeps nobody busy")
    func removed() throws {
        let (port, other) = (try PortAllocator.port(), try PortAllocator.port())
        let apus = try start(document([port, other]), "tcp:127.0.0.1:\(port)")
        let path = "/v1/load-balancers/web/listeners/\(port)"
        let listener = try apus.admin("GET", path).json
        #expect(try apus.admin("DELETE", path).status == 200)
        // The service manager's socket still takes connections.
        let waiting = try apus.client()
        try waiting.send("GET /waiting HTTP/1.1\r\nHost: a\r\n\r\n")

        let process = try #require(servingProcess(apus))
        let before = try ticks(of: process)
        #expect(always(for: 0.5) { apus.process.exitStatus == nil })
        #expect(try ticks(of: process) - before < 20, "processor time in half a second, in ticks of 10 ms")

        #expect(try apus.admin("PUT", path, listener).status == 200)
        #expect(try waiting.response().status == 200)
        #expect(try apus.client().get("/").status == 200)
        #expect(apus.terminate() == .exited(0))
    }

    /// User and system time of a process. Source: proc_pid_stat(5).
    private func ticks(of process: pid_t) throws -> Int {
        let fields = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8).split(separator: " ")
        return try #require(Int(fields[13])) + #require(Int(fields[14]))
    }

    @Test("What cannot be used is said, and the rest is served")
    func unusable() throws {
        let (port, other, dual) = (try PortAllocator.port(), try PortAllocator.port(), try PortAllocator.port())
        let apus = try start(
            document([port]), "tcp:127.0.0.1:\(port)", "tcp:127.0.0.1:\(other)", "tcp-dual:[::]:\(dual)")
        #expect(try apus.client().get("/").status == 200)
        #expect(apus.terminate() == .exited(0))
        let warnings = apus.errors.split(separator: "\n").filter { $0.contains("passed") }
        #expect(warnings.count == 2, "\(apus.errors)")
        #expect(warnings.contains { $0.contains("is not used") && $0.contains("127.0.0.1:\(other)") })
        #expect(warnings.contains { $0.contains("tcp-dual") && $0.contains("BindIPv6Only=ipv6-only") })
    }

    @Test("More sockets than workers are refused: nobody would serve the clients of the others")
    func tooMany() throws {
        let port = try PortAllocator.port()
        let word = "tcp:127.0.0.1:\(port)"
        let failure = #expect(throws: ApusFailure.self) { try start(document([port], workers: 1), word, word) }
        #expect(failure?.status == .exited(1))
        #expect(failure?.errors.contains("once for each worker at most") == true, "\(failure?.errors ?? "")")
    }
}
