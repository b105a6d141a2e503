import Glibc

/// A target in a process of its own, which can be killed, frozen and started again: `apus demo-target`.
///
/// It answers every request with 200 and its name and port on one line.
final class DemoTarget: Sendable {
    /// What it answers with.
    let name: String
    /// Where it listens.
    let port: UInt16
    private let child: Locked<ChildProcess>
    private let folder: String

    /// Starts it and waits until it listens.
    init(_ name: String) throws {
        self.name = name
        port = try PortAllocator.port()
        folder = try temporaryFolder()
        do {
            child = Locked(try Self.launch(name, port: port, folder: folder))
        } catch {
            removeFolder(folder)
            throw error
        }
    }

    deinit {
        kill()
        removeFolder(folder)
    }

    /// How it is registered.
    var address: Document.Address { .init(port: port) }
    /// What it answers every request with.
    var answer: String { "\(name) \(port)\n" }

    /// SIGKILL.
    func kill() { child.value.kill() }
    /// SIGSTOP: connections are accepted by the kernel, and nothing is answered.
    func freeze() { child.value.signal(SIGSTOP) }
    /// SIGCONT.
    func thaw() { child.value.signal(SIGCONT) }

    /// Starts it again on the same port, after `kill`.
    func restart() throws {
        let started = try Self.launch(name, port: port, folder: folder)
        child.withLock { $0 = started }
    }

    private static func launch(_ name: String, port: UInt16, folder: String) throws -> ChildProcess {
        let child = try ChildProcess(
            [ApusProcess.binary, "demo-target", "--port", "\(port)", "--name", name], folder: folder, label: name)
        guard eventually(within: 10, { (try? Socket.connected(port: port)) != nil }) else {
            throw ApusFailure(status: child.exitStatus, errors: child.standardError)
        }
        return child
    }
}
