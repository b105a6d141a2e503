import Foundation
import Glibc
import TestCertificates
import Testing

/// `apus proxy`: a load balancer without a file.
@Suite struct ProxyCommandTests {
    private let folder: String

    init() throws {
        folder = try temporaryFolder()
        try FileManager.default.createDirectory(atPath: "\(folder)/tmp", withIntermediateDirectories: false)
    }

    /// A proxy that serves: what it printed is known.
    private struct Proxy {
        let process: ChildProcess
        let port: UInt16

        /// Its admin socket, as it tells it; nil until it does.
        var socket: String? {
            let lines = process.standardOutput.split(separator: "\n")
            return lines.lazy.compactMap { $0.split(separator: "APUS_SOCKET=", maxSplits: 1).dropFirst().first }
                .first.map(String.init)
        }

        func client() throws -> RawClient { try RawClient(port: port) }
    }

    private func start(_ words: String...) throws -> Proxy {
        let port = try PortAllocator.port()
        let process = try ChildProcess(
            [ApusProcess.binary, "proxy", "--listen", "127.0.0.1:\(port)"] + words,
            environment: ["TMPDIR": "\(folder)/tmp"], folder: folder, label: "proxy-\(port)")
        let proxy = Proxy(process: process, port: port)
        let serves = eventually {
            process.exitStatus != nil
                || proxy.socket.map { (try? AdminClient(path: $0).ask("GET", "/v1/status"))?.status == 200 } == true
        }
        #expect(serves && process.exitStatus == nil, "\(process.standardOutput)\(process.standardError)")
        return proxy
    }

