import Foundation
import Testing

/// Programs that people use, on either side: curl as a client, nginx as a target.
@Suite struct RealProgramsTests {
    private static func has(_ program: String) -> Bool {
        ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"].contains { folder in
            FileManager.default.isExecutableFile(atPath: "\(folder)/\(program)")
        }
    }

    static let hasCurl = has("curl")
    static let hasNginx = has("nginx")

    /// Runs curl with its answer's body on standard output; gives that, once it ended with 0.
    private func curl(_ apus: ApusProcess, _ arguments: String...) throws -> String {
        let words = ["curl", "--silent", "--show-error", "--max-time", "60"] + arguments
        let child = try ChildProcess(words, folder: apus.folder, label: UUID().uuidString)
        let status = child.waitForExit(within: 90)
        try #require(status == .exited(0), "\(arguments): \(child.standardError)")
        return child.standardOutput
    }

    @Test("curl keeps its connection over several requests", .enabled(if: hasCurl, "curl is not installed"))
    func curlKeepAlive() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        let base = "http://127.0.0.1:\(apus.port)"
        let output = try curl(
            apus, "--write-out", "%{http_code} %{num_connects}\n", "\(base)/one", "\(base)/two", "\(base)/three")
        #expect(output == "blue\n200 1\nblue\n200 0\nblue\n200 0\n")
        #expect(target.requests.map(\.target).sorted() == ["/one", "/three", "/two"])
        #expect(try curl(apus, "--head", "\(base)/head").hasPrefix("HTTP/1.1 200 "))
        #expect(try curl(apus, "--http1.0", "\(base)/old") == "blue\n")
        expectLogged(by: apus, "/three", status: 200, targetStatus: 200)
    }

    @Test(
        "curl uploads: after 100 Continue, with a length, and in chunks",
        .enabled(if: hasCurl, "curl is not installed"), arguments: ["length", "chunks"])
    func curlUploads(framing: String) throws {
        let target = try TargetServer(script: TargetScript.countBody)
        let apus = try ApusProcess.start(Document(target))
        let path = "\(apus.folder)/upload"
        let size = 3_000_000
        try Data(repeating: 0x61, count: size).write(to: URL(fileURLWithPath: path))
        var arguments = ["--header", "Expect: 100-continue", "--verbose"]
        if framing == "chunks" { arguments += ["--header", "Transfer-Encoding: chunked"] }
        let words = ["curl", "--silent", "--max-time", "60", "--upload-file", path] + arguments
        let child = try ChildProcess(
            words + ["http://127.0.0.1:\(apus.port)/upload"], folder: apus.folder, label: "curl")
        #expect(child.waitForExit(within: 90) == .exited(0))
        #expect(child.standardOutput == "\(size)")
        #expect(child.standardError.contains("HTTP/1.1 100 Continue"), "\(child.standardError)")
        let request = try #require(target.requests.first)
        #expect(request.method == "PUT")
        #expect(request.framing == (framing == "chunks" ? .chunked : .length(size)))
        #expect(request.values("expect").isEmpty)
        expectLogged(by: apus, "/upload", status: 200, targetStatus: 200)
    }

    /// One nginx in a folder of its own, which serves `/file` and ends connections after 20 requests or 0.2 s.
    private final class Nginx {
        let port: UInt16
        private let folder: String
        private let child: ChildProcess

        init(file: Data) throws {
            port = try PortAllocator.port()
            folder = try temporaryFolder()
            try file.write(to: URL(fileURLWithPath: "\(folder)/file"))
            let text = Self.configuration(port: port, folder: folder)
            try text.write(toFile: "\(folder)/nginx.conf", atomically: true, encoding: .utf8)
            child = try ChildProcess(
                ["nginx", "-p", folder, "-c", "\(folder)/nginx.conf"], folder: folder, label: "nginx")
            guard eventually(within: 20, { (try? Socket.connected(port: port)) != nil }) else {
                throw ApusFailure(status: child.exitStatus, errors: child.standardError)
            }
        }

        private static func configuration(port: UInt16, folder: String) -> String {
            let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            let temporaryPaths = paths.map { "\($0)_temp_path \(folder)/\($0);" }.joined(separator: " ")
            return """
                daemon off; master_process off; pid \(folder)/pid; error_log stderr;
                events { worker_connections 512; }
                http {
                    access_log off; \(temporaryPaths)
                    keepalive_requests 20; keepalive_timeout 200ms;
                    server {
                        listen 127.0.0.1:\(port);
                        root \(folder);
                        location = /health { return 200 "well\\n"; }
                        location = /still-serving { return 200 "nginx\\n"; }
                        location /load/ { return 200 "nginx\\n"; }
                        location = /upload { client_max_body_size 1m; return 200 "uploaded\\n"; }
                    }
                }
                """
        }

        deinit {
            child.kill()
            removeFolder(folder)
        }
    }

    @Test("nginx as a target that ends connections after 20 requests", .enabled(if: hasNginx, "nginx is not installed"))
    func nginxAsTarget() throws {
        let file = Data((0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) })
        let nginx = try Nginx(file: file)
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [.init("blue", [.init(port: nginx.port)])]))
        #expect(apus.target(.init(port: nginx.port), becomes: "healthy"))
        let report = LoadGenerator(port: apus.port, clients: 4, requests: 2_000).waitForEnd()
        #expect(report.statuses == [200: 2_000], "\(report.failures.prefix(5))")
        #expect(report.count(of: "nginx\n") == 2_000)
        #expect(try apus.metric("apus_target_connections_reused_total") > 1_000)

        let client = try apus.client()
        #expect(try client.get("/file").body == Array(file))
        #expect(try client.get("/missing").status == 404)
        let part = try client.get("/file", fields: "Range: bytes=10-19\r\n")
        #expect(part.status == 206)
        #expect(part.body == Array(file[10..<20]))
        let etag = try #require(try client.get("/file")["etag"])
        #expect(try client.get("/file", fields: "If-None-Match: \(etag)\r\n").status == 304)
        #expect(try client.exchange("HEAD /file HTTP/1.1\r\nHost: a.b\r\n\r\n")["content-length"] == "1000000")

        // Every idle connection ends 0.2 s after its last request, or at that moment: no GET may notice.
        for _ in 0..<15 {
            #expect(try client.get("/load/paused").status == 200)
            _ = always(for: 0.2) { true }
        }
        expectLogged(by: apus, "/load/0-1 ", status: 200, target: "127.0.0.1:\(nginx.port)", targetStatus: 200)
    }

    @Test("nginx refuses a body as too large before it has it", .enabled(if: hasNginx, "nginx is not installed"))
    func nginxAnswersEarly() throws {
        let nginx = try Nginx(file: Data())
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [.init("blue", [.init(port: nginx.port)])]))
        for _ in 0..<5 {
            let client = try apus.client()
            try client.send("POST /upload HTTP/1.1\r\nHost: a.b\r\nContent-Length: 5000000\r\n\r\n")
            try? client.send([UInt8](repeating: 0x61, count: 5_000_000))
            let answer = try client.response()
            #expect(answer.status == 413)
            // nginx throws the body away as it comes. If all of it was gone before the answer came, the connection is
            // as good as before; else it must end, lest the rest be read as a request.
            if answer["connection"] == "close" {
                #expect(client.ended())
            } else {
                #expect(try client.get("/next").status == 404)
            }
        }
        expectServes(apus)
        expectLogged(by: apus, "/upload", status: 413, targetStatus: 413)
    }
}
