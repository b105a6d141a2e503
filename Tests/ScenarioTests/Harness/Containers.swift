import Foundation
import Glibc
import TestRuns
import Testing

/// Containers with targets in them, run by a Docker daemon of their own, in namespaces for network, mounts and
/// processes: its bridges, rules, mounts and containers end with it. Apus and its clients run in its network namespace.
///
/// The image is empty: containers see the host's `/usr`, and in it Python. No registry is asked.
///
/// Shape:  gone when let go, or killed.
/// Source: dockerd(8), docker-network-connect(1), unshare(1).
final class Containers: Sendable {
    /// A folder for what runs there.
    let folder: String
    /// The network namespace of the daemon, Apus and its clients.
    let namespace: String
    /// The containers, in the order of their addresses: 172.31.254.11 and so on. Their targets run.
    let hosts: [Container]
    private let daemon: ChildProcess

    /// Whether a Docker daemon can run here; if not, the reason is printed.
    static let areAllowed: Bool = {
        do {
            _ = try Containers(count: 1)
            return true
        } catch {
            print("no containers here: \(error)")
            return false
        }
    }()

    /// Starts a daemon and `count` containers. `answerSeconds` is how long each answer takes, `lingerSeconds` for how
    /// long a target that was told to stop goes on with the connections it has; `options` are more of docker run's.
    init(count: Int, answerSeconds: Double = 0, lingerSeconds: Double = 0, options: String = "") throws {
        let name = "\(TestRun.name)-\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
        let folder = try temporaryFolder()
        (self.folder, namespace) = (folder, name)
        hosts = (0..<count).map { Container(number: $0 + 1, folder: folder) }
        daemon = try Self.startDaemon(name, folder: folder)
        let isReady = eventually(within: 20) {
            daemon.exitStatus != nil || (try? Self.docker("info", folder: folder)) != nil
        }
        guard isReady, daemon.exitStatus == nil else {
            throw ShellFailure(lines: "dockerd", errors: String(daemon.standardError.suffix(500)))
        }
        try Self.importImage(folder)
        try Self.docker("network create --subnet 172.31.254.0/24 targets", folder: folder)
        for host in hosts {
            try host.run(
                answerSeconds: answerSeconds, lingerSeconds: lingerSeconds,
                options: "--ip \(host.address.id) \(options)")
        }
    }

    /// The daemon's socket.
    var socket: String { "\(folder)/docker.sock" }

    /// Runs one more container, with the address that `options` give it; the caller removes it.
    func run(_ number: Int, options: String) throws -> Container {
        let container = Container(number: number, folder: folder)
        try container.run(answerSeconds: 0, lingerSeconds: 0, options: options)
        return container
    }

    deinit {
        // A container's control groups are removed with it.
        let docker = "/usr/bin/docker -H unix://\(folder)/docker.sock"
        try? runShell("\(docker) ps --all --quiet | xargs --no-run-if-empty \(docker) rm -f", in: folder)
        daemon.kill()
        try? runShell(
            """
            ip netns del \(namespace)
            find /sys/fs/cgroup -depth -type d -path '*/\(namespace)*' -exec rmdir {} +
            """, in: folder)
        removeFolder(folder)
    }

    /// Runs a command of docker's to its end, which must be good, and returns what it prints.
    @discardableResult
    func docker(_ words: String..., within seconds: Double = 120) throws -> String {
        let command = ["/usr/bin/docker", "-H", "unix://\(socket)"] + words
        let child = try ChildProcess(command, folder: folder, label: UUID().uuidString)
        guard child.waitForExit(within: seconds) == .exited(0) else {
            throw ShellFailure(lines: command.joined(separator: " "), errors: child.standardError)
        }
        return child.standardOutput
    }

    /// Asks over HTTP from the namespace of the daemon: curl with words that a shell reads. Returns what it prints,
    /// errors too.
    func curl(_ words: String) throws -> String {
        try Tool.run(
            ["ip", "netns", "exec", namespace, "/bin/sh", "-c", "curl -q -sS --noproxy '*' --max-time 30 \(words)"],
            in: folder, expectsSuccess: false)
    }

