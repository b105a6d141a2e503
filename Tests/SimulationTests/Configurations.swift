import Core
import Model
import Routing
import Synchronization
import Telemetry

@testable import Proxy

/// The configurations that a seed has its workers work by, one after the other.
final class Configurations {
    /// A target that takes requests, under the id of its registration.
    struct Registration {
        let target: Target
        let plan: TargetPlan
    }

    private unowned let world: World
    /// By group: HTTP/1, HTTP/2, connections that are passed on.
    private(set) var registered: [[Registration]] = [[], [], []]
    private(set) var removed: [Int] = []
    private var groups: [GroupPlan] = []
    private var listeners: [ListenerPlan] = []
    private var cells: [GroupCell] = [GroupCell(), GroupCell(), GroupCell()]
    private let counters = [TargetGroupCounters(), TargetGroupCounters(), TargetGroupCounters()]
    private var nextID = 0
    private var generation: UInt64 = 0
    private let settings: ListenerSettings
    private let attempts: AttemptSettings
    private let poolIdleTimeout: Nanoseconds
    private let poolConnectionsMax: Int

    init(_ world: World) {
        self.world = world
        let isCalm = world.isCalm
        func pick(_ choices: Nanoseconds...) -> Nanoseconds { choices[world.random.next(below: choices.count)] }
        var settings = ListenerSettings(
            idleTimeout: isCalm ? 60_000_000_000 : pick(1_000_000_000, 5_000_000_000, 60_000_000_000),
            clientKeepAlive: isCalm ? 3_600_000_000_000 : pick(20_000_000, 3_600_000_000_000),
            firstByteTimeout: 30_000_000_000, headTimeout: isCalm ? 10_000_000_000 : pick(50_000_000, 10_000_000_000),
            bodyRateWindow: 10_000_000_000, bodyRateWindowBytes: 1000, dropsInvalidNames: false, preservesHost: false,
            forwardedForMode: .append, addsClientPort: false, addsReason: true)
        settings.speaksH2C = true
        self.settings = settings
        var attempts = AttemptSettings()
        attempts.raceDelay = pick(20_000_000, 250_000_000)
        attempts.bodyBytesMax = [0, 1024, 65_536][world.random.next(below: 3)]
        if isCalm { attempts.raceDelay = 250_000_000 }
        self.attempts = attempts
        poolIdleTimeout = pick(5_000_000, 100_000_000, 60_000_000_000)
        poolConnectionsMax = [1, 4, 100][world.random.next(below: 3)]
    }

    /// Makes requests go to `target` as well.
    func register(_ target: Target) {
        let plan = TargetPlan(id: nextID, address: target.address, cell: TargetCell())
        nextID += 1
        plan.cell.isHealthy = true
        registered[Self.group(of: target)].append(Registration(target: target, plan: plan))
    }

    /// Takes out a registration; its target drains.
    func deregister(_ group: Int, _ index: Int) -> Registration {
        let registration = registered[group].remove(at: index)
        removed.append(registration.plan.id)
        return registration
    }

    /// Has a target's health be that.
    func setHealth(_ group: Int, _ registration: Registration, _ isHealthy: Bool) {
        registration.plan.cell.isHealthy = isHealthy
        if isHealthy { _ = registration.plan.cell.clearSuspicion() }
        cells[group].flip()
    }

    /// The next snapshot. What has not changed is the same object as before.
    func snapshot() -> Snapshot {
        generation += 1
        groups = (0..<3).map { group in
            let targets = registered[group].map(\.plan)
            if group < groups.count, groups[group].targets.map(\.id) == targets.map(\.id) { return groups[group] }
            return plan(group, targets)
        }
        if listeners.isEmpty || world.random.next(below: 2) == 0 { listeners = makeListeners() }
        return Snapshot(generation: generation, listeners: listeners, groups: groups, accessLog: .json)
    }

    private func plan(_ group: Int, _ targets: [TargetPlan]) -> GroupPlan {
        // No stickiness: its cookies are sealed by random numbers, and so no run would be like another.
        let settings = GroupSettings(
            version: group == 1 ? .http2 : .http1, flows: group == 2 ? FlowGroupPlan() : nil,
            connectTimeout: 1_000_000_000, poolIdleTimeout: poolIdleTimeout,
            poolConnectionsMax: poolConnectionsMax, attempts: attempts)
        return GroupPlan(
            id: group, name: ["one", "two", "tunnels"][group], targets: targets, settings: settings,
            balancing: group == 2 ? .flowHash(MaglevTables.table(targets.map(\.flowKey))) : .roundRobin(slowStart: 0),
            cell: cells[group], counters: counters[group])
    }

    private func makeListeners() -> [ListenerPlan] {
        let one = ActionPlan.forward(ForwardPlan(groups: [0], weights: [1]))
        let two = ActionPlan.forward(ForwardPlan(groups: [1], weights: [1]))
        let tunnels = ActionPlan.forward(ForwardPlan(groups: [2], weights: [1]))
        return [
            ListenerPlan(
                id: 0, loadBalancer: "app/web", port: 80, settings: settings,
                rules: [
                    RulePlan(priority: 1, conditions: [.pathPattern(PathPatternCondition(["/1/*"]))], action: one),
                    RulePlan(priority: 2, conditions: [.pathPattern(PathPatternCondition(["/2/*"]))], action: two),
                ], defaultAction: one),
            ListenerPlan(
                id: 1, loadBalancer: "net/tunnels", port: 81, settings: settings,
                flows: FlowSettings(idleTimeout: world.isCalm ? 60_000_000_000 : 5_000_000_000),
                defaultAction: tunnels),
        ]
    }

    static func group(of target: Target) -> Int {
        switch target.kind {
        case .http1: 0
        case .http2: 1
        case .tunnel: 2
        }
    }
}

/// Tables take long to be made, and all seeds have the same targets.
private enum MaglevTables {
    private static let made = Mutex<[[UInt64]: MaglevTable]>([:])

    static func table(_ keys: [UInt64]) -> MaglevTable {
        made.withLock { made in
            if let table = made[keys] { return table }
            let table = MaglevTable(keys: keys)
            made[keys] = table
            return table
        }
    }
}
