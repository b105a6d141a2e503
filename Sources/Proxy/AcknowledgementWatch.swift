import Core

/// Finds out that the other side's kernel does not acknowledge what was sent: its host is gone, or the way there.
///
/// A byte is marked when it is handed to the kernel; once it is acknowledged, the newest one is marked instead. If the
/// marked byte was not acknowledged for as long as the limit, and the kernel has heard nothing in that time, the other
/// side is silent. A side that merely does not read still answers the probes of a full window, and is not. Whatever
/// comes from it begins the time anew.
/// Shape:  part of a `Transport`. Writing costs a comparison; looking, which a timer does, one or two system calls.
/// Source: RFC 9293 §3.8; tcp(7), `TCP_INFO`, `SIOCOUTQ`.
struct AcknowledgementWatch {
    /// How many bytes had been handed to the kernel, up to the marked one.
    private var mark: UInt64 = 0
    /// When it was marked; far away while none is.
    private(set) var markedAt = Instant.distantFuture

    /// `sentCount` bytes were handed to the kernel by `now`.
    mutating func sent(_ sentCount: UInt64, now: Instant) {
        guard markedAt == .distantFuture else { return }
        mark = sentCount
        markedAt = now
    }

    /// Something came from the other side: it was there a moment ago.
    mutating func heard() { markedAt = .distantFuture }

    /// Looks whether the other side is silent, and for how long: nil if it is not, or not for `limit` yet.
    mutating func silence(_ socket: Socket, sentCount: UInt64, limit: Nanoseconds, now: Instant) -> Nanoseconds? {
        guard markedAt != .distantFuture else { return nil }
        let taken = sentCount - min(sentCount, socket.unacknowledgedByteCount)
        if taken >= mark {
            markedAt = taken < sentCount ? now : .distantFuture
            mark = sentCount
            return nil
        }
        let waited = now.since(markedAt)
        guard waited >= limit, socket.isUnheard(for: limit) else { return nil }
        return waited
    }
}
