import Core
import Model
import Proxy
import Telemetry

/// What the admin socket needs of control: `Operations` does it, tests record it.
///
/// Shape: called on the control thread only; completions come on it too, at the end of the pass at the earliest.
protocol AdminActions: AnyObject {
    /// What is in force: the file, with what was changed at run time on top of it.
    var document: Document { get }
    /// Grows by one with every snapshot.
    var generation: UInt64 { get }
    /// When the process began to serve.
    var startedAt: Instant { get }
    /// The running workers.
    var workers: [WorkerHandle] { get }
    /// What happens.
    var events: EventLog { get }
    /// The file that was read at start, and is read again by a reload.
    var configurationFile: String { get }
    /// Changes made at run time that do not fit the file any more, in sentences.
    var changesNotApplied: [String] { get }
    /// Objects of the file that are not in force as it says.
    var overrides: [Override] { get }
    /// What control has done so far.
    var tally: ControlTally { get }
    /// See `Operations.logLinesLost`.
    var logLinesLost: UInt64 { get }
    /// See `Operations.connectionLogLinesLost`.
    var connectionLogLinesLost: UInt64 { get }
    /// Days until each certificate in force expires, by its file.
    var certificateDays: [(file: String, days: Int)] { get }
    /// The groups of which all targets are used because none is healthy, sorted.
    var groupsFailedOpen: [String] { get }
    /// Whether the process is ending, and takes no changes.
    var isStopping: Bool { get }
    /// What each worker counts about each group, in any order; a name may be there again for a group that is on its
    /// way out.
    var groupCounters: [(name: String, workers: [TargetGroupCounters])] { get }

    /// See `Operations.apply`.
    func apply(
        by user: UInt32?, if condition: GenerationCondition?,
        _ change: @escaping (Document) throws(AdminError) -> Change,
        completion: @escaping (Result<Void, AdminError>) -> Void)
    /// See `Operations.register`.
    func register(
        group: String, targets: [TargetDescription], within patience: Nanoseconds, by user: UInt32?,
        if condition: GenerationCondition?, for asker: Asker?,
        completion: @escaping (Result<[TargetHealthDescription], AdminError>) -> Void)
    /// See `Operations.deregister`.
    func deregister(
        group: String, targets: [TargetDescription], wait: Bool, by user: UInt32?, if condition: GenerationCondition?,
        for asker: Asker?, completion: @escaping (Result<DeregistrationReport, AdminError>) -> Void)
    /// See `Operations.reload`.
    func reload(
        discardingChanges: Bool, if condition: GenerationCondition?,
        completion: @escaping (Result<ReloadReport, ConfigErrors>) -> Void)
    /// See `Operations.check`.
    func check(_ content: [UInt8], file: String, folder: String?, completion: @escaping (ReloadCheck) -> Void)
    /// See `Operations.targetHealth`.
    func targetHealth(group: String, targets: [TargetDescription]?) throws(AdminError) -> [TargetHealthDescription]
}

extension AdminActions {
    /// Applies a change that does not depend on what the document holds.
    func apply(_ change: Change, by user: UInt32?, completion: @escaping (Result<Void, AdminError>) -> Void) {
        apply(by: user, if: nil, { _ in change }, completion: completion)
    }
}

/// What control counts about itself, since the process began.
struct ControlTally: Equatable, Sendable {
    /// Reloads that succeeded.
    var reloads: UInt64 = 0
    /// Reloads that a bad file, or the disk, refused.
    var reloadsRefused: UInt64 = 0
    /// Changes over the socket that were applied.
    var changes: UInt64 = 0
    /// Changes over the socket that were refused.
    var changesRefused: UInt64 = 0
    /// Times that the state file was written.
    var stateWrites: UInt64 = 0
    /// Health checks that passed.
    var healthChecksPassed: UInt64 = 0
    /// Health checks that failed.
    var healthChecksFailed: UInt64 = 0
    /// Clients of `admin.metrics` that were closed to make room, or because they took too long.
    var metricsClientsClosed: UInt64 = 0
    /// Lines of our own log that were lost, since nobody read the standard error.
    var ownLogLinesDropped: UInt64 = 0
}
