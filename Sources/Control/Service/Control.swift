// Control: the one thread that decides what the workers do, and everything that is asked of a running Apus.
//
// It never delays a request: workers continue with their last snapshot whatever happens here. And it stays responsive
// when workers are saturated, since it shares no lock and no poller with them.
//
// A change. A client of the admin socket (`AdminServer`, `AdminRoutes`) asks for it, and it waits for its turn in
// `ChangeQueue`, which validates it and stages it in `DocumentStore`; `Preparation` tries what may fail on this host.
// All staged changes are made durable at once by another thread (`DiskThread`, `StateFile`), since a disk may be slow.
// Then `Publication` puts them in force: `TargetRegistry` brings registrations in line with the document, `Publisher`
// compiles a snapshot for each worker, in which every plan that did not change is the object of the last one,
// `ListenerSockets` hands over what was bound, and the workers adopt it. Only then does the client get its answer.
// `Reloader` takes its turn in the same queue, with another document underneath.
//
// A target. A registration begins in `TargetRegistry` as initial; `HealthProber` checks it, with one `Probe` after the
// other, and the result reaches the workers through its `TargetCell`, without a snapshot. When it is deregistered it
// leaves the snapshot, and `DrainTracker` waits until every worker is done with it.
//
// A service manager. `ServiceEnvironment` is what systemd says to a service, `ServiceNotifier` what it is told.
//
// Read in this order: ControlLoop, ChangeQueue, DocumentStore, Publication, TargetRegistry, Publisher, HealthProber,
// DrainTracker, then Services, which puts them together, and Service, which starts and ends the process.
import Core
import HTTP2
import Model
import TLS

/// Where a running Apus begins and ends.
public enum Control {
    /// The version of Apus, as `apus --version`, the status and the metrics tell it.
    public static let version = "0.1.0"

    /// The same with the versions of the libraries in use, whose defects are ours as well.
    public static var versionAndLibraries: String {
        "apus \(version) (OpenSSL \(TLSLibrary.version), nghttp2 \(HTTP2Library.version))"
    }

    /// Serves what `file` says, with what was changed at run time on top of it, until the process is told to stop.
    /// With `discardingChanges` those changes are put aside first. Called on the main thread, before any other exists.
    ///
    /// Returns the exit status: 0 when everything ended in order, 1 when workers had to be left behind.
    /// Errors: `StartError` when it cannot begin; then nothing of it remains, no socket and no thread.
    public static func start(file: String, discardingChanges: Bool = false) throws(StartError) -> Int32 {
        // The log is flushed before the error is printed.
        defer { Log.lines.stop() }
        // The file there may be replaced at any time.
        let program = SystemProcess.startedPath()
        var environment = ServiceEnvironment.take()
        let signals = Signals()
        let inheritance = try Inheritance.receive()
        environment.passedSockets += inheritance?.passedSockets ?? []
        let service: Service
        do {
            service = try Service(
                file: file, discardingChanges: discardingChanges, logger: Log.logger, environment: environment,
                inheritance: inheritance, beforeThreads: signals.blockTermination)
        } catch {
            inheritance?.fail(error)
            signals.unblockTermination()
            throw error
        }
        service.allowUpgrade(program: program)
        return service.run(signals)
    }
}

/// Why Apus does not start.
public enum StartError: Error, Equatable, CustomStringConvertible {
    /// The configuration is not right; every mistake names its place and its remedy.
    case configuration(ConfigErrors)
    /// Something else stands against it: what, in a sentence, and what to do.
    case refused(message: String, remedy: String)

    /// Its mistakes: those of the configuration, or the one that `place` brought about.
    func mistakes(at place: DocumentPlaces.Place) -> [ConfigError] {
        switch self {
        case .configuration(let errors): errors.all
        case .refused(let message, let remedy): [place.mistake(message, remedy: remedy)]
        }
    }

    /// For people.
    public var description: String {
        switch self {
        case .configuration(let errors): errors.description
        case .refused(let message, let remedy): "\(message) \(remedy)"
        }
    }
}
