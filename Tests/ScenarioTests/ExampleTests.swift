import Foundation
import Glibc
import Testing

/// conf/container/compose.yaml and conf/examples, as their pages say, with real containers.
@Suite(.serialized, .enabled(if: Containers.areAllowed, "a Docker daemon cannot be started here"))
struct ExampleTests {
    private static let conf = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("conf").path

    /// Runs a request's curl again until it answers `text`: what was just registered may not be healthy yet.
    private func expect(
        _ text: String, of composed: ComposedContainers, _ words: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var answer = ""
        let isSo = try eventually(within: 30) {
            answer = try composed.containers.curl(words)
            return answer == text
        }
        #expect(isSo, "curl \(words): \(answer)", sourceLocation: sourceLocation)
    }

    @Test("The demo finds both services by name, and a container that comes and one that goes")
    func demo() throws {
        let composed = try ComposedContainers("\(Self.conf)/container/compose.yaml")
        let containers = composed.containers
        #expect(try composed.has(2, healthyIn: "blue"), "\(composed.discovery)")
        #expect(try composed.has(2, healthyIn: "green"), "\(composed.discovery)")
        let answers = try (0..<100).map { _ in try containers.curl("http://127.0.0.1:8080/") }
        let (blue, green) = (answers.count { $0 == "blue 8080\n" }, answers.count { $0 == "green 8080\n" })
        #expect(blue + green == 100 && (80...98).contains(blue), "\(blue) and \(green)")
        try containers.docker("stop", composed.container("green", 2))
        #expect(
            try containers.docker("inspect", "--format", "{{.State.ExitCode}}", composed.container("green", 2)) == "0\n"
        )
        #expect(try composed.has(1, healthyIn: "green"))
        try containers.docker("start", composed.container("green", 2))
        #expect(try composed.has(2, healthyIn: "green"))
    }

    @Test("A web application: HTTPS in front of three containers, one of which is stopped meanwhile")
    func webApplication() throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        try runShell(
            """
            cp \(Self.conf)/examples/web/*.yaml .
            mkdir tls
            openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 90 -subj /CN=localhost \
              -addext subjectAltName=DNS:localhost -keyout tls/key.pem -out tls/cert.pem
            chmod 755 . tls
            chmod 644 tls/key.pem
            """, in: folder)
        let composed = try ComposedContainers("\(folder)/compose.yaml")
        let containers = composed.containers
        #expect(try composed.has(3, healthyIn: "app"), "\(composed.discovery)")
        let https = "--cacert \(folder)/tls/cert.pem -w %{http_version} https://localhost/"
        try expect("app 8080\n2", of: composed, https)
        try expect(
            "301 https://localhost:443/a?b", of: composed,
            "-w '%{http_code} %{redirect_url}' -o /dev/null 'http://localhost/a?b'")
        let requests = Background {
            try (0..<50).map { _ in try containers.curl(https) }
        }
        try containers.docker("stop", composed.container("app", 2))
        let answers = try requests.value()
        #expect(answers.allSatisfy { $0 == "app 8080\n2" }, "\(answers.filter { $0 != "app 8080\n2" })")
        #expect(try composed.has(2, healthyIn: "app"))
    }

    @Test("Microservices: each is reached by its name, by other containers as well, and only the shop from outside")
    func microservices() throws {
        let composed = try ComposedContainers("\(Self.conf)/examples/microservices/compose.yaml")
        for (group, count) in [("shop", 1), ("orders", 2), ("users", 2)] {
            #expect(try composed.has(count, healthyIn: group), "\(composed.discovery)")
        }
        try expect("shop 8080\n", of: composed, "http://localhost/")
        let script = """
            from urllib.request import urlopen
            for name in ["orders", "users"]: print(urlopen(f"http://{name}.internal:8000/").read().decode(), end="")
            """
        let called = try composed.containers.docker(
            "run", "--rm", "--network", "microservices_default", "--volume", "/usr:/usr:ro", "target", Tool.python,
            "-c",
            script)
        #expect(called == "orders 8080\nusers 8080\n")
        #expect(try composed.containers.curl("http://localhost:8000/").contains("onnect"), "its port is not published")
    }

    @Test("An API gateway: paths, methods and tokens decide, and logging in is limited")
    func gateway() throws {
        let composed = try ComposedContainers("\(Self.conf)/examples/api-gateway/compose.yaml")
        #expect(try composed.has(2, healthyIn: "users"), "\(composed.discovery)")
        #expect(try composed.has(2, healthyIn: "orders"), "\(composed.discovery)")
        try expect("users 8080\n", of: composed, "http://localhost/users/7")
        try expect("orders 8080\n", of: composed, "http://localhost/orders")
        try expect("{\"error\": \"a token is needed\"}", of: composed, "-X POST http://localhost/orders")
        try expect("orders 8080\n", of: composed, "-X POST -H 'Authorization: Bearer abc' http://localhost/orders/1")
        try expect("{\"error\": \"no such path\"}404", of: composed, "-w %{http_code} http://localhost/elsewhere")
        let logins = try composed.containers.curl(
            "-o /dev/null -w '%{http_code} ' 'http://localhost/users/login?[1-40]'")
        let codes = logins.split(separator: " ")
        #expect(codes.count == 40 && codes.prefix(5).allSatisfy { $0 == "200" } && codes.contains("429"), "\(logins)")
        // What the image logs is what Docker keeps.
        #expect(try eventually { composed.logs.contains("\"GET http://localhost:80/users/7 HTTP/1.1\"") })
    }

    @Test("A TCP service: each port of an instance is a target of its own, and an instance may move")
    func tcpPorts() throws {
        let containers = try Containers(count: 3)
        let folder = containers.folder
        for host in 1...3 {
            for port in 7001...7003 {
                let words =
                    "/scripts/recording_target.py 0.0.0.0 \(port) \(host):\(port) /records/\(host)-\(port).record"
                try runShell(
                    "/usr/bin/docker -H unix://\(containers.socket) exec -d target-\(host) \(Tool.python) \(words)",
                    in: folder)
            }
        }
        // The addresses are those of these containers; what is added says where it lies.
        let text = try String(contentsOfFile: "\(Self.conf)/examples/tcp-ports/apus.yaml", encoding: .utf8)
            .replacingOccurrences(of: "10.0.0.1", with: "172.31.254.1")
        let socket = "\(folder)/admin.sock"
        let own = "\nadmin: { socket: \(socket) }\nruntime: { stateDirectory: \(folder)/state }\n"
        try (text + own).write(toFile: "\(folder)/apus.yaml", atomically: true, encoding: .utf8)
        let apus = try ChildProcess(
            ["ip", "netns", "exec", containers.namespace, ApusProcess.binary, "run", "\(folder)/apus.yaml"],
            folder: folder, label: "apus")
        func command(_ words: String) throws {
            let result = try ApusProcess.command(
                words.split(separator: " ").map(String.init), socket: socket, folder: folder, within: 60)
            #expect(result.status == .exited(0), "\(words): \(result.errors)")
        }
        /// Whether connections reach these targets and no others, or do so in time.
        func reach(_ expected: Set<String>) throws -> Bool {
            try eventually(within: 30) {
                let answers = try (0..<30).map { _ in try containers.curl("http://127.0.0.1:6379/") }.joined()
                return Set(answers.split(separator: "\n").map(String.init)) == expected
            }
        }
        func targets(_ hosts: Int...) -> Set<String> {
            Set(hosts.flatMap { host in (7001...7003).map { "\(host):\($0)" } })
        }
        #expect(try reach(targets(1, 2)), "\(apus.standardError.suffix(1000))")
        try command("targets deregister cache i-cache-1:7002 --wait")
        #expect(try reach(targets(1, 2).subtracting(["1:7002"])))
        try command("instances set i-cache-2 172.31.254.13")
        #expect(try reach(targets(1, 3).subtracting(["1:7002"])))
        apus.signal(SIGTERM)
        #expect(apus.waitForExit(within: 40) == .exited(0))
    }
}
