import Foundation
import Testing

/// Targets that a domain name has, with dnsmasq as the name server.
@Suite(.enabled(if: dnsmasq != nil, "dnsmasq is not installed"))
struct DNSDiscoveryTests {
    /// dnsmasq, which serves the names of `hosts` below `.test`, and services.
    private final class NameServer {
        let port: UInt16
        private let folder: String
        private let child: ChildProcess

        init(_ hosts: String = "", services: [String] = []) throws {
            port = try PortAllocator.port()
            folder = try temporaryFolder()
            try hosts.write(toFile: "\(folder)/hosts", atomically: true, encoding: .utf8)
            let program = try #require(dnsmasq)
            child = try ChildProcess(
                [
                    program, "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=",
                    "--group=", "--pid-file=\(folder)/pid", "--port=\(port)", "--listen-address=127.0.0.1",
                    "--bind-interfaces", "--local=/test/", "--addn-hosts=\(folder)/hosts", "--local-ttl=0",
                ] + services.map { "--srv-host=\($0)" }, folder: folder, label: "dnsmasq")
            guard eventually(within: 20, { (try? Socket.connected(port: port)) != nil }) else {
                throw ApusFailure(status: child.exitStatus, errors: child.standardError)
            }
        }

        deinit {
            child.kill()
            removeFolder(folder)
        }

        /// Has other names from now on, each line an address and a name.
        func serve(_ hosts: String) throws {
            try hosts.write(toFile: "\(folder)/hosts", atomically: true, encoding: .utf8)
            child.signal(SIGHUP)
        }

        func stop() { child.kill() }
    }

