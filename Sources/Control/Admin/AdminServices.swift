import Core
import Model
import Proxy
import Telemetry

/// What answers the admin socket: services of control, each by what routes need of it. Tests record instead.
///
/// Shape: used on the control thread only; completions come on it too, at the end of the pass at the earliest.
protocol AdminServices: AnyObject {
    /// What can be seen.
    var status: any StatusSource { get }
    /// Changes of the document.
    var changes: any ChangeActions { get }
    /// Readings of the file.
    var reloads: any ReloadActions { get }
    /// Targets that join and leave their groups.
    var targets: any TargetActions { get }
}

/// What can be seen of a running Apus: `Status` tells it.
protocol StatusSource: AnyObject {
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
    /// Lines that the access log's file did not take; workers count those that did not get so far.
    var logLinesLost: UInt64 { get }
    /// The same of the connection log.
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
    /// See `TargetHealth.describe`.
    func targetHealth(group: String, targets: [TargetDescription]?) throws(AdminError) -> [TargetHealthDescription]
}

/// Changes of the document: `ChangeQueue` makes them.
protocol ChangeActions: AnyObject {
    /// See `ChangeQueue.apply`.
    func apply(
        by user: UInt32?, if condition: GenerationCondition?,
        _ change: @escaping (Document) throws(AdminError) -> Change,
        completion: @escaping (Result<Void, AdminError>) -> Void)
}

/// Readings of the file: `Reloader` does them.
protocol ReloadActions: AnyObject {
    /// See `Reloader.reload`.
    func reload(
        discardingChanges: Bool, if condition: GenerationCondition?,
        completion: @escaping (Result<ReloadReport, ConfigErrors>) -> Void)
    /// See `Reloader.check`.
    func check(_ content: [UInt8], file: String, folder: String?, completion: @escaping (ReloadCheck) -> Void)
}

/// Targets that join and leave their groups: `TargetService` registers and deregisters them.
protocol TargetActions: AnyObject {
    /// See `TargetService.register`.
    func register(
        group: String, targets: [TargetDescription], within timeout: Nanoseconds, by user: UInt32?,
        if condition: GenerationCondition?, for requester: Requester?,
        completion: @escaping (Result<[TargetHealthDescription], AdminError>) -> Void)
    /// See `TargetService.deregister`.
    func deregister(
        group: String, targets: [TargetDescription], wait: Bool, by user: UInt32?, if condition: GenerationCondition?,
        for requester: Requester?, completion: @escaping (Result<DeregistrationReport, AdminError>) -> Void)
}

extension ChangeActions {
    /// Applies a change that does not depend on what the document holds.
    func apply(_ change: Change, by user: UInt32?, completion: @escaping (Result<Void, AdminError>) -> Void) {
        apply(by: user, if: nil, { _ in change }, completion: completion)
    }
}
