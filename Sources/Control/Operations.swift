import Core
import Model
import Proxy

/// Everything that can be asked of a running Apus: what the admin socket and the signals call.
///
/// Shape: one object of the control thread. Completions are called on it, at the end of the pass at the earliest.
final class Operations {
    /// What is in force: the file, with what was changed at run time on top of it.
    private(set) var document: Document
    /// Grows by one with every snapshot.
    private(set) var generation: UInt64 = 0
    /// When the process began to serve.
    let startedAt: Instant
    /// The running workers.
    let workers: [WorkerHandle]
    /// What happens, for whoever listens.
    let events: EventLog

    init(document: Document, workers: [WorkerHandle], events: EventLog) {
        self.document = document
        self.workers = workers
        self.events = events
        startedAt = Instant.now()
    }

    /// Validates `change` and stages it. It is durable and published at the end of the pass, with all others of the
    /// pass: one write, one snapshot; `completion` is called then, with the error if it was refused.
    func apply(
        _ change: Change, by user: UInt32?, completion: @escaping (Result<Void, AdminError>) -> Void
    ) {}

    /// Deregisters `targets`, and calls `completion` when that is durable or, with `wait`, when all are drained.
    func deregister(
        group: String, targets: [TargetDescription], wait: Bool, by user: UInt32?,
        completion: @escaping (Result<[DrainReport], AdminError>) -> Void
    ) {}

    /// Reads the file again and puts it in force, with what was changed at run time on top of it unless that is
    /// discarded. A bad file changes nothing.
    func reload(discardingChanges: Bool, completion: (Result<ReloadReport, ConfigErrors>) -> Void) {}

    /// What DescribeTargetHealth says of all targets of `group`, draining ones included, or of `targets` alone.
    func targetHealth(
        group: String, targets: [TargetDescription]?
    ) throws(AdminError) -> [TargetHealthDescription] { [] }
}

/// What a reload did.
struct ReloadReport: Equatable, Sendable {
    /// The generation that is now in force.
    let generation: UInt64
    /// What is different, in sentences.
    let changes: [String]
    /// Changes made at run time that do not fit the new file; they are kept, and tried again at the next reload.
    let changesNotApplied: [String]
    /// Keys of the file that differ and take effect at the next start only.
    let needsRestart: [String]
}
