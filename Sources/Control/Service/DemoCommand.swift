import Core
import Foundation
import Model
import Telemetry

/// `apus demo`: sample targets in processes of their own, and the load balancer in front of them in this one.
///
/// Shape:  runs on the main thread until Ctrl-C. The children end with this process, however it ends.
/// Limits: everything it leaves on disk meanwhile is in `folder`, unless the file says otherwise.
public final class DemoCommand {
    /// What the demo's own file puts here is removed before and after.
    private static let folder = "/tmp/apus-demo"

    private struct Sample {
        let group: String
        let target: TargetName
        let process: ChildProcess
        var hasEnded = false
    }

    private let document: Document
    /// What the demo tells, on the standard output.
    private let story = SharedLog(.standardOutput, name: "demo-story")
    private var samples: [Sample] = []

    private init(document: Document) { self.document = document }

    /// Serves what `file` says, with a sample target for each registered loopback address. `program` is how this
    /// program was called. Returns the exit status. Errors: `StartError`; nothing is left behind then.
    public static func run(file: String, program: String) throws(StartError) -> Int32 {
        let demo = DemoCommand(document: try load(file))
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
        service.childEnded = { demo.noticeEnds() }
        let subscription = service.operations.events.subscribe { record in
            if let line = EventView.sentence(record.value.json()) { demo.story.write(line) }
        }
        defer { service.operations.events.unsubscribe(subscription) }
        demo.story.write(demo.introduction(program: program))
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
                let name = TargetName(id: target.id, port: group.effectivePort(of: target))
                guard !samples.contains(where: { $0.target == name }) else { continue }
                try start(name, in: group.name)
            }
        }
        for sample in samples where !sample.process.awaitOutput() {
            throw .refused(
                message: "The sample target \(sample.target) cannot listen.",
                remedy: "End what uses port \(sample.target.port ?? 0), or give the demo a file with other ports.")
        }
    }

    private func start(_ target: TargetName, in group: String) throws(StartError) {
        let arguments = [
            "demo-target", "--name", group, "--address", target.id, "--port", "\(target.port ?? 0)",
            "--parent", "\(SystemProcess.id)",
        ]
        do throws(SystemError) {
            let process = try ChildProcess.startSelf(arguments)
            samples.append(Sample(group: group, target: target, process: process))
        } catch {
            throw .refused(message: "The sample target \(target) cannot be started: \(error).", remedy: "Try again.")
        }
    }

    /// Says which sample targets have ended. They are not started again: the demo shows what health checks make of it.
    private func noticeEnds() {
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

    /// What is running, and what to try.
    private func introduction(program: String) -> String {
        var table = TextTable(("sample target", .left), ("group", .left), ("process", .right))
        for sample in samples {
            table.add(TextTable.Cell("\(sample.target)"), TextTable.Cell(sample.group), "\(sample.process.id)")
        }
        var text = "Apus balances \(counted(samples.count, "sample target")):\n\n"
        text += table.text(coloured: Console.isColoured, otherwise: "None: the file has no target at 127.0.0.1 or ::1.")
        text += "\nTry, in another terminal:\n\n"
        let suggestions = suggestions(program: program)
        let width = suggestions.map(\.0.count).max() ?? 0
        for (command, meaning) in suggestions {
            text += "  \(command)" + String(repeating: " ", count: width - command.count + 2) + "\(meaning)\n"
        }
        return text + "\nCtrl-C ends all of it and leaves nothing behind. What happens:\n\n"
    }

    private func suggestions(program: String) -> [(String, String)] {
        var list = [("export APUS_SOCKET=\(document.admin.socket)", "where the commands find this apus")]
        if let balancer = document.loadBalancers.first, let listener = balancer.listeners.first {
            list.append(("curl localhost:\(listener.port)", "which group answers goes by weight"))
            if case .forward(let forward)? = listener.defaultActions.first, forward.targetGroups.count > 1 {
                let weights = forward.targetGroups.map { "\($0.targetGroupName)=50" }.joined(separator: " ")
                list.append(
                    ("\(program) weights \(balancer.name):\(listener.port) \(weights)", "equal shares, at once"))
            }
        }
        list.append(("\(program) status", "workers, connections, requests"))
        if let sample = samples.last {
            let words = "\(sample.group) \(sample.target)"
            list.append(("\(program) targets list \(sample.group)", "the health of its targets"))
            list.append(("\(program) targets deregister \(words) --wait", "returns once it is safe to stop"))
            list.append(("\(program) targets register \(words)", "and back again"))
        }
        if let sample = samples.first {
            list.append(("kill \(sample.process.id)", "health checks notice, no request fails"))
        }
        return list
    }
}
