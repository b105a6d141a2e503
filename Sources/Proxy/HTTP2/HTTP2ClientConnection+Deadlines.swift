import Core
import Telemetry

/// When something has to be done about a client's HTTP/2 connection if nothing happens.
extension HTTP2ClientConnection {
    /// The earliest deadline of the connection and its streams.
    var nextDeadline: Instant {
        switch phase {
        case .lingering(let until): until
        case .closed: .distantFuture
        case .serving: min(streamCount == 0 ? idleDeadline : .distantFuture, keepAliveUntil, commonDeadline)
        case .announcing(let until): min(until, commonDeadline)
        case .finishing: commonDeadline
        }
    }

    /// The deadlines of every phase in which frames go both ways.
    private var commonDeadline: Instant {
        var deadline = min(flushDeadline, failedUntil, frameDeadline)
        for case let stream? in streams {
            deadline = min(deadline, stream.exchange == nil ? stream.lingerUntil : stream.exchangeDeadline)
        }
        return deadline
    }

    /// When a connection without streams has idled for too long. Source: docs/elbv2.md, "HTTP connections".
    var idleDeadline: Instant { idleSince + idleTimeout.duration }

    /// For how long the client may ask for nothing.
    var idleTimeout: (duration: Nanoseconds, isFirstByte: Bool) { listener.settings.idleTimeout(hasAsked: !isSilent) }

    /// When the client has taken none of the frames that wait for it for too long.
    private var flushDeadline: Instant {
        isFlushed ? .distantFuture : lastFlush + listener.settings.idleTimeout
    }

    /// When a head that has begun must be complete, as on HTTP/1.
    private var frameDeadline: Instant {
        partialSince == .distantFuture ? .distantFuture : partialSince + listener.settings.headTimeout
    }

    /// Whether the client has kept the connection from going on for too long: by not reading, or by half a frame.
    func isOverdue(_ resources: inout Resources) -> Bool {
        let now = resources.now
        if isLingering { return false }
        if failedUntil <= now { return true }
        if frameDeadline <= now {
            resources.counters.timeouts.add(.requestHead)
            return true
        }
        guard flushDeadline <= now else { return false }
        if transport.hasTakenMore(than: &takenAtLastLook) {
            lastFlush = now
            return false
        }
        resources.counters.timeouts.add(.clientIdle)
        return true
    }
}
