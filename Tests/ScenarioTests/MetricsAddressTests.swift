import Foundation
import Glibc
import Testing

/// `admin.metrics`: metrics and health over TCP, and nothing else.
@Suite struct MetricsAddressTests {
    private func start(_ metrics: String? = nil) throws -> (apus: ApusProcess, document: Document, port: UInt16) {
        let port = try PortAllocator.port()
        var document = Document(try TargetServer())
        document.metrics = metrics ?? "127.0.0.1:\(port)"
        return (try ApusProcess.start(document), document, port)
    }

    private func ask(_ port: UInt16, _ request: String, method: String = "GET") throws -> Message {
        try RawClient(port: port).exchange("\(request) HTTP/1.1\r\nHost: a\r\n\r\n", method: method)
    }

    @Test("GET /metrics and /health are answered; anything else is 404 or 405, and changes nothing")
    func readOnly() throws {
        let (apus, _, port) = try start()
        expectServes(apus)
        let metrics = try ask(port, "GET /metrics")
        #expect(metrics.status == 200 && metrics["content-type"]?.hasPrefix("text/plain") == true)
        #expect(metrics.text.contains("apus_requests_total"))
        let health = try ask(port, "GET /health")
        #expect(health.status == 200 && JSON(parsing: health.body)["status"] == "serving")
        #expect(try ask(port, "HEAD /metrics", method: "HEAD").status == 200)
        let before = try apus.admin("GET", "/v1/config").text
        for path in ["/", "/v1/status", "/v1/config", "/v1/events", "/metrics/x", "/v1/target-groups/blue/targets"] {
            #expect(try ask(port, "GET \(path)").status == 404, "\(path)")
        }
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            let answer = try ask(port, "\(method) /metrics")
            #expect(answer.status == 405 && answer["allow"] == "GET, HEAD", "\(method)")
            #expect(try ask(port, "\(method) /v1/reload").status == 404, "\(method)")
        }
        let client = try RawClient(port: port)
        try client.send("PUT /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        #expect(try client.response().status == 413)
        #expect(try apus.admin("GET", "/v1/config").text == before)
        #expect(!apus.errors.contains("answered an admin request"), "clients cannot write into our log")
        // The admin socket has both too.
        #expect(try apus.admin("GET", "/health").json["status"] == "serving")
    }

    @Test("Any number of silent clients does not block a scraper; they are counted")
    func silentClients() throws {
        let (apus, _, port) = try start()
        let silent = try (0..<100).map { _ in try RawClient(port: port) }
        #expect(try ask(port, "GET /metrics").status == 200)
        #expect(try apus.metric("apus_metrics_clients_closed_total") >= 80)
        #expect(silent[0].ended())
        // They do not use up the clients of the admin socket either.
        #expect(try apus.admin("GET", "/v1/status").status == 200)
    }

