import Foundation
import Testing

/// Real clients and servers.
@Suite struct RealClientsTests {
    @Test("curl fetches two URLs over one connection")
    func keepAlive() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        let told = try curl(
            apus, "-w", "%{http_code} %{http_version} %{num_connects}\n", "-o", "first", "-o", "second",
            apus.url("/first"), apus.url("/second"))
        #expect(told == "200 1.1 1\n200 1.1 0\n")
        #expect(try apus.bytes("first") == Array("blue\n".utf8))
        #expect(try apus.bytes("second") == Array("blue\n".utf8))
        expectLogged(by: apus, "/second", status: 200, targetStatus: 200)
    }

    @Test("curl waits for 100 Continue before it uploads 1 MB, and gets it at once")
    func expectContinue() throws {
        let target = try TargetServer(script: TargetScript.echo)
        let apus = try ApusProcess.start(Document(target))
        let body = try upload(to: apus)
        let told = try curl(
            apus, "--expect100-timeout", "15", "-H", "Expect: 100-continue", "-D", "head", "-o", "answer",
            "-w", "%{http_code} %{size_upload} %{time_total}", "-T", "upload", apus.url("/expect"))
        let words = told.split(separator: " ")
        #expect(words.prefix(2) == ["200", "1000000"], "\(told)")
        #expect(try #require(Double(words.last ?? "")) < 10, "it did not wait for its timeout: \(told)")
        #expect(String(decoding: try apus.bytes("head"), as: UTF8.self).hasPrefix("HTTP/1.1 100 Continue\r\n"))
        #expect(try apus.bytes("answer") == body)
        #expect(target.requests.first?["expect"] == nil)
        let line = expectLogged(by: apus, "PUT http://127.0.0.1:\(apus.port)/expect", status: 200, targetStatus: 200)
        #expect(try #require(line?.receivedBytes) > body.count)
    }

    @Test("curl uploads in chunks")
    func chunked() throws {
        let target = try TargetServer(script: TargetScript.echo)
        let apus = try ApusProcess.start(Document(target))
        let body = try upload(to: apus)
        let told = try curl(
            apus, "-H", "Transfer-Encoding: chunked", "-H", "Expect:", "-X", "POST", "-o", "answer",
            "-w", "%{http_code}", "-T", "upload", apus.url("/chunked"))
        #expect(told == "200")
        #expect(try apus.bytes("answer") == body)
        #expect(target.requests.first?["transfer-encoding"] == "chunked")
        expectLogged(by: apus, "/chunked", status: 200, targetStatus: 200)
    }

    @Test("curl speaks HTTP/1.0, and its request is logged as that")
    func versionOfOld() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        #expect(try curl(apus, "--http1.0", apus.url("/old")) == "blue\n")
        #expect(try curl(apus, "--http1.0", "-I", "-o", "head", "-w", "%{http_code}", apus.url("/head")) == "200")
        expectLogged(by: apus, "/old HTTP/1.0", status: 200, targetStatus: 200)
    }

    @Test("curl over IPv6, and its counter", .enabled(if: hasIPv6, "there is no IPv6 here"))
    func versionSix() throws {
        let target = try TargetServer()
        var document = Document(target)
        document.addresses = ["::1", "127.0.0.1"]
        let apus = try ApusProcess.start(document)
        #expect(try curl(apus, "-g", "http://[::1]:\(apus.port)/six") == "blue\n")
        #expect(try curl(apus, apus.url("/four")) == "blue\n")
        #expect(try eventually { try apus.metric("apus_request_duration_seconds_count") == 2 })
        #expect(try apus.metric("apus_requests_ipv6_total") == 1)
        let line = expectLogged(by: apus, "/six", status: 200, targetStatus: 200)
        #expect(line?.client.hasPrefix("[::1]:") == true)
        #expect(target.requests.first?["x-forwarded-for"] == "::1")
    }

    @Test(
        "nginx as a target: small and large files, HEAD, ranges, 404, over few connections",
        .enabled(if: nginx != nil, "nginx is not installed"))
    func nginxAsTarget() throws {
        let server = try NginxServer(#require(nginx))
        let apus = try start(server)
        let client = try apus.client()
        for _ in 0..<20 {
            #expect(try client.get("/small").text == "small\n")
            #expect(try client.get("/large").body == server.large)
            #expect(try client.exchange("HEAD /large HTTP/1.1\r\nHost: a.b\r\n\r\n")["content-length"] == "1000000")
            let part = try client.get("/large", fields: "Range: bytes=10-19\r\n")
            #expect(part.status == 206)
            #expect(part.body == Array(server.large[10...19]))
            #expect(try client.get("/nothing").status == 404)
        }
        #expect(try apus.metric("apus_target_connections_opened_total") <= 2)
        expectLogged(by: apus, "/nothing", status: 404, targetStatus: 404)
    }

    private func start(_ nginx: NginxServer) throws -> ApusProcess {
        try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [.init("blue", [.init(port: nginx.port)], settings: ["healthCheckPath": "/small"])]))
    }

    @Test(
        "nginx ends connections after 20 requests, or 0.2 s of idleness, and no GET fails",
        .enabled(if: nginx != nil, "nginx is not installed"))
    func nginxEndsConnections() throws {
        let settings = "keepalive_requests 20; keepalive_timeout 200ms; location /load/ { return 200 \"nginx\\n\"; }"
        let server = try NginxServer(#require(nginx), settings: settings)
        let apus = try start(server)
        let report = LoadGenerator(port: apus.port, clients: 4, requests: 2_000).waitForEnd()
        #expect(report.statuses == [200: 2_000], "\(report.failures.prefix(5))")
        #expect(report.count(of: "nginx\n") == 2_000)
        #expect(try apus.metric("apus_target_connections_reused_total") > 1_000)
        let client = try apus.client()
        for _ in 0..<15 {
            #expect(try client.get("/load/paused").status == 200)
            // Just when nginx ends the connection.
            _ = always(for: 0.2) { true }
        }
        expectLogged(by: apus, "/load/paused", status: 200, target: "127.0.0.1:\(server.port)", targetStatus: 200)
    }

    @Test(
        "nginx rejects a large body early, and the client gets the response",
        .enabled(if: nginx != nil, "nginx is not installed"))
    func nginxAnswersEarly() throws {
        let server = try NginxServer(#require(nginx), settings: "client_max_body_size 1m;")
        let apus = try start(server)
        for _ in 0..<5 {
            let client = try apus.client()
            try client.send("POST /small HTTP/1.1\r\nHost: a.b\r\nContent-Length: 5000000\r\n\r\n")
            try? client.send([UInt8](repeating: 0x61, count: 5_000_000))
            let answer = try client.response()
            #expect(answer.status == 413)
            // nginx discards the body. If all of it was sent before the response, the connection is reusable; else it
            // must end, since the rest would be parsed as a request.
            if answer["connection"] == "close" {
                #expect(client.ended())
            } else {
                #expect(try client.get("/small").status == 200)
            }
        }
        #expect(try apus.client().get("/small").status == 200)
        expectLogged(by: apus, "/small", status: 413, targetStatus: 413)
    }

    /// Runs curl in the folder of `apus`; what it wrote on its standard output.
    private func curl(_ apus: ApusProcess, _ arguments: String...) throws -> String {
        let words = ["curl", "-q", "-sS", "--noproxy", "*", "--max-time", "20"] + arguments
        let child = try ChildProcess(
            ["/bin/sh", "-c", "cd \(apus.folder) && exec \"$@\"", "sh"] + words, folder: apus.folder,
            label: UUID().uuidString)
        let status = child.waitForExit(within: 30)
        #expect(status == .exited(0), "curl \(arguments): \(child.standardError)")
        return child.standardOutput
    }

    /// Writes the file to upload, 1 MB of non-repeating letters, into the folder of `apus`.
    private func upload(to apus: ApusProcess) throws -> [UInt8] {
        var numbers = SplitMix(state: 1)
        let body = (0..<1_000_000).map { _ in UInt8.random(in: 0x61...0x7A, using: &numbers) }
        try Data(body).write(to: URL(fileURLWithPath: "\(apus.folder)/upload"))
        return body
    }
}

extension ApusProcess {
    /// The URL of a path at the first listener.
    fileprivate func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    /// The content of a file in its folder.
    fileprivate func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
    }
}

