/// What became of the cookie by which a request should stay with a target, or with a target group.
///
/// Of several cookies of the name the one that came furthest counts: the cases stand in that order.
public enum StickinessResult: UInt8, CounterLabel {
    /// There was none: the first request of a client, as a rule.
    case none
    /// It was not made by this Apus, or was changed on its way, or its key is gone.
    case invalid
    /// It was made for another group, or by another load balancer.
    case foreign
    /// It is older than the duration that the configuration allows.
    case expired
    /// What it names is registered no longer.
    case gone
    /// What it names takes no requests at present.
    case unavailable
    /// The request went where the cookie says.
    case kept

    /// The label's value in metrics.
    public var label: StaticString {
        switch self {
        case .none: "none"
        case .invalid: "invalid"
        case .foreign: "foreign"
        case .expired: "expired"
        case .gone: "gone"
        case .unavailable: "unavailable"
        case .kept: "kept"
        }
    }
}