    /// Runs a command of docker's to its end, which must be good.
    fileprivate static func docker(_ command: String, folder: String) throws {
        try runShell("/usr/bin/docker -H unix://\(folder)/docker.sock \(command)", in: folder)
    }

    /// The daemon is process 1 of a namespace, so that its end is the end of all that it started.
    private static func startDaemon(_ name: String, folder: String) throws -> ChildProcess {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/docker") else {
            throw ShellFailure(lines: "docker", errors: "docker is not installed ")
        }
        try runShell("ip netns add \(name); ip -n \(name) link set lo up; mkdir data exec", in: folder)
        let words = [
            "nsenter", "--net=/run/netns/\(name)", "unshare", "--mount", "--propagation", "private", "--pid", "--fork",
            "--kill-child", "--mount-proc", "/bin/sh", "-c", "mount -t tmpfs none /run; exec \"$@\"", "sh", "dockerd",
            "--storage-driver=overlay2", "--bip=172.31.255.1/24", "--data-root=\(folder)/data",
            "--exec-root=\(folder)/exec", "--host=unix://\(folder)/docker.sock", "--pidfile=\(folder)/docker.pid",
            "--exec-opt=native.cgroupdriver=cgroupfs", "--cgroup-parent=/\(name)",
        ]
        return try ChildProcess(words, folder: folder, label: "dockerd")
    }

    private static func importImage(_ folder: String) throws {
        try runShell(
            """
            mkdir -p image/usr image/etc image/proc image/sys image/dev image/tmp
            for name in bin lib lib64; do ln -s usr/$name image/$name; done
            tar -C image -c . | /usr/bin/docker -H unix://\(folder)/docker.sock import - target
            """, in: folder)
    }

    /// Removes a container that `run` has started.
    func remove(_ number: Int) throws { try Container(number: number, folder: folder).remove() }

    /// Every POST that a target has read completely, in each target's order.
    var processed: [String] { hosts.flatMap(\.processed) }
}

/// One container and the target in it.
final class Container: RecordingTarget, Sendable {
    let name: String
    let address: Document.Address
    private let folder: String

    fileprivate init(number: Int, folder: String) {
        self.folder = folder
        name = "target-\(number)"
        address = Document.Address(id: "172.31.254.\(10 + number)", port: 8_080)
    }

    var recordPath: String { "\(folder)/\(name).record" }

    fileprivate func run(answerSeconds: Double, lingerSeconds: Double, options: String) throws {
        let scripts = (Tool.script("recording_target") as NSString).deletingLastPathComponent
        try docker(
            """
            run -d --name \(name) --network targets \(options) -v /usr:/usr:ro -v \(scripts):/scripts:ro \
            -v \(folder):/records target \(Tool.python) /scripts/recording_target.py 0.0.0.0 \(address.port) \(name) \
            /records/\(name).record \(answerSeconds) \(lingerSeconds)
            """)
    }

    /// Sends a signal.
    func signal(_ name: String) throws { try docker("kill -s \(name) \(self.name)") }
    /// Removes it, running or not.
    func remove() throws { try docker("rm -f \(name)") }

    /// SIGKILL. The container's address goes as well.
    func kill() throws { try docker("kill \(name)") }
    /// SIGTERM: the target closes its sockets and exits, and the container's address goes.
    func stop() throws { try docker("stop -t 5 \(name)") }
    /// Starts it again after `kill` or `stop`, with the same address.
    func start() throws { try docker("start \(name)") }
    /// SIGTERM, and a start.
    func restart() throws { try docker("restart -t 5 \(name)") }
    /// Freezes its processes: the kernel accepts and acknowledges, and nothing is answered.
    func pause() throws { try docker("pause \(name)") }
    func unpause() throws { try docker("unpause \(name)") }
    /// Disconnects its interface: packets to it are lost.
    func disconnect() throws { try docker("network disconnect targets \(name)") }
    /// Gives it an interface with the same address.
    func connect() throws { try docker("network connect --ip \(address.id) targets \(name)") }

    private func docker(_ command: String) throws { try Containers.docker(command, folder: folder) }
}
