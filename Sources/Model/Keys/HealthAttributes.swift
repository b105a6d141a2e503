/// The attributes of a target group that say what the health of its targets decides.
///
/// Source: ELBv2 ModifyTargetGroupAttributes; the names that begin with `apus.` are ours.
public struct HealthAttributes: Hashable, Sendable {
    /// How many targets have to be healthy: so many, and so large a share of those that are registered.
    public struct Minimum: Hashable, Sendable {
        /// The number; nil for any.
        public var count: Int?
        /// The share in percent; nil for any.
        public var percentage: Int?

        /// A minimum.
        public init(count: Int?, percentage: Int? = nil) {
            self.count = count
            self.percentage = percentage
        }

        /// How many of `registered` targets have to be healthy. Whichever of the two asks for more counts.
        public func targets(of registered: Int) -> Int {
            max(count ?? 0, ((percentage ?? 0) * registered + 99) / 100)
        }
    }

    /// Whether the targets of other zones are used.
    public enum CrossZone: Hashable, Sendable {
        /// `use_load_balancer_configuration`.
        case ofLoadBalancer
        /// `true`: they are.
        case on
        /// `false`: only those of this zone are.
        case off
    }

    /// `target_group_health.unhealthy_state_routing.minimum_healthy_targets`: with fewer, all targets are used.
    public var routing = Minimum(count: 1)
    /// `target_group_health.dns_failover.minimum_healthy_targets`: with fewer, this Apus says that it is not ready.
    public var failover = Minimum(count: 1)
    /// `load_balancing.cross_zone.enabled`: whether the targets of other zones are used.
    public var crossZone = CrossZone.ofLoadBalancer
    /// `apus.own_zone_first.enabled`: those of this zone come first.
    public var ownZoneFirst = false
    /// `apus.own_zone_first.minimum_healthy_percent`: as long as so many of them are healthy.
    public var ownZoneMinimumPercent = 50
    /// `apus.health.max_removals_percent`: how many targets checks may take out in a minute.
    public var maxRemovalsPercent = 100
    /// `apus.health.trust_traffic.enabled`: checks are skipped while requests prove that a target is healthy.
    public var trustsTraffic = false
    /// When targets are taken out for a while since they fail requests.
    public var outlier = OutlierAttributes()

    /// Every default.
    public init() {}
}

/// When targets of a group are taken out for a while since they fail requests.
public struct OutlierAttributes: Hashable, Sendable {
    /// `apus.outlier.consecutive_failures`; 0 for never.
    public var failuresInARow = 0
    /// `apus.outlier.error_margin_percent`; 0 for never.
    public var marginPercent = 0
    /// `apus.outlier.ejection_seconds`.
    public var seconds: Double = 30
    /// `apus.outlier.ejection_seconds_max`.
    public var secondsMax: Double = 300
    /// `apus.outlier.max_ejected_percent`.
    public var percentMax = 50

    /// Every default.
    public init() {}
}

extension TargetGroupAttributes {
    private static let failoverPrefix = "target_group_health.dns_failover.minimum_healthy_targets"
    private static let routingPrefix = "target_group_health.unhealthy_state_routing.minimum_healthy_targets"

