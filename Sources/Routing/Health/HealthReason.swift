/// Why a target is in the state it is in, in the words of Elastic Load Balancing.
///
/// Source: docs/elbv2.md, "Target health".
public enum HealthReason: Equatable, Sendable {
    /// Registered; its first check has not begun.
    case registrationInProgress
    /// Being checked; no check has passed, and too few have failed to say it is unhealthy.
    case initialHealthChecking
    /// A check was answered with this status code, which the matcher does not list.
    case responseCodeMismatch(UInt16)
    /// A check got no answer in time.
    case timeout
    /// The target's own health service says that it is not serving.
    case notServing
    /// A check failed in any other way, a refused connection for one.
    case failedHealthChecks
    /// The health check of its container fails.
    case containerUnhealthy
    /// It does not belong to the group, or no longer.
    case notRegistered
    /// No listener forwards to the group.
    case notInUse
    /// Its instance is not in the instance registry.
    case invalidState
    /// Its address cannot be a target's.
    case ipUnusable
    /// Its group has no health checks.
    case healthChecksDisabled
    /// It was deregistered and finishes what it has.
    case deregistrationInProgress

    /// The reason code of ELBv2, for programs.
    public var code: String {
        switch self {
        case .registrationInProgress: "Elb.RegistrationInProgress"
        case .initialHealthChecking: "Elb.InitialHealthChecking"
        case .responseCodeMismatch: "Target.ResponseCodeMismatch"
        case .timeout: "Target.Timeout"
        case .failedHealthChecks, .notServing: "Target.FailedHealthChecks"
        case .containerUnhealthy: "Container.Unhealthy"
        case .notRegistered: "Target.NotRegistered"
        case .notInUse: "Target.NotInUse"
        case .invalidState: "Target.InvalidState"
        case .ipUnusable: "Target.IpUnusable"
        case .healthChecksDisabled: "Target.HealthCheckDisabled"
        case .deregistrationInProgress: "Target.DeregistrationInProgress"
        }
    }

    /// The description of ELBv2, for people.
    public var description: String {
        switch self {
        case .registrationInProgress: "Target registration is in progress"
        case .initialHealthChecking: "Initial health checks in progress"
        case .responseCodeMismatch(let status): "Health checks failed with these codes: [\(status)]"
        case .timeout: "Request timed out"
        case .failedHealthChecks: "Health checks failed"
        case .notServing: "The target's health service does not say SERVING"
        case .containerUnhealthy: "The health check of its container fails"
        case .notRegistered: "Target is not registered to the target group"
        case .notInUse: "Target group is not configured to receive traffic from the load balancer"
        case .invalidState: "Target instance is not in the instance registry"
        case .ipUnusable: "Target IP address is not usable"
        case .healthChecksDisabled: "Health checks are disabled for this target group"
        case .deregistrationInProgress: "Target deregistration is in progress"
        }
    }
}
