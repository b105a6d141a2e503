/// The attributes of a target group that say how clients stay with a target.
///
/// Source: ELBv2 ModifyTargetGroupAttributes.
public struct StickinessAttributes: Hashable, Sendable {
    /// What tells that a client has a target.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A cookie that Apus sets. Of application load balancers, where it is what is meant without a type.
        case loadBalancerCookie = "lb_cookie"
        /// A cookie that Apus sets beside one of the application. Of application load balancers.
        case applicationCookie = "app_cookie"
        /// The client's address. Of network load balancers, where it is what is meant without a type.
        case sourceIP = "source_ip"
    }

    /// `stickiness.enabled`: whether clients stay with a target.
    public var isEnabled = false
    /// `stickiness.type`: what tells that a client has a target; nil for what is usual for the kind of load balancer.
    public var type: Kind?
    /// `stickiness.lb_cookie.duration_seconds`: for how long a client stays with its target after its last response.
    public var loadBalancerCookieSeconds = 86_400
    /// `stickiness.app_cookie.cookie_name`: the cookie that the application sets.
    public var cookieName = ""
    /// `stickiness.app_cookie.duration_seconds`: as `loadBalancerCookieSeconds`.
    public var applicationCookieSeconds = 86_400

    /// Every default.
    public init() {}

    /// Seconds for which a client may stay with a target or a group. Source: ELBv2 ModifyTargetGroupAttributes.
    static let seconds = 1...604_800
    /// How the names of cookies begin that Apus sets.
    fileprivate static let ownPrefix = "AWSALB"
}

extension TargetGroupAttributes {
    /// The keys that say how clients stay with a target.
    static let stickinessKeys: [Key<TargetGroupAttributes>] = [
        Key(
            "stickiness.enabled", \.stickiness.isEnabled, .bool,
            "Whether clients stay with a target: by a cookie, or by their address in groups of network load balancers."
        ),
        Key(
            optional: "stickiness.type", \.stickiness.type,
            .word(refused: ["source_ip_dest_ip", "source_ip_dest_ip_proto"]),
            "What tells that a client has a target: a cookie of Apus, the same beside one of the application, or "
                + "the client's address. Without it lb_cookie, or source_ip in groups of network load balancers."),
        Key(
            "stickiness.lb_cookie.duration_seconds", \.stickiness.loadBalancerCookieSeconds,
            .integer(StickinessAttributes.seconds, unit: "seconds"),
            "For how long a client stays with its target after its last response, with lb_cookie."
        ).of(.application),
        Key(
            "stickiness.app_cookie.cookie_name", \.stickiness.cookieName, .text(cookieRule),
            "The cookie of the application that stickiness goes by, with app_cookie; required there."
        ).of(.application),
        Key(
            "stickiness.app_cookie.duration_seconds", \.stickiness.applicationCookieSeconds,
            .integer(StickinessAttributes.seconds, unit: "seconds"),
            "For how long a client stays with its target after its last response, with app_cookie."
        ).of(.application),
    ]

    private static let cookieRule = TextRule(
        "empty, or the name of a cookie that does not begin with \(StickinessAttributes.ownPrefix)", length: 0...256,
        pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]*$",
        remedy: "Write the name of a cookie that the application sets, such as JSESSIONID."
    ) { name in
        name.utf8.allSatisfy { TextRule.isAlphanumeric($0) || "!#$%&'*+-.^_`|~".utf8.contains($0) }
            && !name.uppercased().hasPrefix(StickinessAttributes.ownPrefix)
    }
}

extension TargetGroup {
    /// Reports stickiness that groups of this kind do not have, or that lacks something.
    func checkStickiness(_ findings: inout Findings) {
        let stickiness = attributes.stickiness
        let kind = `protocol`.kind
        let isOfNetwork = stickiness.type == .sourceIP
        if let type = stickiness.type, isOfNetwork != (kind == .network) {
            findings.within(.key("stickiness.type")) { findings in
                findings.report(
                    "stickiness.type of a group of protocol \(`protocol`.rawValue) must be "
                        + (kind == .network ? "source_ip" : "lb_cookie or app_cookie"), found: type.rawValue,
                    remedy: "Remove it, or write \(kind == .network ? "source_ip" : "lb_cookie").",
                    code: .invalidConfigurationRequest)
            }
        }
        guard kind == .application, stickiness.isEnabled else { return }
        if attributes.balancing.algorithm == .weightedRandom {
            findings.within(.key("stickiness.enabled")) { findings in
                findings.report(
                    "stickiness.enabled must be false with weighted_random, which moves requests away from targets "
                        + "that fail", found: "true",
                    remedy: "Write false, or another load_balancing.algorithm.type, such as round_robin.",
                    code: .invalidConfigurationRequest)
            }
        }
        if stickiness.type == .applicationCookie, stickiness.cookieName.isEmpty {
            findings.within(.key("stickiness.app_cookie.cookie_name")) { findings in
                findings.report(
                    "stickiness.app_cookie.cookie_name must name a cookie of the application, because stickiness.type "
                        + "is app_cookie", found: "none",
                    remedy: "Write the name of the cookie that the application sets, such as JSESSIONID.",
                    code: .invalidConfigurationRequest)
            }
        }
    }
}
