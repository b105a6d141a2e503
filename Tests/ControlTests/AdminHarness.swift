import CLI
import Core
import Foundation
import Logging
import Model
import Proxy
import Routing
import Synchronization
import Telemetry
import TestRuns

@testable import Control

/// An admin server on a thread of its own, with a recording stand-in for control behind it.
///
/// Ends with its last owner. Tests talk to it over its socket, and to what is behind it by `perform`.
final class AdminHarness: Sendable {
    /// Where it listens.
    let path: String
    private let thread: Core.Thread
    private let orders = Mailbox<@Sendable (RecordingActions) -> Void>()

    /// Serves `document`, once everything is ready; with `isReadOnly` over a socket that takes no changes.
    init(_ document: Document = AdminHarness.document, isReadOnly: Bool = false) throws {
        path = TestRun.newPath()
        let ready = EventDescriptor()
        thread = Core.Thread.start(name: "admin test") { [path, orders] in
            let loop = ControlLoop()
            let actions = RecordingActions(document: document, loop: loop)
            let logger = Logger(label: "test") { _ in actions.log }
            guard
                let server = try? AdminServer(
                    path: path, isReadOnly: isReadOnly, loop: loop, services: actions, logger: logger)
            else { return }
            let runner = OrderRunner(orders: orders, actions: actions)
            _ = loop.add(runner, descriptor: orders.wakeup.descriptor, interest: .readable)
            ready.signal()
            loop.run { actions.isOver }
            server.close()
        }
        ready.wait(timeoutMilliseconds: 60_000)
    }

    deinit {
        orders.send { $0.isOver = true }
        thread.join()
    }

    /// Runs `body` on the server's thread, and waits until that is done.
    func perform<Result: Sendable>(_ body: @escaping @Sendable (RecordingActions) -> Result) -> Result {
        let done = EventDescriptor()
        let result = Mutex<Result?>(nil)
        orders.send { actions in
            let value = body(actions)
            result.withLock { $0 = value }
            done.signal()
        }
        while true {
            if let result = result.withLock({ $0 }) { return result }
            done.wait(timeoutMilliseconds: 10_000)
        }
    }

    /// A client of it.
    var client: AdminClient { AdminClient(path: path) }

    /// One load balancer with two listeners, two groups, one instance.
    static let document = Document(
        instances: [Instance(id: "i-2", address: "10.0.0.2"), Instance(id: "i-1", address: "10.0.0.1")],
        prefixLists: [PrefixList(name: "office", entries: ["192.0.2.0/24"].compactMap(AddressEntry.init))],
        loadBalancers: [
            LoadBalancer(
                name: "web", addresses: ["127.0.0.1"],
                listeners: [
                    Listener(
                        port: 8080, defaultActions: [forward([("blue", 90), ("green", 10)])],
                        rules: [
                            Rule(priority: 20, conditions: [.pathPattern(["/b"])], actions: [forward([("green", 1)])]),
                            Rule(priority: 10, conditions: [.hostHeader(["a"])], actions: [forward([("blue", 1)])]),
                        ]),
                    Listener(port: 80, defaultActions: [forward([("blue", 1)])]),
                ])
        ],
        targetGroups: [
            group("green", [TargetDescription(id: "10.0.1.1", port: 80)]),
            group("blue", [TargetDescription(id: "10.0.0.2"), TargetDescription(id: "10.0.0.1", port: 9)]),
        ])
}

private final class OrderRunner: PollHandler {
    private let orders: Mailbox<@Sendable (RecordingActions) -> Void>
    private let actions: RecordingActions

    init(orders: Mailbox<@Sendable (RecordingActions) -> Void>, actions: RecordingActions) {
        self.orders = orders
        self.actions = actions
    }

    func ready(_ ready: Poller.Ready, now: Instant) {
        for order in orders.takeAll() { order(actions) }
    }

    func timerFired(now: Instant) {}
}

