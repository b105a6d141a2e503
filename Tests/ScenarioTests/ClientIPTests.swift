import Foundation
import Glibc
import TestCertificates
import Testing

/// Targets that see the clients' own addresses: clients, Apus and targets in networks of their own.
@Suite(.enabled(if: Networks.areAllowed, "network namespaces cannot be made here")) struct ClientIPTests {
    private static let pair = TestAuthority().issue(["localhost"])

    /// The three networks, with targets that tell who has connected.
    private final class Scene {
        let networks: Networks
        let target: ChildProcess
        var folder: String { networks.folder }
        var isPreserving = true
        var hasTLS = false
        /// Whether clients begin with a PROXY header.
        var hasProxyHeader = false
        /// Of `runtime`.
        var user: String?
        var targets = ["10.2.0.2"]

        init() throws {
            networks = try Networks()
            target = try networks.start(
                in: .target, [Tool.python, Tool.script("origin_target"), "10.2.0.2", "fd02::2"], label: "target")
        }

        /// A listener of TCP at 9000 and perhaps one of TLS at 9001, over IPv4 and IPv6.
        func write() throws {
            var document = Document.network()
            document.addresses = ["10.1.0.1", "fd01::1"]
            if hasTLS {
                var secure = document.listeners[0]
                secure.certificates = [ClientIPTests.pair]
                secure.settings["protocol"] = "TLS"
                document.listeners.append(secure)
            }
            document.groups = [
                Document.Group(
                    "blue", targets.map { Document.Address(id: $0, port: 8080) },
                    attributes: isPreserving ? ["preserve_client_ip.enabled": true] : [:],
                    settings: ["protocol": "TCP", "healthCheckProtocol": "TCP"])
            ]
            if hasProxyHeader { document.attributes = ["apus.proxy_protocol.trusted": ["fd01::2/128"]] }
            if let user { document.runtime["user"] = .string(user) }
            try document.text(ports: [9000, 9001], folder: folder)
                .write(toFile: "\(folder)/apus.yaml", atomically: true, encoding: .utf8)
        }

        /// Starts Apus, which must begin to serve; a target has been found.
        func start() throws -> ChildProcess {
            try write()
            let apus = try run()
            let isServing = eventually(within: 20) {
                (try? AdminClient(path: "\(folder)/admin.sock").ask("GET", "/v1/status"))?.status == 200
                    && !origins.isEmpty
            }
            guard isServing else { throw ApusFailure(status: apus.exitStatus, errors: apus.standardError) }
            return apus
        }

        /// Starts Apus, which must refuse; why.
        func refusal() throws -> String {
            try write()
            let apus = try run()
            #expect(apus.waitForExit() == .exited(1))
            return apus.standardError
        }

        private func run() throws -> ChildProcess {
            try networks.start(
                in: .apus, [ApusProcess.binary, "run", "\(folder)/apus.yaml"], label: UUID().uuidString)
        }

        /// Does what a message says between quotation marks.
        func follow(_ message: String) throws {
            let commands = message.split(separator: "\"").filter { $0.hasPrefix("ip ") }
            #expect(!commands.isEmpty, "\(message)")
            for command in commands {
                _ = try networks.run(in: .apus, command.split(separator: " ").map(String.init))
            }
        }

        /// Who a client was, and who the target saw.
        func visit(_ host: String = "10.1.0.1", port: Int = 9000, from own: Int, first: String...) throws -> [String] {
            let how = port == 9001 ? "tls" : "tcp"
            let words = [Tool.python, Tool.script("origin_client"), host, "\(port)", "\(own)", how] + first
            return try networks.run(in: .client, words).split(separator: "\n").map(String.init)
        }

        /// Whence targets were connected to.
        var origins: Set<String> { Set(target.standardOutput.split(separator: "\n").map(String.init)) }
    }

    @Test("Without the rule there is no start; what is said to be missing makes it one, and targets see clients")
    func preserves() throws {
        let scene = try Scene()
        scene.hasTLS = true
        let refusal = try scene.refusal()
        #expect(refusal.contains("apus.yaml:1:") && refusal.contains("group blue"), "\(refusal)")
        #expect(refusal.contains("\"ip rule add iif t0 from 10.2.0.2 ipproto tcp sport 8080 lookup 100\""))
        #expect(refusal.contains("\"ip route replace local default dev lo table 100\""))
        #expect(!FileManager.default.fileExists(atPath: "\(scene.folder)/admin.sock"))
        try scene.follow(refusal)
        let apus = try scene.start()
        for own in [0, 40_077] {
            let seen = try scene.visit(from: own)
            #expect(seen.count == 2 && seen[0].hasPrefix("10.1.0.2 ") && seen[0] == seen[1], "\(seen)")
        }
        let secure = try scene.visit(port: 9001, from: 40_078)
        #expect(secure == ["10.1.0.2 40078", "10.1.0.2 40078"])
        #expect(eventually { scene.origins.contains { $0.hasPrefix("10.2.0.1 ") } }, "checks come from our own address")
        withExtendedLifetime(apus) {}
    }

    @Test("A route that is missing behind its rule is asked for alone, with the rule's table")
    func routeAlone() throws {
        let scene = try Scene()
        _ = try scene.networks.run(
            in: .apus, ["ip", "rule", "add", "iif", "t0", "from", "10.2.0.0/24", "lookup", "77"])
        let refusal = try scene.refusal()
        #expect(refusal.contains("Run \"ip route replace local default dev lo table 77\"."), "\(refusal)")
        try scene.follow(refusal)
        let apus = try scene.start()
        #expect(try scene.visit(from: 40_001).last == "10.1.0.2 40001")
        withExtendedLifetime(apus) {}
    }

    @Test("A rule by a mark is taken, as its marks cannot be seen")
    func mark() throws {
        let scene = try Scene()
        for command in ["ip rule add fwmark 7 lookup 100", "ip route add local default dev lo table 100"] {
            _ = try scene.networks.run(in: .apus, command.split(separator: " ").map(String.init))
        }
        withExtendedLifetime(try scene.start()) {}
    }

    @Test("IPv6 as IPv4, and the address that a PROXY header names counts")
    func ipv6() throws {
        let scene = try Scene()
        scene.targets = ["fd02::2"]
        scene.hasProxyHeader = true
        let refusal = try scene.refusal()
        #expect(refusal.contains("\"ip -6 rule add iif t0 from fd02::2 ipproto tcp sport 8080 lookup 100\""))
        try scene.follow(refusal)
        let apus = try scene.start()
        let header = "PROXY TCP6 2001:db8::7 fd01::1 4242 9000"
        #expect(try scene.visit("fd01::1", from: 40_001, first: header) == ["fd01::2 40001", "2001:db8::7 4242"])
        #expect(try scene.visit("fd01::1", from: 40_002, first: "PROXY UNKNOWN").last == "fd01::2 40002")
        withExtendedLifetime(apus) {}
    }

    @Test("Where the client's family is not the target's, the target sees Apus's own address")
    func families() throws {
        let scene = try Scene()
        try scene.follow(try scene.refusal())
        let apus = try scene.start()
        #expect(try scene.visit("fd01::1", from: 40_001).last?.hasPrefix("10.2.0.1 ") ?? false)
        withExtendedLifetime(apus) {}
    }

    @Test("A process that becomes another user keeps the one capability, and one that gave it up says so")
    func user() throws {
        let scene = try Scene()
        scene.user = "nobody"
        // The logs are opened as that user.
        #expect(unsafe chmod(scene.folder, 0o777) == 0)
        try scene.follow(try scene.refusal())
        let apus = try scene.start()
        #expect(try scene.visit(from: 40_001).last == "10.1.0.2 40001")
        let status = try String(contentsOfFile: "/proc/\(apus.pid)/status", encoding: .utf8)
        #expect(status.contains("CapPrm:\t0000000000001000\n") && status.contains("CapEff:\t0000000000001000\n"))
        apus.kill()
        try FileManager.default.removeItem(atPath: "\(scene.folder)/admin.sock")

        scene.isPreserving = false
        let other = try scene.start()
        #expect(try scene.visit(from: 40_002).last?.hasPrefix("10.2.0.1 ") ?? false)
        scene.isPreserving = true
        try scene.write()
        let client = try AdminClient(path: "\(scene.folder)/admin.sock")
        let answer = try client.ask("POST", "/v1/reload")
        #expect(answer.status == 400 && answer.text.contains("became user nobody"), "\(answer.text)")
        #expect(try scene.visit(from: 40_003).last?.hasPrefix("10.2.0.1 ") ?? false, "it goes on as it was")
        withExtendedLifetime(other) {}
    }

    @Test("Without the capability there is no start, and a target without a rule is not registered")
    func refusals() throws {
        let scene = try Scene()
        try scene.follow(try scene.refusal())
        let bare = try scene.networks.start(
            in: .apus,
            ["setpriv", "--bounding-set", "-net_admin,-net_raw", ApusProcess.binary, "run", "apus.yaml"], label: "bare")
        #expect(bare.waitForExit() == .exited(1))
        #expect(bare.standardError.contains("CAP_NET_ADMIN") && bare.standardError.contains("setcap"))
        let apus = try scene.start()
        let client = try AdminClient(path: "\(scene.folder)/admin.sock")
        let path = "/v1/target-groups/blue/targets"
        let refused = try client.ask("POST", path, ["targets": [["id": "10.2.0.3", "port": 8080]]])
        #expect(refused.status == 400, "\(refused.text)")
        #expect(refused.text.contains("ip rule add iif t0 from 10.2.0.3 ipproto tcp sport 8080 lookup 100"))
        withExtendedLifetime(apus) {}
    }
}
