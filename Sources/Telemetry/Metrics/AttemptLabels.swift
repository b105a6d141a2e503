/// How an attempt on a target ended: the label of `Routing.AttemptOutcome.Ending` in metrics.
public enum AttemptResult: UInt8, CounterLabel {
    /// The target responded, or accepted the connection of a flow.
    case answered
    /// No connection: refused or unreachable, TLS handshake failed, timed out, or not attempted for a local reason.
    case connectFailed, handshakeFailed, connectTimedOut, notAttempted
    /// A target that was tried later, or earlier, was faster; or the target was removed.
    case overtaken, outrun, withdrawn
    /// The target did not process the request (refused), or may have processed it (closed).
    case refused, closed
    /// The response is not valid HTTP.
    case malformed
    /// The target's program was silent (timedOut), its host was silent (unacknowledged), or it failed its health checks
    /// meanwhile.
    case timedOut, unacknowledged, unhealthy
    /// The client or Apus abandoned the request; or the target's deregistration delay was over.
    case abandoned, cut

    /// The label's value in metrics.
    public var label: StaticString {
        switch self {
        case .answered: "answered"
        case .connectFailed: "connect_failed"
        case .handshakeFailed: "handshake_failed"
        case .connectTimedOut: "connect_timed_out"
        case .notAttempted: "not_attempted"
        case .overtaken: "overtaken"
        case .outrun: "outrun"
        case .withdrawn: "withdrawn"
        case .refused: "refused"
        case .closed: "closed"
        case .malformed: "malformed"
        case .timedOut: "timed_out"
        case .unacknowledged: "unacknowledged"
        case .unhealthy: "unhealthy"
        case .abandoned: "abandoned"
        case .cut: "cut"
        }
    }
}

/// Why a target became suspect.
public enum SuspicionCause: UInt8, CounterLabel {
    /// It refused a connection, or could not be reached.
    case connectFailed
    /// It did not accept a connection in time, or a target that was tried later did so first.
    case connectTimedOut
    /// It was silent for too long.
    case timedOut
    /// Its kernel acknowledged nothing that was sent.
    case unacknowledged

    /// As written in metrics and events.
    public var label: StaticString {
        switch self {
        case .connectFailed: "connect_failed"
        case .connectTimedOut: "connect_timed_out"
        case .timedOut: "timed_out"
        case .unacknowledged: "unacknowledged"
        }
    }
}