/// Whether this machine has `::1`.
private let hasIPv6 = ((try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8)) ?? "").contains(" lo")

/// Where nginx is.
private let nginx = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"].first {
    FileManager.default.isExecutableFile(atPath: $0)
}

/// nginx with two files. Killed, and its folder removed, on deinit.
private final class NginxServer {
    let port: UInt16
    let large = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
    private let folder: String
    private let child: ChildProcess

    init(_ binary: String, settings: String = "keepalive_requests 10000;") throws {
        port = try PortAllocator.port()
        folder = try temporaryFolder()
        try Data("small\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/small"))
        try Data(large).write(to: URL(fileURLWithPath: "\(folder)/large"))
        let configuration = """
            daemon off;
            master_process off;
            pid \(folder)/nginx.pid;
            error_log stderr;
            events {}
            http {
                access_log off;
                client_body_temp_path \(folder);
                proxy_temp_path \(folder);
                fastcgi_temp_path \(folder);
                uwsgi_temp_path \(folder);
                scgi_temp_path \(folder);
                server { listen 127.0.0.1:\(port); root \(folder); \(settings) }
            }
            """
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: "\(folder)/nginx.conf"))
        child = try ChildProcess(
            [binary, "-p", folder, "-c", "\(folder)/nginx.conf", "-e", "stderr"], folder: folder, label: "nginx")
        guard eventually(within: 15, { (try? Socket.connected(port: port)) != nil }) else {
            throw ApusFailure(status: child.exitStatus, errors: child.standardError)
        }
    }

    deinit {
        child.kill()
        removeFolder(folder)
    }
}
