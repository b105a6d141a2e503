// Control: the one thread that decides what the workers do, and everything that is asked of a running Apus.
//
// It never stands in the way of a request: workers go on by their last snapshot whatever happens here. And it stays
// answerable when they are saturated, since it shares no lock and no poller with them.
//
// The way of a change. A client of the admin socket (`AdminServer`, `AdminRoutes`) asks for it; when its turn has come,
// `Operations` validates it against the document and stages it in `DocumentStore`. All that wait are made durable at
// once by another thread (`DiskThread`, `StateFile`), since disks may take their time; then they are published:
// `TargetRegistry` brings registrations in line with the document, `Publisher` compiles a snapshot for each worker,
// in which every plan that need not differ is the very object of the last one, `ListenerSockets` hands over what was
// bound, and the workers adopt it. Then, and not before, the client gets its answer. A reload takes its turn in the
// same way, with another document underneath.
//
// The way of a target. A registration begins in `TargetRegistry` as initial; `HealthProber` checks it, with one `Probe`
// after the other, and what the checks make of it reaches the workers through its `TargetCell`, without a snapshot.
// When it is deregistered it leaves the snapshot, and `DrainTracker` waits for every worker to be done with it.
//
// Read in this order: ControlLoop, Operations, DocumentStore, TargetRegistry, Publisher, HealthProber, DrainTracker,
// then Service, which builds all of it and takes it down.
import Core

/// Where a running Apus begins and ends.
public enum Control {
    /// Serves what `file` says, with what was changed at run time on top of it, until the process is told to stop.
    /// With `discardingChanges` those changes are put aside first. Called on the main thread, before any other exists.
    ///
    /// Returns the exit status: 0 when everything ended in order, 1 when workers had to be left behind.
    /// Errors: `StartError` when it cannot begin; then nothing of it remains, no socket and no thread.
    public static func start(file: String, discardingChanges: Bool = false) throws(StartError) -> Int32 {
        // Whatever was logged is out before a refusal is told, or in vain.
        defer { Log.lines.stop() }
        let signals = Signals()
        let service: Service
        do {
            service = try Service(
                file: file, discardingChanges: discardingChanges, logger: Log.logger,
                beforeThreads: signals.blockTermination)
        } catch {
            signals.unblockTermination()
            throw error
        }
        return service.run(signals)
    }
}
