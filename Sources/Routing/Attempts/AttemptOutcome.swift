import Core

/// How one attempt of an exchange, or of a flow, on one target ended. Every attempt has exactly one.
///
/// Shape:  a trivial value, made by the worker when the attempt ends and read in one place (`Worker.note`): counters,
///         suspicion and passive health checks. `RetryPolicy` decides by it whether the request goes out again.
/// Source: RFC 9110 §9.2.2 (what may be repeated), RFC 9113 §8.7 (what was certainly not processed).
public struct AttemptOutcome: Equatable, Sendable {
    /// What ended the attempt.
    public enum Ending: UInt8, Sendable, CaseIterable {
        /// A final response began, or the target took the connection of a flow.
        case answered
        /// The target refused the connection, or cannot be reached.
        case connectFailed
        /// The TLS handshake failed: the name that was asked for may be why, which clients choose.
        case handshakeFailed
        /// The target did not take the connection in time.
        case connectTimedOut
        /// We had no descriptor, port or right to connect: says nothing about the target.
        case notAttempted
        /// Another target took the connection first, though this one had a head start.
        case overtaken
        /// Another target took the connection first, which had the head start.
        case outrun
        /// Given up before anything was sent, for a reason that says nothing about the target.
        case withdrawn
        /// The target said that it did not process the request: REFUSED_STREAM, or GOAWAY with a lower stream.
        case refused
        /// The connection ended, or was reset, before a response began.
        case closed
        /// What the target sent is not HTTP.
        case malformed
        /// The target was silent for as long as it may be.
        case timedOut
        /// The target's kernel acknowledged nothing of what was sent.
        case unacknowledged
        /// The target failed its health checks before it answered.
        case unhealthy
        /// The client went away or broke the protocol, or Apus gave the exchange up for a reason of its own.
        case abandoned
        /// The deregistration delay of the target was over, or the process ended.
        case cut

        /// Another target took the connection first: the one that is being opened may still be of use.
        public var isLostRace: Bool { self == .overtaken || self == .outrun }
    }

    /// What ended it.
    public var ending: Ending
    /// The target has certainly not acted on the request, so that any method may be sent again.
    public var isUnprocessed: Bool
    /// The target has answered with a status of 500 or more.
    public var isServerError = false
    /// The target had ended the connection, for a reason of its own, before it saw the request: no sign of trouble.
    public var isRetired = false
    /// From the first step of connecting, or from taking an open connection, to the end.
    public var duration: Nanoseconds
    /// How long the target has had the whole request; nil if the client has not sent it all: its pace must not count
    /// against the target.
    public var latency: Nanoseconds?

    /// An outcome. What was not even connected is always unprocessed.
    public init(_ ending: Ending, isUnprocessed: Bool = false, duration: Nanoseconds) {
        self.ending = ending
        self.duration = duration
        latency = duration
        switch ending {
        case .connectFailed, .handshakeFailed, .connectTimedOut, .notAttempted, .overtaken, .outrun, .withdrawn,
            .refused:
            self.isUnprocessed = true
        case .answered: self.isUnprocessed = false
        case .closed, .malformed, .timedOut, .unacknowledged, .unhealthy, .abandoned, .cut:
            self.isUnprocessed = isUnprocessed
        }
    }

    /// Whether the target has sent the request away, without anything being wrong with the network: it fails its TLS
    /// handshake, or refuses the stream.
    public var isRejection: Bool { ending == .handshakeFailed || ending == .refused && !isRetired }

    /// Whether the target has failed, as balancers count it; nil where the outcome says nothing about the target.
    public var isFailure: Bool? {
        switch ending {
        case .answered: isServerError
        case .connectFailed, .connectTimedOut, .closed, .malformed, .timedOut, .unacknowledged, .unhealthy: true
        // The name that a client has asked for may be why, but then the others fail alike.
        case .handshakeFailed: true
        case .refused: isRetired ? nil : true
        case .notAttempted, .overtaken, .outrun, .withdrawn, .abandoned, .cut: nil
        }
    }
}
