/// Whether a request is sent once more after an attempt has failed.
///
/// A request that the target has certainly not processed is sent again whatever its method is. One that may have been
/// processed is sent again only if repeating it does no harm, and only once: a copy of a copy is never made.
/// Limits: `Limits.attemptsMax` attempts; the group's `RetryBudget` is asked by the caller, last.
/// Source: RFC 9110 §9.2.2; RFC 9113 §8.7.
public enum RetryPolicy {
    /// What the policy has to know of a request.
    public struct Request: Equatable, Sendable {
        /// Sending it twice does no more than sending it once. RFC 9110 §9.2.2.
        public var isIdempotent: Bool
        /// It asks for no change at all. RFC 9110 §9.2.1.
        public var isSafe: Bool
        /// All that was read of its body is still there.
        public var isComplete: Bool
        /// Attempts that were begun, the failed one among them.
        public var attemptCount: Int
        /// A copy of it went out after an attempt that may have been processed.
        public var isCopy: Bool

        /// The facts of one request.
        public init(isIdempotent: Bool, isSafe: Bool, isComplete: Bool, attemptCount: Int, isCopy: Bool) {
            self.isIdempotent = isIdempotent
            self.isSafe = isSafe
            self.isComplete = isComplete
            self.attemptCount = attemptCount
            self.isCopy = isCopy
        }
    }

    /// What is to be done.
    public enum Decision: Equatable, Sendable {
        /// Send it again, to another target if there is one.
        case sendAgain
        /// Its body is gone, but the client may send it again: the target has not processed it. On HTTP/2 the client
        /// can be told so. RFC 9113 §8.7.
        case leaveToClient
        /// It must not be sent again, or was tried often enough.
        case fail
    }

    /// What follows for `request` from the `outcome` of its last attempt.
    public static func decide(_ outcome: AttemptOutcome, _ request: Request) -> Decision {
        switch outcome.ending {
        case .answered, .malformed, .timedOut, .abandoned, .cut: return .fail
        // A slow target may still be at work, and a copy makes its load worse: only what changes nothing.
        case .unhealthy where !request.isSafe: return .fail
        case .connectFailed, .handshakeFailed, .connectTimedOut, .notAttempted, .overtaken, .outrun, .withdrawn,
            .refused,
            .closed, .unacknowledged, .unhealthy:
            break
        }
        guard request.attemptCount < Limits.attemptsMax else { return .fail }
        guard outcome.isUnprocessed || request.isIdempotent && !request.isCopy else { return .fail }
        guard request.isComplete else { return outcome.isUnprocessed ? .leaveToClient : .fail }
        return .sendAgain
    }
}