    @Test("A client that sends requests without end blocks neither other clients nor shutdown")
    func endlessRequests() throws {
        let (apus, _, port) = try start()
        let requests = String(repeating: "GET /health HTTP/1.1\r\nHost: a\r\n\r\n", count: 1000)
        let asking = Locked(true)
        let flood = Background {
            let client = try RawClient(port: port)
            let reader = Background { try? client.wire.remainder() }
            while asking.value { guard (try? client.send(requests)) != nil else { break } }
            client.close()
            _ = try reader.value()
        }
        for _ in 0..<20 { #expect(try apus.admin("GET", "/v1/status").status == 200) }
        #expect(try ask(port, "GET /metrics").status == 200)
        apus.process.signal(SIGTERM)
        #expect(apus.process.waitForExit(within: 20) == .exited(0))
        asking.withLock { $0 = false }
        try flood.value()
    }

    @Test("A reload moves it, closes it, and is rejected if the address is not available")
    func reload() throws {
        var (apus, document, port) = try start()
        let next = try PortAllocator.port()
        document.metrics = "127.0.0.1:\(next)"
        try apus.write(document)
        let moved = try apus.command("reload")
        #expect(moved.output.contains("The metrics are served on 127.0.0.1:\(next)."), "\(moved.output)")
        #expect(try ask(next, "GET /health").status == 200)
        #expect((try? Socket.connected(port: port)) == nil)

        let taken = try Socket.listening()
        document.metrics = "127.0.0.1:\(try taken.localPort())"
        try apus.write(document)
        let checked = try apus.command("check", apus.configurationPath)
        let refused = try apus.command("reload")
        #expect(refused.status == .exited(1) && checked.status == .exited(1))
        #expect(checked.errors == refused.errors, "\(checked.errors)")
        #expect(refused.errors.contains("apus.yaml:1:"), "\(refused.errors)")
        #expect(try refused.errors.contains("\(taken.localPort())"))
        #expect(try ask(next, "GET /health").status == 200)

        document.metrics = nil
        try apus.write(document)
        #expect(try apus.command("reload").status == .exited(0))
        #expect((try? Socket.connected(port: next)) == nil)
        expectServes(apus)
    }

    @Test("A listener and the metrics may swap ports in one reload, and check accepts it")
    func portsChangeHands() throws {
        let (apus, document, port) = try start()
        func reload(_ metrics: String?, listener: UInt16) throws {
            var next = document
            next.metrics = metrics
            try apus.write(text: next.text(ports: [listener], folder: apus.folder))
            let checked = try apus.command("check", apus.configurationPath)
            #expect(checked.status == .exited(0), "\(checked.errors)")
            let reloaded = try apus.command("reload")
            #expect(reloaded.status == .exited(0), "\(reloaded.errors)")
            #expect(
                eventually { (try? RawClient(port: listener).get("/").text) == "blue\n" }, "\(listener) is a listener's"
            )
        }
        func servesMetrics(_ port: UInt16) -> Bool {
            eventually { (try? ask(port, "GET /health")).map { JSON(parsing: $0.body)["status"] == "serving" } == true }
        }
        try reload("127.0.0.1:\(apus.port)", listener: port)
        #expect(servesMetrics(apus.port))
        // The new address includes the old one.
        try reload("0.0.0.0:\(apus.port)", listener: port)
        #expect(servesMetrics(apus.port))
        try reload("127.0.0.1:\(port)", listener: apus.port)
        #expect(servesMetrics(port))
        try reload(nil, listener: port)
        #expect((try? Socket.connected(port: apus.port)) == nil)
    }

    @Test("An address in use prevents the start, and a listener's address is an error in the file")
    func inUse() throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let taken = try Socket.listening()
        let ports = [try PortAllocator.port()]
        for (metrics, named) in [
            (try taken.localPort(), "in use"), (ports[0], "port must not be that of admin.metrics"),
        ] {
            var document = Document(try TargetServer())
            document.metrics = "127.0.0.1:\(metrics)"
            let path = "\(folder)/apus.yaml"
            try document.text(ports: ports, folder: folder).write(toFile: path, atomically: true, encoding: .utf8)
            let result = try ApusProcess.command(["run", path], socket: "\(folder)/admin.sock", folder: folder)
            #expect(result.status == .exited(1) && result.errors.contains(named), "\(result.errors)")
            #expect(result.errors.contains("apus.yaml:1:"), "\(result.errors)")
        }
    }

    @Test("While it stops, health is 503")
    func stopping() throws {
        let gate = Gate()
        let blue = try TargetServer("blue", script: TargetScript.held(by: gate, body: "blue\n"))
        let port = try PortAllocator.port()
        var document = Document(blue)
        document.metrics = "127.0.0.1:\(port)"
        let apus = try ApusProcess.start(document)
        let client = try apus.client()
        try client.send("GET /held HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(eventually { blue.requests.contains { $0.target == "/held" } })
        apus.process.signal(SIGTERM)
        #expect(try eventually { try ask(port, "GET /health").status == 503 })
        #expect(try ask(port, "GET /metrics").status == 200)
        gate.open()
        #expect(try client.response().status == 200)
        #expect(apus.process.waitForExit() == .exited(0))
        expectLogged(by: apus, "/held", status: 200, targetStatus: 200)
    }
}