    /// The keys that say what the health of targets decides.
    static let healthKeys: [Key<TargetGroupAttributes>] = [
        Key(
            "\(routingPrefix).count", \.health.routingCount, .integer(1...Limits.targetsPerGroupMax, unit: "targets"),
            "The fewest healthy targets with which only healthy ones are used; with fewer, all that are registered "
                + "are (fail open)."),
        Key(
            "\(routingPrefix).percentage", \.health.routing.percentage, .off(or: 1...100, unit: "percent"),
            "The same as a share of the targets that are registered; whichever asks for more counts."),
        Key(
            "\(failoverPrefix).count", \.health.failover.count,
            .off(or: 1...Limits.targetsPerGroupMax, unit: "targets"),
            "The fewest healthy targets with which GET /ready says that this Apus is ready, for what stands before "
                + "it and chooses among several; at least the count of unhealthy_state_routing."),
        Key(
            "\(failoverPrefix).percentage", \.health.failover.percentage, .off(or: 1...100, unit: "percent"),
            "The same as a share of the targets that are registered; at least that of unhealthy_state_routing."),
        Key(
            "load_balancing.cross_zone.enabled", \.health.crossZone, .crossZone,
            "Whether targets of other zones than runtime.availabilityZone are used, or only those of this zone; "
                + "application load balancers use all, network load balancers say so by an attribute of theirs."),
        Key(
            "apus.own_zone_first.enabled", \.health.ownZoneFirst, .bool,
            "Whether the targets of this zone are used alone while enough of them are healthy."),
        Key(
            "apus.own_zone_first.minimum_healthy_percent", \.health.ownZoneMinimumPercent,
            .integer(1...100, unit: "percent"),
            "The smallest share of the targets of this zone that have to be healthy for that; with fewer, those of all "
                + "zones are used."),
        Key(
            "apus.health.max_removals_percent", \.health.maxRemovalsPercent, .integer(1...100, unit: "percent"),
            "How many of its targets health checks may take out in a minute, but one at least; others that fail stay "
                + "in use. 100 for all."),
        Key(
            "apus.health.trust_traffic.enabled", \.health.trustsTraffic, .bool,
            "Whether checks of a healthy target are skipped while it answers requests and fails none; one of ten is "
                + "made all the same."
        ).of(.application),
        Key(
            "apus.outlier.consecutive_failures", \.health.outlier.failuresInARow, .integer(0...1000, unit: "failures"),
            "Failed requests in a row, over all workers, after which a target is taken out for a while; 0 for never. A "
                + "status of 500 or more is a failure, and so is no answer."
        ).of(.application),
        Key(
            "apus.outlier.error_margin_percent", \.health.outlier.marginPercent, .integer(0...100, unit: "percent"),
            "By how much the share of failed requests of a target has to be above that of the others together, in "
                + "points of percent, so that it is taken out for a while; 0 for no look at that."
        ).of(.application),
        Key(
            "apus.outlier.ejection_seconds", \.health.outlier.seconds, .number(0.1...3600, unit: "seconds"),
            "How long a target is taken out the first time; the second time twice as long, and so on."
        ).of(.application),
        Key(
            "apus.outlier.ejection_seconds_max", \.health.outlier.secondsMax, .number(0.1...86400, unit: "seconds"),
            "How long a target is taken out at most; at least apus.outlier.ejection_seconds."
        ).of(.application),
        Key(
            "apus.outlier.max_ejected_percent", \.health.outlier.percentMax, .integer(1...100, unit: "percent"),
            "The largest share of the group that is taken out at a time, rounded down; and never so many that the "
                + "group would fail open."
        ).of(.application),
    ]
}

extension HealthAttributes {
    /// The count below which all targets are used, which is always given.
    fileprivate var routingCount: Int {
        get { routing.count ?? 1 }
        set { routing.count = newValue }
    }

    /// Reports values that contradict each other.
    func check(_ findings: inout Findings) {
        if crossZone == .off {
            findings.misplaced(
                [("apus.own_zone_first.enabled", ownZoneFirst)], belongTo: "groups that use the targets of all zones",
                found: "it with load_balancing.cross_zone.enabled: false",
                remedy: "Remove it: the targets of other zones are not used at all.")
        }
        if outlier.secondsMax < outlier.seconds {
            let key = "apus.outlier.ejection_seconds_max"
            findings.within(.key(key)) { findings in
                findings.report(
                    "\(key) must be at least apus.outlier.ejection_seconds, which is \(Shape.plain(outlier.seconds))",
                    found: Shape.plain(outlier.secondsMax), remedy: "Write \(Shape.plain(outlier.seconds)) or more.",
                    code: .invalidConfigurationRequest)
            }
        }
        let pairs = [
            ("count", routing.count, failover.count), ("percentage", routing.percentage, failover.percentage),
        ]
        for (word, routing, failover) in pairs {
            guard let routing, let failover, failover < routing else { continue }
            let prefix = "target_group_health"
            let key = "\(prefix).dns_failover.minimum_healthy_targets.\(word)"
            findings.within(.key(key)) { findings in
                findings.report(
                    "\(key) must be off, or at least "
                        + "\(prefix).unhealthy_state_routing.minimum_healthy_targets.\(word), which is \(routing)",
                    found: "\(failover)", remedy: "Write \(routing) or more, or off.",
                    code: .invalidConfigurationRequest)
            }
        }
    }
}

extension Codec where Model == HealthAttributes.CrossZone {
    /// True or false, or the word that leaves it to the load balancer.
    static var crossZone: Codec<HealthAttributes.CrossZone> {
        let word = "use_load_balancer_configuration"
        return Codec<HealthAttributes.CrossZone>(
            shape: .either(.word([word]), .bool),
            decode: { value, findings in
                if value.string == word { return .ofLoadBalancer }
                if let isOn = value.bool { return isOn ? .on : .off }
                findings.report(
                    "\(findings.subject) must be \(word), true or false", found: value.brief, at: value.location,
                    remedy: "Write one of them, without quotes.")
                return nil
            },
            encode: { zones in
                switch zones {
                case .ofLoadBalancer: .string(word)
                case .on: true
                case .off: false
                }
            })
    }
}
