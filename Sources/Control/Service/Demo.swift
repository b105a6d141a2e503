import Core
import Foundation
import Model
import Telemetry

/// Makes the texts of the demo.
public protocol DemoNarrator {
    /// What is said first: which sample targets run, and what to try.
    func introduction(_ demo: Demo) -> String
    /// The text for an event, which is given as a line of JSON of the admin socket; nil for one that is not shown.
    func sentence(_ event: String) -> String?
}

/// `apus demo`: sample targets in processes of their own, and the load balancer in front of them in this one.
///
/// Shape:  runs on the main thread until Ctrl-C. The children end with this process, however it ends.
/// Limits: everything it leaves on disk meanwhile is in `folder`, unless the file says otherwise.
public final class Demo: ChildObserver {
    /// What the demo's own file puts here is removed before and after.
    private static let folder = "/tmp/apus-demo"

    /// A sample target.
    public struct Sample {
        /// The target group it is in.
        public let group: String
        /// Where it listens, as in `127.0.0.1:8081`.
        public var target: String { "\(key)" }
        /// The number of its process.
        public var processID: Int32 { process.id }
        fileprivate let key: TargetKey
        fileprivate let process: ChildProcess
        fileprivate var hasEnded = false
    }

    /// What the demo serves.
    public let document: Document
    /// One for each registered address of this machine.
    public private(set) var samples: [Sample] = []
    /// What the demo tells, on the standard output.
    private let story = SharedLog(.standardOutput, name: "demo-story")

    private init(document: Document) { self.document = document }

    /// Serves what `file` says, with a sample target for each registered loopback address. Returns the exit status.
    /// Errors: `StartError`; nothing is left behind then.
    public static func run(file: String, narrator: some DemoNarrator) throws(StartError) -> Int32 {
        let demo = Demo(document: try load(file))
        let socket = demo.document.admin.socket
        guard UnixPath.occupant(of: socket) != .liveSocket else {
            throw .refused(
                message: "Another apus answers at \(socket), perhaps a demo in another terminal.",
                remedy: "Stop it first.")
        }
        try? FileManager.default.removeItem(atPath: folder)
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer {
            demo.endSamples()
            try? FileManager.default.removeItem(atPath: folder)
        }
        // Blocks the signals first, so that one which comes now is taken when the loop runs.
        let signals = Signals()
        signals.blockTermination()
        defer {
            demo.story.stop()
            Log.lines.stop()
        }
        try demo.startSamples()
        let service = try Service(file: file, discardingChanges: false, logger: Log.logger)
        service.childObserver = demo
        let subscription = service.events.subscribe { record in
            if let line = narrator.sentence(record.value.json()) { demo.story.write(line) }
        }
        defer { service.events.unsubscribe(subscription) }
        demo.story.write(narrator.introduction(demo))
        demo.story.start()
        return service.run(signals)
    }

    private static func load(_ file: String) throws(StartError) -> Document {
        do throws(ConfigErrors) {
            return try Document.read(file)
        } catch {
            throw .configuration(error)
        }
    }

    /// Starts a sample target for each registered address of this machine, and waits until all listen.
    private func startSamples() throws(StartError) {
        for group in document.targetGroups where group.targetType == .ip {
            for target in group.targets where target.id == "127.0.0.1" || target.id == "::1" {
                let key = group.key(of: target)
                guard !samples.contains(where: { $0.key == key }) else { continue }
                try start(key, in: group.name)
            }
        }
        for sample in samples where !sample.process.awaitOutput() {
            throw .refused(
                message: "The sample target \(sample.target) cannot listen.",
                remedy: "End what uses port \(sample.key.port), or give the demo a file with other ports.")
        }
    }

    private func start(_ target: TargetKey, in group: String) throws(StartError) {
        let arguments = [
            "demo-target", "--name", group, "--address", target.id, "--port", "\(target.port)",
            "--parent", "\(SystemProcess.id)",
        ]
        do throws(SystemError) {
            let process = try ChildProcess.startSelf(arguments)
            samples.append(Sample(group: group, key: target, process: process))
        } catch {
            throw .refused(message: "The sample target \(target) cannot be started: \(error).", remedy: "Try again.")
        }
    }

    /// Says which sample targets have ended. They are not started again: the demo shows what health checks make of it.
    func childEnded() {
        for index in samples.indices where !samples[index].hasEnded && samples[index].process.reap() {
            samples[index].hasEnded = true
            let sample = samples[index]
            story.write(
                "\(utcText(nanoseconds: WallClock.now()))  sample target \(sample.target) of \(sample.group) has ended "
                    + "(process \(sample.process.id))\n")
        }
    }

    private func endSamples() {
        for sample in samples where !sample.hasEnded { sample.process.kill() }
        for sample in samples { sample.process.wait() }
    }
}