    private var left: [String] { (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/tmp")) ?? ["?"] }

    private func run(_ words: [String]) throws -> ApusProcess.CommandResult {
        try ApusProcess.command(words, socket: "\(folder)/nobody.sock", folder: folder)
    }

    @Test("It balances, answers at its socket, and leaves nothing behind", arguments: [SIGTERM, SIGINT])
    func serves(signal: Int32) throws {
        defer { removeFolder(folder) }
        let targets = try [TargetServer("one"), TargetServer("two")]
        let proxy = try start(
            "--to", targets[0].address.text, "--to", "\(targets[1].address.text)=3", "--health", "/health")
        let socket = try #require(proxy.socket)
        #expect(left.count == 1 && socket.hasPrefix("\(folder)/tmp/apus-proxy-"))
        let checked = eventually { targets.allSatisfy { $0.healthChecksCount > 0 } }
        #expect(checked)
        let client = try proxy.client()
        for request in 0..<40 { #expect(try client.get("/\(request)").status == 200) }
        #expect(targets.map(\.requests.count) == [10, 30], "by weight")
        #expect(try ApusProcess.command(["status"], socket: socket, folder: folder).status == .exited(0))
        // A change at run time has a place to be kept in.
        let words = ["targets", "deregister", "targets", targets[0].address.text, "--wait"]
        #expect(try ApusProcess.command(words, socket: socket, folder: folder).status == .exited(0))
        #expect(try proxy.client().get("/after").text == "two\n")
        let reload = try ApusProcess.command(["reload"], socket: socket, folder: folder)
        #expect(reload.status == .exited(0), "\(reload.errors)")
        proxy.process.signal(signal)
        #expect(proxy.process.waitForExit() == .exited(0))
        #expect(left == [])
    }

    @Test("The configuration that it prints is the one that it serves")
    func printsWhatItServes() throws {
        defer { removeFolder(folder) }
        let target = try TargetServer("one")
        let proxy = try start("--to", "http://\(target.address.text)")
        // The access log follows the configuration.
        let printed = proxy.process.standardOutput
        try printed.write(toFile: "\(folder)/printed.yaml", atomically: true, encoding: .utf8)
        let check = try run(["check", "\(folder)/printed.yaml", "--file-only"])
        #expect(check.status == .exited(0), "\(check.errors)\(printed)")
        let socket = try #require(proxy.socket)
        let differs = try AdminClient(path: socket).ask("POST", "/v1/check?file=a&folder=/", text: printed)
        #expect(differs.status == 200, "\(differs.text)")
        #expect(try proxy.client().get("/").text == "one\n")
    }

    @Test("A target that dies is taken out, without a --health too")
    func targetDies() throws {
        defer { removeFolder(folder) }
        let targets = try [TargetServer("one", script: TargetScript.answer(body: "one\n")), TargetServer("two")]
        targets[1].healthStatus.withLock { $0 = 404 }
        let proxy = try start("--to", targets[0].address.text, "--to", targets[1].address.text)
        let socket = try #require(proxy.socket)
        func states() -> [String] {
            let answer = try? AdminClient(path: socket).ask("GET", "/v1/target-groups/targets/targets")
            let targets = answer?.json["targetHealthDescriptions"].elements ?? []
            return targets.map { $0["targetHealth"]["state"].string ?? "?" }
        }
        // 404 at / is an answer of an application that works.
        let areHealthy = eventually { states() == ["healthy", "healthy"] }
        #expect(areHealthy, "\(states())")
        targets[1].stop()
        let client = try proxy.client()
        for _ in 0..<10 { #expect(try client.get("/").text == "one\n") }
        let isTakenOut = eventually(within: 30) { states().sorted() == ["healthy", "unhealthy"] }
        #expect(isTakenOut, "\(states())")
    }

    @Test("With --tls it speaks TLS, with --tcp it passes bytes on")
    func otherProtocols() throws {
        defer { removeFolder(folder) }
        let authority = TestAuthority()
        let pair = authority.issue(["localhost"])
        let target = try TargetServer("one")
        let secure = try start("--to", target.address.text, "--tls", pair.certificatePath, pair.privateKeyPath)
        let curl = try ChildProcess(
            ["curl", "-s", "--cacert", authority.own.certificatePath, "https://localhost:\(secure.port)/"],
            folder: folder, label: "curl")
        #expect(curl.waitForExit() == .exited(0), "\(curl.standardError)")
        #expect(curl.standardOutput == "one\n")
        secure.process.signal(SIGTERM)
        #expect(secure.process.waitForExit() == .exited(0))

        let echo = try StreamTarget()
        let passing = try start("--tcp", "--to", echo.address.text)
        let client = try passing.client()
        try client.send("bytes as they are")
        #expect(client.text() == "bytes as they are")
        client.socket.close()
        passing.process.signal(SIGTERM)
        #expect(passing.process.waitForExit() == .exited(0))
        #expect(left == [])
    }

    @Test("--print alone prints a file that check takes, and run serves")
    func printsAFile() throws {
        defer { removeFolder(folder) }
        let port = try PortAllocator.port()
        let words = [
            ["--to", "10.0.0.1:80"], ["--to", "https://[::1]:443=0", "--to", "https://10.0.0.1:443", "--health", "/h"],
            ["--to", "10.0.0.1:80", "--tcp"], ["--to", "10.0.0.1:80", "--tcp", "--health", "/h"],
        ]
        for words in words {
            let printed = try run(["proxy", "--print", "--listen", "\(port)"] + words)
            #expect(printed.status == .exited(0) && printed.errors.isEmpty, "\(printed.errors)")
            #expect(printed.output.hasPrefix("# One listener in front of one target group."))
            try printed.output.write(toFile: "\(folder)/apus.yaml", atomically: true, encoding: .utf8)
            let check = try run(["check", "\(folder)/apus.yaml"])
            #expect(check.status == .exited(0), "\(check.errors)")
        }
        #expect(left == [])
    }

    @Test("What cannot be served is refused, and nothing is left behind")
    func refusals() throws {
        defer { removeFolder(folder) }
        let taken = try Socket.listening()
        let port = try taken.localPort()
        let inUse = try ChildProcess(
            [ApusProcess.binary, "proxy", "--listen", "127.0.0.1:\(port)", "--to", "127.0.0.1:1"],
            environment: ["TMPDIR": "\(folder)/tmp"], folder: folder, label: "taken")
        #expect(inUse.waitForExit() == .exited(1))
        let last = inUse.standardError.split(separator: "\n").last ?? ""
        #expect(last.hasPrefix("apus: ") && last.contains("\(port)") && last.contains("in use"), "\(last)")
        #expect(!inUse.standardError.contains("apus.yaml"), "nobody has seen that file")
        #expect(inUse.standardOutput.isEmpty && left == [])
        let missing = try run(["proxy", "--listen", "1", "--to", "1.2.3.4:1", "--tls", "\(folder)/no.pem", "--print"])
        #expect(missing.status == .exited(0), "a file for another host may name what is there")
    }

    static let usage: [([String], String)] = [
        (["--to", "127.0.0.1:80"], "Missing expected argument '--listen"),
        (["--listen", "80"], "Missing expected argument '--to"),
        (["--listen", "web:80", "--to", "127.0.0.1:80"], "Write a port, or an address of this host and a port"),
        (["--listen", "80", "--to", "web.internal:80"], "web.internal is a name: find its address"),
        (["--listen", "80", "--to", "127.0.0.1"], "Write an address and a port, as in 127.0.0.1:3000"),
        (["--listen", "80", "--to", "127.0.0.1:80", "--health", "health"], "--health is a path, as in /health."),
        (["--listen", "80", "--to", "127.0.0.1:80", "--tls", "a", "b", "c"], "--tls takes a certificate and its key"),
        (["--listen", "80", "--to", "http://127.0.0.1:80", "--tcp"], "With --tcp bytes are passed on as they are"),
    ]

    @Test("Wrong usage ends with 2, and says what to write", arguments: usage)
    func wrongUsage(words: [String], message: String) throws {
        defer { removeFolder(folder) }
        let result = try run(["proxy"] + words)
        #expect(result.status == .exited(2))
        #expect(result.errors.contains(message), "\(result.errors)")
        #expect(result.output.isEmpty)
    }
}
