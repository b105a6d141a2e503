import Core

/// Detects that the other side's kernel does not acknowledge what was sent, because its host or the network is down.
///
/// A byte is marked when it is written; once it is acknowledged, the newest one is marked instead. If the marked byte
/// was not acknowledged for the limit, and the kernel has received nothing in that time, the other side is silent. A
/// side that only does not read still answers window probes, and is not silent. Whatever it sends restarts the time.
/// Shape:  part of a `Transport`. Writing costs a comparison; looking, which a timer does, one or two system calls.
/// Source: RFC 9293 §3.8; tcp(7), `TCP_INFO`, `SIOCOUTQ`.
struct AcknowledgementWatch {
    /// How many bytes had been handed to the kernel, up to the marked one.
    private var mark: UInt64 = 0
    /// When it was marked; far away while none is.
    private var markedAt = Instant.distantFuture
    /// How many had been handed over when the other side was last heard; whether they are acknowledged was not looked
    /// at.
    private var heardCount: UInt64 = 0
    private var heardAt = Instant.distantFuture

    /// Since when a byte may not be acknowledged, as far as is known without asking; far away if all are.
    var unacknowledgedSince: Instant { min(markedAt, heardAt) }

    /// `sentCount` bytes were handed to the kernel by `now`.
    mutating func sent(_ sentCount: UInt64, now: Instant) {
        guard markedAt == .distantFuture else { return }
        mark = sentCount
        markedAt = now
    }

    /// Something came from the other side when `sentCount` bytes had been handed over: it was there a moment ago.
    mutating func heard(_ sentCount: UInt64, now: Instant) {
        guard unacknowledgedSince != .distantFuture else { return }
        markedAt = .distantFuture
        heardCount = sentCount
        heardAt = now
    }

    /// All that was handed over before has been answered.
    mutating func restart() {
        markedAt = .distantFuture
        heardAt = .distantFuture
    }

    /// Looks whether the other side is silent, and for how long: nil if it is not, or not for `limit` yet.
    mutating func silence(_ socket: Socket, sentCount: UInt64, limit: Nanoseconds, now: Instant) -> Nanoseconds? {
        guard unacknowledgedSince != .distantFuture else { return nil }
        let taken = sentCount - min(sentCount, socket.unacknowledgedByteCount)
        if markedAt == .distantFuture {
            mark = heardCount
            markedAt = heardAt
        }
        heardAt = .distantFuture
        if taken >= mark {
            markedAt = taken < sentCount ? now : .distantFuture
            mark = sentCount
            return nil
        }
        let waited = now.since(markedAt)
        guard waited >= limit, socket.isUnresponsive(for: limit) else { return nil }
        return waited
    }
}