/// Stands in for control: applies changes to its document at the end of the pass, and remembers what it was asked.
final class RecordingActions: AdminServices, StatusSource, ChangeActions, ReloadActions, TargetActions,
    UpgradeActions, RolloutActions, SwapActions, ExplainActions
{
    let access = AdminAccess()
    var status: any StatusSource { self }
    var changes: any ChangeActions { self }
    var reloads: any ReloadActions { self }
    var targets: any TargetActions { self }
    var upgrades: any UpgradeActions { self }
    var rollouts: any RolloutActions { self }
    var swaps: any SwapActions { self }
    var explanations: any ExplainActions { self }
    var statuses: [RolloutStatus] = []
    var rolloutCounts: (running: Int, ended: [RolloutRecord.Phase: UInt64]) = (0, [:])
    var finishing: [FinishingProcess] = []

    var document: Document
    var generation: UInt64 = 1
    let startedAt = Instant.now()
    let workers: [WorkerHandle] = []
    let events = EventLog()
    let configurationFile = "test.yaml"
    var changesNotApplied: [String] = []
    var overrides: [Override] = []
    var tally = ControlTally()
    var logLinesLost: UInt64 = 0
    var connectionLogLinesLost: UInt64 = 0
    var groupsFailedOpen: [String] = []
    var groupsFailedOver: [String] = []
    var rateLimits: [RateLimitFigures] = []
    var denials: [DenialFigures] = []
    var discovery: [DiscoveryStatus] = []
    var claimed = ClaimedObjects()
    var discoveryBatches: UInt64 = 0
    var certificateDays: [(file: String, days: Int)] = []
    var isStopping = false
    /// Where targets come from.
    var layers: [TargetKey: TargetLayer] = [:]
    var groupCounters: [(name: String, workers: [TargetGroupCounters])] = []
    /// What was asked for, in words, with who asked.
    var asked: [String] = []
    /// Whether nobody need call `finishDrains`.
    var finishesDrainsAtOnce = false
    /// Exchanges that each drain cuts.
    var cutByDrains = 1
    /// What deregistrations warn of.
    var warning: Warning?
    /// The one target that no group ever had.
    static let stranger = "10.9.9.9"
    /// Who asked for the last deregistration.
    weak var requester: Requester?
    /// What waits for `finishDrains`.
    var drains: [() -> Void] = []
    /// What the next reload brings.
    var reloadResult: Result<ReloadReport, ConfigErrors> = .success(
        ReloadReport(generation: 7, changes: ["a is new"], changesNotApplied: ["b is gone"], needsRestart: ["c"]))
    /// What the next change is refused with.
    var refusal: AdminError?
    var isOver = false
    let log = RecordingLog()
    private let loop: ControlLoop

    init(document: Document, loop: ControlLoop) {
        self.document = document
        self.loop = loop
    }

    func apply(
        by user: UInt32?, if condition: GenerationCondition?,
        _ change: @escaping (Document) throws(AdminError) -> Change,
        completion: @escaping (Result<Void, AdminError>) -> Void
    ) {
        let made: Change
        do { made = try change(document) } catch { return loop.afterBatch { completion(.failure(error)) } }
        asked.append("\(user.map { "\($0)" } ?? "-"): \(made)")
        loop.afterBatch { [self] in
            if let mistake = condition?.mistake(inForce: generation) {
                return completion(.failure(AdminError(mistake)))
            }
            if let refusal { return completion(.failure(refusal)) }
            do throws(ConfigErrors) {
                document = try document.applying(made)
                generation += 1
                completion(.success(()))
            } catch {
                completion(.failure(AdminError(error)))
            }
        }
    }

    func explain(_ request: ExplainedRequest) throws(AdminError) -> Value {
        asked.append("explain \(request.method) \(request.authority)\(request.target)")
        return [:]
    }

    func swap(
        _ swap: Swap, by user: UInt32?, if condition: GenerationCondition?, for requester: Requester?,
        completion: @escaping (Result<[String: Int], AdminError>) -> Void
    ) {
        asked.append("swap \(swap.action) from \(swap.from) to \(swap.to), \(swap.enough)")
        completion(refusal.map { .failure($0) } ?? .success([swap.from: 0, swap.to: 1]))
    }

    func start(
        _ rollout: Rollout, by user: UInt32?, completion: @escaping (Result<RolloutStatus, AdminError>) -> Void
    ) {
        asked.append("rollout of \(rollout.action) from \(rollout.from) to \(rollout.to)")
        if let refusal { return completion(.failure(refusal)) }
        let record = RolloutRecord(id: statuses.count + 1, rollout: rollout, user: user, startedAt: 0)
        statuses.insert(RolloutStatus(record: record), at: 0)
        completion(.success(statuses[0]))
    }

    func perform(
        _ order: RolloutOrder, on id: Int, completion: @escaping (Result<RolloutStatus, AdminError>) -> Void
    ) {
        asked.append("\(order.rawValue) \(id)")
        completion(refusal.map { .failure($0) } ?? .success(statuses[0]))
    }

    func register(
        group: String, targets: [TargetDescription], within timeout: Nanoseconds, by user: UInt32?,
        if condition: GenerationCondition?, for requester: Requester?,
        completion: @escaping (Result<[TargetHealthDescription], AdminError>) -> Void
    ) {
        asked.append(
            "register \(targets.map(\.id).joined(separator: " ")) in \(group) within \(timeout / 1_000_000) ms")
        if let refusal { return completion(.failure(refusal)) }
        do throws(AdminError) { completion(.success(try targetHealth(group: group, targets: targets))) } catch {
            completion(.failure(error))
        }
    }

    func deregister(
        group: String, targets: [TargetDescription], wait: Bool, by user: UInt32?, if condition: GenerationCondition?,
        for requester: Requester?, completion: @escaping (Result<DeregistrationReport, AdminError>) -> Void
    ) {
        if let mistake = condition?.mistake(inForce: generation) { return completion(.failure(AdminError(mistake))) }
        self.requester = requester
        asked.append("deregister \(targets.map(\.id).joined(separator: " ")) from \(group)\(wait ? " and wait" : "")")
        guard document.targetGroups.contains(where: { $0.name == group }) else {
            return completion(
                .failure(AdminError(code: "TargetGroupNotFound", message: "No \(group).", remedy: "Look.")))
        }
        let cut = cutByDrains
        let all = targets.map { target in
            let port = target.port ?? 80
            let drain = DrainReport(id: target.id, port: port, finished: 2, cut: cut, seconds: 0.1239)
            return Deregistration(
                id: target.id, port: port, wasRegistered: target.id != Self.stranger, drain: wait ? drain : nil)
        }
        let reports = DeregistrationReport(targets: all, warning: warning)
        if wait && !finishesDrainsAtOnce {
            drains.append { completion(.success(reports)) }
        } else {
            completion(.success(reports))
        }
    }

    /// Ends every drain that is waited for.
    func finishDrains() {
        for drain in drains { drain() }
        drains = []
    }

    func reload(
        discardingChanges: Bool, if condition: GenerationCondition?,
        completion: @escaping (Result<ReloadReport, ConfigErrors>) -> Void
    ) {
        if let mistake = condition?.mistake(inForce: generation) { return completion(.failure(mistake)) }
        asked.append(discardingChanges ? "reload without changes" : "reload")
        completion(reloadResult)
    }

    func check(_ content: [UInt8], file: String, folder: String?, completion: @escaping (ReloadCheck) -> Void) {
        asked.append("check \(content.count) bytes of \(file) in \(folder ?? "-")")
        do throws(ConfigErrors) {
            var check = ReloadCheck(mistakes: [])
            check.summary = try Document.parse(content, file: file).0.summary
            completion(check)
        } catch { completion(ReloadCheck(mistakes: error.all)) }
    }

    /// What the next upgrade brings.
    var upgradeResult: Result<UpgradeReport, AdminError> = .success(
        UpgradeReport(
            old: FinishingProcess(id: 12, version: "0.1.0", connections: 17), id: 34, version: "0.1.1",
            graceSeconds: 30))

    func upgrade(_ request: UpgradeRequest, completion: @escaping (Result<UpgradeReport, AdminError>) -> Void) {
        let grace = request.graceSeconds.map { "\($0)" } ?? "-"
        asked.append("upgrade to \(request.binary ?? "-") within \(grace) s")
        completion(upgradeResult)
    }

    func targetLayers(ofGroup name: String) -> [TargetKey: TargetLayer] { layers }

    func targetHealth(group: String, targets: [TargetDescription]?) throws(AdminError) -> [TargetHealthDescription] {
        guard let found = document.targetGroups.first(where: { $0.name == group }) else {
            throw AdminError(code: "TargetGroupNotFound", message: "No \(group).", remedy: "Look.")
        }
        return (targets ?? found.targets).map { target in
            let isFirst = target.id.hasSuffix("1")
            return TargetHealthDescription(
                target: TargetDescription(id: target.id, port: found.effectivePort(of: target)), healthCheckPort: 80,
                state: isFirst ? .healthy : .unhealthy, reason: isFirst ? nil : "Target.Timeout",
                description: isFirst ? nil : "Request timed out", isSuspect: isFirst)
        }
    }
}

/// Keeps log lines.
final class RecordingLog: LogHandler, Sendable {
    private let kept = Mutex<[String]>([])
    var lines: [String] { kept.withLock { $0 } }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        let words = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        kept.withLock { $0.append("\(event.message) \(words.joined(separator: " "))") }
    }
}
