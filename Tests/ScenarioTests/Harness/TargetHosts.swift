import Foundation
import Glibc
import TestRuns
import Testing

/// Hosts of targets, each a network namespace with its own address: 10.9.0.11, 10.9.0.12 and so on. A bridge joins them
/// to the namespace where Apus and its clients run, which has 10.9.0.1.
///
/// The bridge stays up when a host is unplugged, so that Apus's kernel is told nothing: no RST, no ICMP.
///
/// Shape:  namespaces with names of their own, gone when let go with everything that runs in them.
/// Source: ip-netns(8), veth(4).
final class TargetHosts: Sendable {
    /// A folder for what runs there.
    let folder: String
    /// The network namespace of Apus and its clients.
    let namespace: String
    /// The hosts, in the order of their addresses. Their targets run.
    let hosts: [TargetHost]

    /// Whether this process may make network namespaces and bridges.
    static let areAllowed: Bool = {
        guard FileManager.default.isExecutableFile(atPath: Tool.python) else { return false }
        return (try? TargetHosts(count: 1)) != nil
    }()

    /// What serves on a host.
    enum Server: Sendable {
        /// `recording_target`, whose answers take so many seconds.
        case recording(answerSeconds: Double)
        /// nginx that speaks HTTP/2 without TLS, and answers with the host's name.
        case http2
    }

    /// Makes `count` hosts and starts their targets.
    init(count: Int, _ server: Server = .recording(answerSeconds: 0)) throws {
        let name = "\(TestRun.name)-\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
        let folder = try temporaryFolder()
        (self.folder, namespace) = (folder, name)
        hosts = (1...count).map { TargetHost(number: $0, network: name, folder: folder, server: server) }
        // The pair d0, d1 keeps the bridge up when all hosts are unplugged.
        try runShell(
            """
            ip netns add \(name)
            ip -n \(name) link set lo up
            ip -n \(name) link add d0 type veth peer name d1
            ip -n \(name) link add br0 type bridge
            ip -n \(name) link set d0 master br0
            ip -n \(name) addr add 10.9.0.1/24 dev br0
            ip -n \(name) link set d0 up
            ip -n \(name) link set d1 up
            ip -n \(name) link set br0 up
            """, in: folder)
        for host in hosts { try host.powerOn() }
    }

    deinit {
        for host in hosts { host.powerOff() }
        try? runShell("ip netns del \(namespace)", in: folder)
        removeFolder(folder)
    }

    /// Every POST that a target has read completely, in each target's order.
    var processed: [String] { hosts.flatMap(\.processed) }

    /// A command as it runs where Apus and its clients are.
    func words(_ command: [String]) -> [String] { ["ip", "netns", "exec", namespace] + command }
}

/// One host and the target that runs on it.
final class TargetHost: RecordingTarget, Sendable {
    let name: String
    let address: Document.Address
    private let network: String
    private let namespace: String
    private let number: Int
    private let folder: String
    private let server: TargetHosts.Server
    private let child = Locked<ChildProcess?>(nil)

    fileprivate init(number: Int, network: String, folder: String, server: TargetHosts.Server) {
        (self.number, self.network, self.folder, self.server) = (number, network, folder, server)
        name = "target-\(number)"
        namespace = "\(network)-\(number)"
        address = Document.Address(id: "10.9.0.\(10 + number)", port: 8_080)
    }

    var recordPath: String { "\(folder)/\(name).record" }

    // MARK: the target's process

    /// SIGKILL. The kernel goes on and resets connections.
    func kill() throws { child.value?.kill() }

    /// SIGTERM: the target closes its sockets and exits.
    func stop() throws {
        child.value?.signal(SIGTERM)
        _ = child.value?.waitForExit()
    }

    /// SIGSTOP: the kernel accepts and acknowledges, and nothing is answered.
    func freeze() throws { child.value?.signal(SIGSTOP) }
    /// SIGCONT.
    func thaw() throws { child.value?.signal(SIGCONT) }

    /// Starts the target, after `kill` or `stop`.
    func start() throws {
        let words =
            switch server {
            case .recording(let answerSeconds):
                [
                    Tool.python, Tool.script("recording_target"), address.id, "\(address.port)", name, recordPath,
                    "\(answerSeconds)",
                ]
            case .http2: try nginx()
            }
        let started = try ChildProcess(["ip", "netns", "exec", namespace] + words, folder: folder, label: name)
        child.withLock { $0 = started }
    }

    private func nginx() throws -> [String] {
        let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder)/\(name);" }
        let text = """
            daemon off;
            master_process off;
            pid \(folder)/\(name).pid;
            error_log stderr;
            events {}
            http {
                access_log off;
                \(folders.joined(separator: " "))
                server {
                    listen \(address.id):\(address.port) http2;
                    location / { return 200 "\(name)\\n"; }
                }
            }
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).conf"))
        return [Tool.nginx, "-p", folder, "-c", "\(folder)/\(name).conf", "-e", "stderr"]
    }

    // MARK: the host

    /// Takes the interface down: what is sent to the host is lost, and nothing comes from it.
    func unplug() throws { try runShell("ip -n \(namespace) link set e0 down", in: folder) }
    /// Brings the interface up again. The target and its connections are as they were.
    func plug() throws { try runShell("ip -n \(namespace) link set e0 up", in: folder) }

    /// Ends the host silently: it sends no packet any more, and loses all its connections.
    func powerOff() {
        try? unplug()
        try? kill()
        // A namespace goes some time after its deletion; its interface has to be gone now.
        try? runShell("ip -n \(network) link del p\(number)", in: folder)
        try? runShell("ip netns del \(namespace)", in: folder)
    }

    /// Starts a host with the same addresses, and its target. Packets of connections from before are answered with RST.
    func powerOn() throws {
        try runShell(
            """
            ip netns add \(namespace)
            ip -n \(namespace) link set lo up
            ip -n \(namespace) link add e0 type veth peer name p\(number) netns \(network)
            ip -n \(namespace) link set e0 address 02:00:0a:09:00:\(10 + number)
            ip -n \(namespace) addr add \(address.id)/24 dev e0
            ip -n \(network) link set p\(number) master br0
            ip -n \(network) link set p\(number) up
            ip -n \(namespace) link set e0 up
            """, in: folder)
        try start()
    }
}

/// A target, run by `recording_target`, that leaves a record of the POSTs that it has read completely.
protocol RecordingTarget {
    /// Where the record lies, one id a line.
    var recordPath: String { get }
}

extension RecordingTarget {
    /// The POSTs that it has read completely, over all its lives.
    var processed: [String] {
        let text = (try? String(contentsOfFile: recordPath, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }
}

/// Runs lines of shell to their end, which must be good. Docker takes its time on a busy machine.
func runShell(_ lines: String, in folder: String) throws {
    let child = try ChildProcess(["/bin/sh", "-ec", lines], folder: folder, label: UUID().uuidString)
    guard child.waitForExit(within: 120) == .exited(0) else {
        throw ShellFailure(lines: lines, errors: child.standardError)
    }
}

/// A command failed.
struct ShellFailure: Error, CustomStringConvertible {
    /// What was run.
    let lines: String
    /// What was written to standard error.
    let errors: String
    var description: String { "\(errors)of:\n\(lines)" }
}
