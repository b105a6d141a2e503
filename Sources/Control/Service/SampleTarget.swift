import Core
import Model

/// A target of the demo: a process of its own that answers with its name, `apus demo-target`.
///
/// Shape: a trivial value; the demo ends it, once. It also ends with the process that started it.
public struct SampleTarget {
    /// The target group it is in.
    public let group: String
    /// Where it listens, as in `127.0.0.1:8081`.
    public var target: String { "\(key)" }
    /// The number of its process.
    public var processID: Int32 { process.id }
    private let key: TargetKey
    private let process: ChildProcess
    private var hasEnded = false

    /// Starts one, and waits until it listens.
    ///
    /// Errors: `StartError`, as when its port is taken; then nothing runs.
    private init(_ key: TargetKey, in group: String) throws(StartError) {
        let arguments = [
            "demo-target", "--name", group, "--address", key.id, "--port", "\(key.port)",
            "--parent", "\(SystemProcess.id)",
        ]
        do throws(SystemError) {
            process = try ChildProcess.startSelf(arguments)
        } catch {
            throw .refused(message: "The sample target \(key) cannot be started: \(error).", remedy: "Try again.")
        }
        self.group = group
        self.key = key
        if process.awaitOutput() { return }
        end()
        throw .refused(
            message: "The sample target \(key) cannot listen.",
            remedy: "End what uses port \(key.port), or give the demo a file with other ports.")
    }

    /// Starts one for each registered address of this machine in `document`, one after the other, so that of two demos
    /// that want the same ports one has them all.
    ///
    /// Errors: `StartError`; then none runs.
    static func start(for document: Document) throws(StartError) -> [SampleTarget] {
        var started: [SampleTarget] = []
        do throws(StartError) {
            for group in document.targetGroups where group.targetType == .ip {
                for target in group.targets where target.id == "127.0.0.1" || target.id == "::1" {
                    let key = group.key(of: target)
                    guard !started.contains(where: { $0.key == key }) else { continue }
                    started.append(try SampleTarget(key, in: group.name))
                }
            }
        } catch {
            for sample in started { sample.end() }
            throw error
        }
        return started
    }

    /// Whether it has ended since this was last asked.
    mutating func reap() -> Bool {
        guard !hasEnded, process.reap() else { return false }
        hasEnded = true
        return true
    }

    /// Ends it, unless it has ended.
    func end() {
        if !hasEnded { process.kill() }
        process.wait()
    }
}
