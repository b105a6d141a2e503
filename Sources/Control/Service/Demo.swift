import Core
import Model
import Telemetry

/// Told of the ends of child processes.
protocol ChildObserver: AnyObject {
    /// A child process has ended.
    func childEnded()
}

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
/// Limits: without a file of the user's, at most `Limits.demosMax` at once; all that one leaves on disk meanwhile is in
///         a folder that is removed at the end.
public final class Demo: ChildObserver {
    /// What the demo serves.
    public let document: Document
    /// One for each registered address of this machine.
    public private(set) var samples: [SampleTarget]
    /// Whether nothing of it is left on disk when it has ended. With a file of the user's, that says what is.
    public var isRemoved: Bool { folder != nil }
    private let file: String
    private let folder: ScratchFolder?
    /// What the demo tells, on the standard output.
    private let story = SharedLog(.standardOutput, name: "demo-story")

    /// A demo of a file of the user's.
    private init(file: String) throws(StartError) {
        self.file = file
        do throws(ConfigErrors) { document = try Document.read(file) } catch { throw .configuration(error) }
        let socket = document.admin.socket
        guard UnixPath.occupant(of: socket) != .liveSocket else {
            throw .refused(
                message: "Another apus answers at \(socket), perhaps a demo in another terminal.",
                remedy: "Stop it first.")
        }
        let started = try SampleTarget.start(for: document)
        do throws(StartError) {
            // An edited conf/quickstart.yaml keeps its files where the demo's own does; or it may lie there itself.
            let first = DemoConfiguration.first
            let isOurs = socket == first.socket && !ScratchFolder.contains(file, in: first.folder)
            folder = isOurs ? try ScratchFolder(at: first.folder) : nil
        } catch {
            for sample in started { sample.end() }
            throw error
        }
        samples = started
    }

    /// A demo of its own. Whoever gets the ports of its targets has its folder as well.
    private init(_ configuration: DemoConfiguration) throws(StartError) {
        do throws(ConfigErrors) {
            document = try Document.load(yaml: configuration.text, file: "")
        } catch {
            throw .configuration(error)
        }
        let started = try SampleTarget.start(for: document)
        do throws(StartError) {
            let folder = try ScratchFolder(at: configuration.folder)
            file = try folder.write(configuration.text, to: "quickstart.yaml")
            self.folder = folder
        } catch {
            for sample in started { sample.end() }
            throw error
        }
        samples = started
    }

    /// The first demo that can have its ports and its folder.
    private static func first() throws(StartError) -> Demo {
        var refusal = StartError.refused(
            message: "\(Limits.demosMax) demos run, or other programs have their ports.",
            remedy: "End one, or give this one a file with other ports: apus demo FILE.")
        for number in 1...Limits.demosMax {
            guard let configuration = DemoConfiguration.free(number) else { continue }
            do throws(StartError) { return try Demo(configuration) } catch { refusal = error }
        }
        throw refusal
    }

    /// Serves what `file` says, or without one a configuration of its own, with a sample target for each registered
    /// loopback address. Returns the exit status. Errors: `StartError`; nothing is left behind then.
    public static func run(file: String?, narrator: some DemoNarrator) throws(StartError) -> Int32 {
        // Blocks the signals first, so that one which comes now is taken when the loop runs.
        let signals = Signals()
        signals.blockTermination()
        let demo = if let file { try Demo(file: file) } else { try first() }
        defer {
            for sample in demo.samples { sample.end() }
            demo.folder?.remove()
            demo.story.stop()
            Log.lines.stop()
        }
        let service = try Service(file: demo.file, discardingChanges: false, logger: Log.logger)
        service.childObserver = demo
        service.endsAtHangup = true
        let subscription = service.events.subscribe { record in
            if let line = narrator.sentence(record.value.json()) { demo.story.write(line) }
        }
        defer { service.events.unsubscribe(subscription) }
        demo.story.write(narrator.introduction(demo))
        demo.story.start()
        return service.run(signals)
    }

    /// Says which sample targets have ended. They are not started again: the demo shows what health checks make of it.
    func childEnded() {
        for index in samples.indices where samples[index].reap() {
            let sample = samples[index]
            story.write(
                "\(utcText(nanoseconds: WallClock.now()))  sample target \(sample.target) of \(sample.group) has ended "
                    + "(process \(sample.processID))\n")
        }
    }
}
