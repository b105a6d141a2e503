import Foundation
import TestCertificates
import Testing

/// Third-party programs, run to their end or during a scenario.
enum Tool {
    /// Where the Python that the system's packages belong to is.
    static let python = "/usr/bin/python3"
    /// Where nginx is.
    static let nginx = "/usr/sbin/nginx"

    /// A script of `Clients`.
    static func script(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Clients/\(name).py").path
    }

    /// Runs a program, which must succeed, and returns its standard output.
    static func run(
        _ arguments: [String], in folder: String, within seconds: Double = 60, expectsSuccess: Bool = true,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let child = try ChildProcess(arguments, folder: folder, label: UUID().uuidString)
        let status = child.waitForExit(within: seconds)
        if expectsSuccess {
            #expect(
                status == .exited(0), "\(arguments): \(child.standardError.suffix(2000))",
                sourceLocation: sourceLocation)
        }
        return child.standardOutput + (expectsSuccess ? "" : child.standardError)
    }

    /// The processes that the main thread of another has started and that have not been reaped.
    static func children(of id: pid_t) -> [pid_t] {
        let text = (try? String(contentsOfFile: "/proc/\(id)/task/\(id)/children", encoding: .utf8)) ?? ""
        return text.split(separator: " ").compactMap { pid_t($0) }
    }

    /// How many descriptors a process has open on a path.
    static func descriptors(of id: pid_t, on path: String) -> Int {
        let folder = "/proc/\(id)/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.count { (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")) == path }
    }

    /// curl with a listener's certificate trusted, or none.
    static func curl(_ apus: ApusProcess, _ arguments: String..., roots: String? = nil) throws -> String {
        let trust = roots.map { ["--cacert", $0] } ?? []
        return try run(
            ["curl", "-q", "-sS", "--noproxy", "*", "--max-time", "30"] + trust + arguments, in: apus.folder)
    }
}

/// A program that runs beside a scenario, and takes connections on a port.
final class PortServer: Sendable {
    let port: UInt16
    let folder: String
    private let child: ChildProcess
    private let ending: Int32

    /// Starts what `arguments` says for a port and a folder, and waits until it listens. In a network `namespace` that
    /// is not ours, nobody can see when it does: health checks will. `ending` is the signal that ends it.
    init(
        label: String, in namespace: String? = nil, ending: Int32 = SIGKILL,
        _ arguments: (UInt16, String) throws -> [String]
    ) throws {
        self.ending = ending
        port = try PortAllocator.port()
        folder = try temporaryFolder()
        let prefix = namespace.map { ["ip", "netns", "exec", $0] } ?? []
        child = try ChildProcess(prefix + (try arguments(port, folder)), folder: folder, label: label)
        if namespace != nil { return }
        guard eventually(within: 20, { (try? Socket.connected(port: port)) != nil }) else {
            throw ApusFailure(status: child.exitStatus, errors: child.standardError)
        }
    }

    deinit {
        child.signal(ending)
        _ = child.waitForExit(within: 5)
        child.kill()
        removeFolder(folder)
    }

    /// What it wrote on its standard output.
    var output: String { child.standardOutput }

    /// As a target.
    var address: Document.Address { Document.Address(port: port) }

    /// A script of `Clients` with the port and more as its arguments.
    static func python(
        _ name: String, _ arguments: String..., in namespace: String? = nil
    ) throws -> PortServer {
        try PortServer(label: name, in: namespace) { port, _ in [Tool.python, Tool.script(name), "\(port)"] + arguments
        }
    }

    /// nginx over HTTP/1.1 or HTTP/2, with TLS or without, serving `large` (10 MB) and taking uploads. `directives` are
    /// more of its server's.
    static func nginx(isHTTP2: Bool, pair: TestAuthority.Pair?, directives: String = "") throws -> PortServer {
        try PortServer(label: "nginx") { port, folder in
            try Data(count: 10_000_000).write(to: URL(fileURLWithPath: "\(folder)/large"))
            let tls = pair.map { "ssl_certificate \($0.certificatePath); ssl_certificate_key \($0.privateKeyPath);" }
            let text = """
                daemon off;
                master_process off;
                pid \(folder)/nginx.pid;
                error_log stderr;
                events {}
                http {
                    access_log off;
                    client_body_temp_path \(folder)/body;
                    client_max_body_size 50m;
                    proxy_temp_path \(folder);
                    fastcgi_temp_path \(folder);
                    uwsgi_temp_path \(folder);
                    scgi_temp_path \(folder);
                    server {
                        listen 127.0.0.1:\(port)\(pair == nil ? "" : " ssl")\(isHTTP2 ? " http2" : "");
                        \(tls ?? "")
                        \(directives)
                        root \(folder);
                        location / { return 200 "small\\n"; }
                        location /large { try_files /large =404; }
                        location /put/ { dav_methods PUT; create_full_put_path on; }
                        location /early { client_max_body_size 1k; return 200 "early\\n"; }
                        location /slow { limit_rate 20k; try_files /large =404; }
                        location /gone { return 444; }
                    }
                }
                """
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/nginx.conf"))
            return [Tool.nginx, "-p", folder, "-c", "\(folder)/nginx.conf", "-e", "stderr"]
        }
    }
}