    private func start(_ server: NameServer, _ dns: [String: JSON], port: UInt16 = 80) throws -> ApusProcess {
        var dns = dns
        dns["resolvers"] = ["127.0.0.1:\(server.port)"]
        return try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [
                    .init("blue", settings: ["port": JSON(port), "discovery": ["dns": .object(dns)]])
                ]), until: .answering)
    }

    private func source(_ apus: ApusProcess) throws -> JSON {
        try apus.admin("GET", "/v1/discovery").json["sources"][0]
    }

    /// What is registered and does not drain.
    private func registered(_ apus: ApusProcess) -> [String: String] {
        ((try? apus.states(of: "blue")) ?? [:]).filter { $0.value != "draining" }
    }

    @Test("A name whose only address changes each second, under load: no request fails")
    func flips() throws {
        let port = try PortAllocator.port()
        let targets = try ["127.0.0.2", "127.0.0.3"].map { try TargetServer($0, host: $0, port: port) }
        let server = try NameServer("127.0.0.2 web.test\n")
        let apus = try start(server, ["name": "web.test"], port: port)
        #expect(eventually(within: 20) { registered(apus) == [targets[0].address.text: "healthy"] })
        let gets = LoadGenerator(port: apus.port, clients: 3)
        let posts = LoadGenerator(port: apus.port, method: "POST", clients: 1)
        for round in 1...10 {
            let target = targets[round % 2]
            try server.serve("\(target.host) web.test\n")
            #expect(
                eventually(within: 30) { registered(apus) == [target.address.text: "healthy"] },
                "round \(round): \(registered(apus))")
        }
        for load in [gets, posts] {
            let report = load.finish()
            #expect(report.badCount == 0, "\(report.statuses) \(report.failures.prefix(5))")
            #expect(report.count(of: "127.0.0.2\n") > 0 && report.count(of: "127.0.0.3\n") > 0)
        }
        #expect(try apus.metric("apus_discovery_failures_total", #"target_group="blue""#) == 0)
        #expect(try apus.metric("apus_discovery_batches_total") >= 10)
        #expect(try source(apus)["remarks"][0].string?.contains("loopback addresses") == true)
        expectServes(apus)
    }

    @Test("A name that is not there is no reason not to start; one that goes, or whose server goes, takes nothing away")
    func comesAndGoes() throws {
        let target = try TargetServer("one")
        let server = try NameServer()
        let apus = try start(server, ["name": "web.test"], port: target.port)
        #expect(try eventually(within: 20) { try source(apus)["reason"].string?.contains("NXDOMAIN") == true })
        #expect(try source(apus)["state"].string == "away" && registered(apus).isEmpty)
        try server.serve("127.0.0.1 web.test\n")
        #expect(apus.target(target.address, becomes: "healthy"))
        try server.serve("")
        #expect(try eventually(within: 20) { try source(apus)["reason"].string?.contains("NXDOMAIN") == true })
        #expect(registered(apus) == [target.address.text: "healthy"])
        server.stop()
        let words = ["does not answer", "cannot be reached"]
        #expect(
            try eventually(within: 40) {
                let reason = try source(apus)["reason"].string ?? ""
                return words.contains { reason.contains($0) }
            })
        #expect(registered(apus) == [target.address.text: "healthy"])
        #expect(try apus.metric("apus_discovery_source_available", #"target_group="blue""#) == 0)
        #expect(try apus.metric("apus_discovery_failures_total", #"target_group="blue""#) >= 3)
        #expect(try apus.command("discovery").output.contains("dns web.test (A)"))
        expectServes(apus)
    }

    @Test("A service has ports and weights, and hosts of a later priority take over while those of the first fail")
    func services() throws {
        let targets = try ["one", "two", "three"].map { try TargetServer($0) }
        let (one, two, three) = (targets[0], targets[1], targets[2])
        let server = try NameServer(
            "127.0.0.1 one.test\n127.0.0.1 two.test\n127.0.0.1 three.test\n",
            services: [
                "_http._tcp.test,one.test,\(one.port),10,30", "_http._tcp.test,two.test,\(two.port),10,10",
                "_http._tcp.test,three.test,\(three.port),20,1",
            ])
        let apus = try start(server, ["name": "_http._tcp.test", "type": "SRV"])
        for target in targets { #expect(apus.target(target.address, becomes: "healthy")) }
        func weights() -> [String: Int] {
            let shown = try? apus.admin("GET", "/v1/target-groups/blue/targets").json["targetHealthDescriptions"]
            let all = shown?.elements.map { ($0["discoveredAs"].string ?? "", $0["target"]["apus.weight"].int ?? 1) }
            return Dictionary(all ?? [], uniquingKeysWith: { $1 })
        }
        #expect(eventually(within: 20) { weights() == ["one.test": 30, "two.test": 10, "three.test": 0] })
        func bodies() throws -> [String] { try (0..<80).map { _ in try apus.client().get("/").text } }
        func serve(_ body: String) -> Bool { eventually(within: 20) { (try? Set(bodies())) == [body] } }
        let seen = try bodies()
        let (ofOne, ofTwo) = (seen.count { $0 == "one\n" }, seen.count { $0 == "two\n" })
        #expect(ofOne > ofTwo && ofTwo > 0 && ofOne + ofTwo == 80, "\(seen)")
        one.healthStatus.withLock { $0 = 503 }
        #expect(apus.target(one.address, becomes: "unhealthy"))
        #expect(serve("two\n"), "one of the first is enough")
        let load = LoadGenerator(port: apus.port, clients: 2)
        two.healthStatus.withLock { $0 = 503 }
        #expect(eventually(within: 20) { weights() == ["one.test": 0, "two.test": 0, "three.test": 1] })
        #expect(serve("three\n"))
        one.healthStatus.withLock { $0 = 200 }
        #expect(eventually(within: 20) { weights() == ["one.test": 30, "two.test": 10, "three.test": 0] })
        #expect(serve("one\n"))
        #expect(load.finish().badCount == 0)
    }
}

/// Where dnsmasq is.
private let dnsmasq = ["/usr/sbin/dnsmasq", "/usr/local/sbin/dnsmasq"].first {
    FileManager.default.isExecutableFile(atPath: $0)
}
