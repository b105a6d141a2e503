import Core

/// How much useless work the other side may still cause: resets, control frames, empty frames.
///
/// Every frame is charged by its header before nghttp2 sees it. A frame that turns out to be useful is refunded.
/// Source: RFC 9113 §10.5; CVE-2019-9511 to -9518, CVE-2023-44487, CVE-2024-28182, CVE-2025-8671.
struct FrameBudget {
    private var resets: TokenBucket
    private var controls: TokenBucket
    /// CONTINUATION frames since the last HEADERS.
    private var continuationCount = 0
    /// DATA frames that began and were not charged, minus those that nghttp2 has delivered to their streams.
    private var openDataCount = 0
    /// DATA frames that may still arrive on streams which we have closed and the other side has not.
    private var lateDataCount = 0

    init(_ settings: HTTP2Settings, now: Instant) {
        resets = TokenBucket(capacity: settings.resetBurst, perSecond: settings.resetsPerSecond, now: now)
        controls = TokenBucket(capacity: settings.controlBurst, perSecond: settings.controlsPerSecond, now: now)
    }

    /// Charges a frame that came in. Returns a fault if the budget is exceeded.
    mutating func admit(_ frame: FrameHeader, now: Instant) -> HTTP2Fault? {
        switch frame.type {
        case FrameType.data:
            // A padded frame may have no data. nghttp2 knows whether it has, and `refundData` is called then.
            openDataCount += 1
            let mayBeEmpty = frame.length == 0 || frame.flags & FrameHeader.padded != 0
            return mayBeEmpty && frame.flags & FrameHeader.endStream == 0 ? chargeControl(now) : nil
        case FrameType.headers:
            continuationCount = 0
            return chargeControl(now)
        case FrameType.continuation:
            continuationCount += 1
            if continuationCount > Limits.continuationCountMax { return .continuationFlood }
            return frame.length == 0 ? chargeControl(now) : nil
        case FrameType.resetStream:
            return chargeReset(now)
        default:
            return chargeControl(now)
        }
    }

    /// A stream was reset by the other side, or by us because of its fault. Charged against Rapid Reset and
    /// MadeYouReset.
    mutating func chargeReset(_ now: Instant) -> HTTP2Fault? { resets.take(now) ? nil : .resetFlood }

    /// The other side reset a stream that had ended anyway.
    mutating func refundReset() { resets.refund(1) }

    /// A target has answered a request completely, which earns the client the right to cancel another one.
    mutating func refundForServedRequest() { resets.refund(1) }

    /// A valid head was received.
    mutating func refundForHead() { controls.refund(Limits.controlsPerHead) }

    /// A complete DATA frame was read on an open stream.
    mutating func refundData(isEmpty: Bool) {
        openDataCount -= 1
        if !isEmpty { controls.refund(1) }
    }

    /// We closed a stream on which the other side still sends: DATA in flight is not a fault.
    mutating func expectLateData() {
        lateDataCount = min(lateDataCount + Limits.lateDataPerStream, Limits.lateDataMax)
    }

    /// Charges the DATA frames that nghttp2 ignored because their streams are closed. One frame may be incomplete, and
    /// is not charged yet.
    mutating func chargeIgnoredData(_ now: Instant) -> HTTP2Fault? {
        while openDataCount > 1 {
            openDataCount -= 1
            if lateDataCount > 0 {
                lateDataCount -= 1
            } else if let fault = chargeControl(now) {
                return fault
            }
        }
        return nil
    }

    /// We sent a DATA frame, which allows the other side some control frames in return: WINDOW_UPDATE on both windows,
    /// by 4 KiB at a time as some clients do, and a PING to measure the round trip (gRPC). A frame that is cut short by
    /// the window allows none by itself, since an attacker opens the window by single bytes to make us work
    /// (CVE-2019-9511).
    mutating func dataSent(_ count: Int, isCutShort: Bool) {
        controls.refund(count / Limits.dataBytesPerControl + (isCutShort ? 0 : Limits.controlsPerData))
    }

    private mutating func chargeControl(_ now: Instant) -> HTTP2Fault? { controls.take(now) ? nil : .controlFlood }
}
