import Model
import Routing

/// What DescribeTargetHealth says of one target.
///
/// Source: docs/elbv2.md, "Target health".
struct TargetHealthDescription: Equatable, Sendable {
    /// Its id and its effective port.
    let target: TargetDescription
    /// Where its checks connect.
    let healthCheckPort: Int
    /// Where it is.
    let state: TargetState
    /// ELBv2's reason code; none for a healthy target.
    let reason: String?
    /// The reason in words.
    let description: String?
    /// Whether workers pass over it since an attempt on it has failed.
    var isSuspect = false
    /// Whether it fails its checks and is used all the same, since too many others were taken out.
    var isHeld = false
    /// Why it gets no requests for a while; nil if it does.
    var ejection: Ejection.Cause?
    /// Whether it fails more often than the others; nil where that is not asked.
    var anomaly: AnomalyDetection.Target?
}
