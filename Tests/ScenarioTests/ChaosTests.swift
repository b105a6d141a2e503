import Foundation
import Testing

/// Random clients, targets and changes at the same time, chosen by a seed: the process survives, nothing leaks, and
/// valid requests are answered.
@Suite struct ChaosTests {
    /// Duration in seconds; `APUS_CHAOS_SECONDS` sets a longer one.
    private static let seconds = Double(ProcessInfo.processInfo.environment["APUS_CHAOS_SECONDS"] ?? "") ?? 6
    /// `APUS_CHAOS_SEED` repeats the choices of a run, but not their timing.
    private static let seed =
        UInt64(ProcessInfo.processInfo.environment["APUS_CHAOS_SEED"] ?? "") ?? .random(in: 0...UInt64.max)

    /// Answers the requests of one connection in every way, valid and invalid.
    private static func target(seed: UInt64) -> TargetServer.Script {
        let seeds = Locked(SplitMix(state: seed))
        return { connection in
            var random = SplitMix(state: seeds.withLock { $0.next() })
            while var request = try connection.head() {
                guard try answer(&request, on: connection, &random) else { return }
            }
        }
    }

    /// Answers one request. Returns false if the connection has to end.
    private static func answer(
        _ request: inout Message, on connection: TargetConnection, _ random: inout SplitMix
    ) throws -> Bool {
        if request.target == "/still-serving" {
            try connection.respond(body: "fine")
            return true
        }
        let isEarly = Int.random(in: 0..<8, using: &random) == 0
        if !isEarly { try connection.readBody(of: &request, keep: .countOnly) }
        let body = String(repeating: "b", count: [0, 1, 500, 9_000, 200_000].randomElement(using: &random)!)
        let sized = "Content-Length: \(body.utf8.count)\r\n\r\n"
        let chunks = body.isEmpty ? "" : "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n"
        let bodiless = request.method == "HEAD"
        switch Int.random(in: 0..<16, using: &random) {
        case 0: connection.reset()
        case 1: return false
        case 2: try connection.send("HTTP/1.1 200 OK\r\nContent-Le")
        case 3: try connection.send("HTTP/1.1 200 OK\r\n" + sized.replacing("h: ", with: "h: 1") + body)
        case 4: try connection.send("nonsense\r\n\r\n")
        case 5: try connection.send("HTTP/1.1 200 OK\r\n\r\n" + body)
        case 6: try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        case 7: try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "zz\r\n")
        case 8: _ = connection.wire.ended(within: 0.3)
        case 9:
            try connection.send("HTTP/1.1 200 OK\r\n" + sized + (bodiless ? "" : body) + "surplus")
            return true
        case 10:
            try connection.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
            return true
        case 11, 12:
            let trailers = "0\r\nX-Sum: 1\r\n\r\n"
            let framed = bodiless ? "" : chunks + trailers
            try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framed)
            return true
        default:
            try connection.send("HTTP/1.1 200 OK\r\n" + sized + (bodiless ? "" : body))
            return true
        }
        return false
    }

    /// Sends a few requests, mostly complete, in pieces of any size; then reads a little, and ends the connection in
    /// some way.
    private static func client(port: UInt16, _ random: inout SplitMix) throws {
        let client = try RawClient(port: port, receiveBuffer: Bool.random(using: &random) ? 4_096 : nil)
        client.wire.timeout = 0.4
        var bytes = Array(
            (0..<Int.random(in: 1...4, using: &random)).map { _ in request(&random) }.joined().utf8)
        if Int.random(in: 0..<4, using: &random) == 0 {
            bytes.removeLast(Int.random(in: 0...min(bytes.count, 200), using: &random))
        }
        if Int.random(in: 0..<8, using: &random) == 0, !bytes.isEmpty {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        while !bytes.isEmpty {
            let isWhole = Bool.random(using: &random)
            let count = isWhole ? bytes.count : min(bytes.count, Int.random(in: 1...2_000, using: &random))
            try client.send(Array(bytes.prefix(count)))
            bytes.removeFirst(count)
        }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: client.reset()
        case 1: client.close()
        case 2: client.endWriting()
        default: break
        }
        switch Int.random(in: 0..<8, using: &random) {
        case 0: _ = always(for: 0.3) { true }
        case 1...4: while case .bytes = client.socket.read(by: .after(0.03)) {}
        default: break
        }
        if Bool.random(using: &random) { client.reset() }
    }

    private static func request(_ random: inout SplitMix) -> String {
        let path = ["/a", "/rule/x", "/fixed", "/a?q=%2f"].randomElement(using: &random)!
        let version = Int.random(in: 0..<8, using: &random) == 0 ? "1.0" : "1.1"
        var text = " \(path) HTTP/\(version)\r\nHost: example.com\r\n"
        if Int.random(in: 0..<8, using: &random) == 0 { text += "Connection: close\r\n" }
        if Int.random(in: 0..<8, using: &random) == 0 { text += "Expect: 100-continue\r\n" }
        let body = String(repeating: "r", count: [1, 100, 20_000, 300_000].randomElement(using: &random)!)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return "POST" + text + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
        case 1:
            let chunk = "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n"
            return "PUT" + text + "Transfer-Encoding: chunked\r\n\r\n" + chunk + "0\r\nX-T: 1\r\n\r\n"
        case 2: return "HEAD" + text + "\r\n"
        default: return "GET" + text + "\r\n"
        }
    }

    /// One change over the socket: of targets, weights, rules and listeners, or a reload. Errors are valid answers.
    private static func change(
        _ admin: AdminClient, _ apus: ApusProcess, _ servers: [TargetServer], spare: UInt16, _ random: inout SplitMix
    ) throws {
        let listener = "/v1/load-balancers/web/listeners/\(apus.port)"
        let target: JSON = ["targets": [servers.randomElement(using: &random)!.address.json]]
        let group = "/v1/target-groups/" + ["blue", "green"].randomElement(using: &random)!
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1: try admin.ask("POST", "\(group)/targets", target)
        case 2, 3: try admin.ask("POST", "\(group)/deregister", target)
        case 4:
            let weight = Int.random(in: 0...3, using: &random)
            try admin.ask("PUT", "\(listener)/weights", ["blue": JSON(weight), "green": 1])
        case 5:
            let rule = Document.rule(5, "path-pattern", ["/rule/*"], Document.forward("green"))
            try admin.ask("PUT", "\(listener)/rules/5", rule)
        case 6: try admin.ask("DELETE", "\(listener)/rules/5")
        case 7:
            let settings: JSON = ["protocol": "HTTP", "defaultActions": [Document.forward("blue")]]
            try admin.ask("PUT", "/v1/load-balancers/web/listeners/\(spare)", settings)
        case 8: try admin.ask("DELETE", "/v1/load-balancers/web/listeners/\(spare)")
        default: try admin.ask("POST", "/v1/reload")
        }
    }

    private static func start(_ servers: [TargetServer], memoryBytes: Int) throws -> ApusProcess {
        let fixed: JSON = [
            "type": "fixed-response", "fixedResponseConfig": ["statusCode": "404", "messageBody": "none"],
        ]
        let attributes: [String: JSON] = [
            "deregistration_delay.timeout_seconds": 0.2, "apus.target_keep_alive.idle_seconds": 1,
        ]
        var document = Document(
            listeners: [
                .init(
                    defaultAction: Document.forward(["blue": 1, "green": 1]),
                    rules: [Document.rule(9, "path-pattern", ["/fixed"], fixed)])
            ],
            groups: ["blue", "green"].map { .init($0, servers: servers, attributes: attributes) },
            attributes: [
                "idle_timeout.timeout_seconds": 0.5, "apus.head_timeout.seconds": 0.5,
                "client_keep_alive.seconds": 1, "apus.min_body_rate.window_seconds": 0.2,
                "apus.min_body_rate.bytes_per_second": 1_000,
            ])
        document.runtime["memoryBytes"] = JSON(memoryBytes)
        return try ApusProcess.start(document)
    }

    /// With much memory, and with so little that some clients are rejected and others are shed.
    @Test(
        "Random clients, targets and changes at the same time leave nothing behind", arguments: [1 << 30, 1 << 20])
    func everythingAtOnce(memoryBytes: Int) throws {
        let seed = Self.seed &+ UInt64(memoryBytes)
        let servers = try (0..<4).map { try TargetServer("t\($0)", script: Self.target(seed: seed &+ UInt64($0))) }
        let apus = try Self.start(servers, memoryBytes: memoryBytes)
        let spare = try PortAllocator.port()
        let deadline = Deadline.after(Self.seconds)
        let clients = (0..<24).map { number in
            Background {
                var random = SplitMix(state: seed &+ 100 &+ UInt64(number))
                let port = number % 4 == 0 ? spare : apus.port
                // A client that fails was rejected or shed by Apus, which is allowed.
                while !deadline.hasPassed {
                    do { try Self.client(port: port, &random) } catch { _ = always(for: 0.01) { true } }
                }
            }
        }
        let admin = try AdminClient(path: apus.socketPath)
        var random = SplitMix(state: seed &+ 200)
        while !deadline.hasPassed, (try? Self.change(admin, apus, servers, spare: spare, &random)) != nil {
            _ = always(for: 0.005) { true }
        }
        for client in clients { try client.value(within: Self.seconds + 60) }
        try #require(apus.process.exitStatus == nil, "seed \(seed):\n\(apus.errors.suffix(8_000))")
        #expect(deadline.hasPassed, "seed \(seed): the admin socket is gone")
        for server in servers {
            for group in ["blue", "green"] {
                try admin.ask("POST", "/v1/target-groups/\(group)/targets", ["targets": [server.address.json]])
            }
        }
        expectServes(apus, "seed \(seed)")
        let gauges = [
            "apus_client_connections_active", "apus_requests_active", "apus_target_group_requests_active",
            "apus_target_connections_active", "apus_target_connections_idle", "apus_held_bytes",
        ]
        for gauge in gauges {
            let isZero = eventually(within: 20) { (try? apus.metric(gauge)) == 0 }
            #expect(isZero, "seed \(seed): \(gauge): \((try? apus.admin("GET", "/metrics").text) ?? "")")
        }
        #expect(try apus.metric("apus_requests_total") > 20)
        #expect(try apus.metric("apus_connections_cut_by_configuration_total") == 0)
        try expectResident(apus, below: 96 << 20)
        expectLogged(by: apus, "/still-serving", status: 200, targetStatus: 200)
        #expect(apus.terminate() == .exited(0))
    }
}
