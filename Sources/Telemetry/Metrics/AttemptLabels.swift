/// How an attempt on a target ended: `Routing.AttemptOutcome.Ending` in the words of metrics.
public enum AttemptResult: UInt8, CounterLabel {
    /// It was answered, or the connection of a flow was taken.
    case answered
    /// There was no connection: refused or unreachable, failed in TLS, too slow, or none could be begun here.
    case connectFailed, handshakeFailed, connectTimedOut, notAttempted
    /// Another target was faster, which was asked later or earlier; or the target was to be used no more.
    case overtaken, outrun, withdrawn
    /// The target did not process the request, or may have and did not say.
    case refused, closed
    /// What came is not HTTP.
    case malformed
    /// The target was silent: its program, or its host; or it failed its checks meanwhile.
    case timedOut, unacknowledged, unhealthy
    /// The client, or this end of it, gave the request up; or the time of the target was over.
    case abandoned, cut

    /// As written in metrics.
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
