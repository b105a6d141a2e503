/// How an attempt on a target ended: `Routing.AttemptOutcome.Ending` in the words of metrics.
public enum AttemptResult: UInt8, CounterLabel {
    case answered, connectFailed, handshakeFailed, connectTimedOut, notAttempted, overtaken, withdrawn, refused, closed
    case malformed, timedOut, unacknowledged, unhealthy, abandoned, cut

    /// As written in metrics.
    public var label: StaticString {
        switch self {
        case .answered: "answered"
        case .connectFailed: "connect_failed"
        case .handshakeFailed: "handshake_failed"
        case .connectTimedOut: "connect_timed_out"
        case .notAttempted: "not_attempted"
        case .overtaken: "overtaken"
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

/// What has made a target suspect.
public enum SuspicionCause: UInt8, CounterLabel {
    /// It refused a connection, or could not be reached.
    case connectFailed
    /// It did not take a connection in time, or another target did that was asked later.
    case connectTimedOut
    /// It was silent for too long.
    case timedOut
    /// Its kernel acknowledged nothing of what was sent.
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
