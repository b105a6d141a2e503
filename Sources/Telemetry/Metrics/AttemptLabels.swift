import Routing

/// How an attempt on a target ended is a label itself.
extension AttemptOutcome.Ending: CounterLabel {
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
    /// It failed several TLS handshakes in a row, or refused several streams.
    case rejecting

    /// As written in metrics and events.
    public var label: StaticString {
        switch self {
        case .connectFailed: "connect_failed"
        case .connectTimedOut: "connect_timed_out"
        case .timedOut: "timed_out"
        case .unacknowledged: "unacknowledged"
        case .rejecting: "rejecting"
        }
    }
}
