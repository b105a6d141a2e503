import Core
import Model
import Proxy
import Routing
import TLS
import Telemetry

/// The state of a target group, which belongs to its name and survives every change of its configuration.
///
/// Shape: owned by `TargetRegistry` from the group's first document until its last target is drained.
final class GroupState {
    /// `GroupPlan.id`: dense, and reused only after every worker has released the group.
    let id: Int
    /// Unique among groups.
    let name: String
    /// The group as the document has it, or had it last.
    var configuration: TargetGroup {
        didSet { if configuration != oldValue { mayNeedPlan = true } }
    }
    /// Whether the document still has it; a removed group is kept until it is drained.
    var isPresent = true
    /// The generation that published its removal.
    var withdrawnIn: UInt64 = 0
    /// The first load balancer that forwards to it, as logs name it; nil if none does.
    var loadBalancer: String?
    /// Whether some action forwards to it: its targets are checked only then.
    var isInUse = false
    /// Tells workers that the health of a target has changed.
    let cell = GroupCell()
    /// Its counters, one set for each worker.
    let counters: [TargetGroupCounters]
    /// Its registered targets, in the document's order.
    var registrations: [Registration] = [] {
        didSet { mayNeedPlan = true }
    }
    /// The same registrations by their keys.
    var byKey: [TargetKey: Registration] = [:]
    /// Targets that have left it and whose exchanges have not ended on every worker, by registration id.
    var draining: [Int: Registration] = [:]
    /// How many of `registrations` and `draining` are in which state.
    var tally = HealthTally()
    /// How many targets can be picked, and how many are healthy.
    var routable = RoutableTargets()
    /// Whether `routable` is not whole, since targets come and go.
    var isBeingChanged = false
    /// What zones mean to it.
    var zones = ZonePolicy.any {
        didSet { if zones != oldValue { mayNeedPlan = true } }
    }
    /// How many targets checks have taken out of late.
    var removals = RemovalBudget()
    /// Whether it was said that all targets are used because too few are healthy.
    var isFailedOpen = false
    /// Whether all targets were used when that was looked at last; until the first checks are decided they are.
    var usedAllTargets = false
    /// Whether its targets are compared by how often they fail.
    var seeksAnomalies = false
    /// Whether their shares of failures are compared, to take some out.
    var seeksOutliers = false
    /// The last plan of each worker.
    var plans: [GroupPlan] = []
    /// What `plans` were made of.
    var planSource: PlanSource? {
        didSet {
            let (new, old) = (planSource?.settings, oldValue?.settings)
            if new?.tls != old?.tls || new?.version != old?.version { compiledSecurity = nil }
        }
    }
    /// Whether the configuration or the registrations have changed since, so that plans are compared.
    var mayNeedPlan = true

    private var compiledSecurity: CheckSecurity?

    /// Everything that a group's plans are made of: they are replaced when it differs.
    struct PlanSource: Equatable {
        /// What the configuration says, and the certificates that it names.
        let settings: GroupSettings
        /// The registered targets that have an address.
        let targets: [TargetPlan]
    }

    /// A group without registrations.
    init(id: Int, configuration: TargetGroup, workerCount: Int) {
        self.id = id
        name = configuration.name
        self.configuration = configuration
        counters = (0..<workerCount).map { _ in TargetGroupCounters() }
    }

    /// How long the share of a target grows that has become healthy; 0 for not at all.
    var slowStart: Nanoseconds { Nanoseconds(seconds: configuration.attributes.balancing.slowStartSeconds) }

    /// How many checks in a row change the health of a target.
    var thresholds: HealthThresholds {
        let check = configuration.healthCheck
        return HealthThresholds(
            healthyCount: check.healthyThresholdCount, unhealthyCount: check.unhealthyThresholdCount,
            grace: Nanoseconds(seconds: check.gracePeriodSeconds))
    }

    /// The TLS context of health checks; made when it is first needed.
    var checkSecurity: CheckSecurity {
        if let compiledSecurity { return compiledSecurity }
        let made = CheckSecurity(planSource?.settings.tls, configuration.protocolVersion)
        compiledSecurity = made
        return made
    }

    /// Whether its targets are checked.
    var isChecked: Bool { isInUse && configuration.healthCheck.isEnabled }

    /// Where checks of a target at `port` connect.
    func healthCheckPort(ofTargetAt port: Int) -> Int {
        switch configuration.healthCheck.port {
        case .traffic: port
        case .number(let number): number
        }
    }
}

/// The TLS settings of a group's health checks: the name and the roots are those of its requests.
///
/// If requests are verified by the name in their own Host field, there is no name by which a check could verify a
/// certificate, so it accepts any, as all health checks of Elastic Load Balancing do.
struct CheckSecurity {
    let context: TLSClientContext
    /// Asked for as SNI; empty if the group names none.
    let serverName: [UInt8]

    /// The settings of the group's requests, if these use TLS at all.
    init(_ tls: TargetTLS?, _ version: TargetGroup.ProtocolVersion) {
        serverName = Array((tls?.serverName ?? "").utf8)
        let verification = serverName.isEmpty ? .off : tls?.verification ?? .off
        do {
            context = try TLSClientContext(
                verification: verification, applicationProtocols: [version == .http1 ? .http1 : .http2])
        } catch { preconditionFailure("health check: roots that were read before cannot be read: \(error)") }
    }
}

/// Hands out small numbers, reusing what was given back, so that arrays indexed by them stay short.
struct IDPool {
    private var free: [Int] = []
    private var isOut: [Bool] = []

    /// A number that is not in use.
    mutating func take() -> Int {
        guard let id = free.popLast() else {
            isOut.append(true)
            return isOut.count - 1
        }
        isOut[id] = true
        return id
    }

    /// Gives `id` back.
    mutating func release(_ id: Int) {
        precondition(isOut[id], "id pool: \(id) is not out")
        isOut[id] = false
        free.append(id)
    }
}
