import Core

/// How much work the other side may still make us do for nothing.
///
/// Every frame is judged by its header before nghttp2 sees it. What turns out to be useful gives back what it took.
/// Source: RFC 9113 §10.5; CVE-2019-9511 to -9518, CVE-2023-44487, CVE-2024-28182, CVE-2025-8671.
struct FrameBudget {
    private var resets: TokenBucket
    private var controls: TokenBucket
    /// CONTINUATION frames since the last HEADERS.
    private var continuationCount = 0
    /// DATA frames that began and were not charged, less those that nghttp2 has handed to their streams.
    private var openDataCount = 0
    /// DATA frames that may still come on streams which we have closed and the other side has not.
    private var lateDataCount = 0

    init(_ settings: HTTP2Settings, now: Instant) {
        resets = TokenBucket(capacity: settings.resetBurst, perSecond: settings.resetsPerSecond, now: now)
        controls = TokenBucket(capacity: settings.controlBurst, perSecond: settings.controlsPerSecond, now: now)
    }

    /// Takes a frame that came into account. A fault: it is one too many.
    mutating func admit(_ frame: FrameHeader, now: Instant) -> HTTP2Fault? {
        switch frame.type {
        case FrameType.data:
            // Padding may be all there is: whether it is, nghttp2 says, and `dataTaken` gives back.
            openDataCount += 1
            let mayBeEmpty = frame.length == 0 || frame.flags & FrameHeader.padded != 0
            return mayBeEmpty && frame.flags & FrameHeader.endStream == 0 ? takeControl(now) : nil
        case FrameType.headers:
            continuationCount = 0
            return takeControl(now)
        case FrameType.continuation:
            continuationCount += 1
            if continuationCount > Limits.continuationCountMax { return .continuationFlood }
            return frame.length == 0 ? takeControl(now) : nil
        case FrameType.resetStream:
            return noteReset(now)
        default:
            return takeControl(now)
        }
    }

    /// A stream was reset by the other side, or by us for what it did.
    mutating func noteReset(_ now: Instant) -> HTTP2Fault? { resets.take(now) ? nil : .resetFlood }

    /// The other side reset what had ended anyway.
    mutating func forgiveReset() { resets.give(1) }

    /// A target has answered a request to its end: that cost the client as much as the one it may give up for it.
    mutating func served() { resets.give(1) }

    /// A head came that we can use.
    mutating func usefulHead() { controls.give(Limits.controlsPerHead) }

    /// A whole DATA frame was read, on a stream that is open.
    mutating func dataTaken(isEmpty: Bool) {
        openDataCount -= 1
        if !isEmpty { controls.give(1) }
    }

    /// A stream was closed that the other side still sends on: what is on its way is no fault.
    mutating func expectLateData() {
        lateDataCount = min(lateDataCount + Limits.lateDataPerStream, Limits.lateDataMax)
    }

    /// Charges the DATA frames that nghttp2 has passed over, as it does on streams that are closed. One may not be
    /// complete.
    mutating func settleData(_ now: Instant) -> HTTP2Fault? {
        while openDataCount > 1 {
            openDataCount -= 1
            if lateDataCount > 0 {
                lateDataCount -= 1
            } else if let fault = takeControl(now) {
                return fault
            }
        }
        return nil
    }

    /// We sent a frame of DATA. The other side may open both windows as it reads on, by 4 KiB at a time as some do, and
    /// measure the way with a PING (gRPC). A frame that was `cut` short because the window ended justifies nothing by
    /// itself: the other side opens it by single bytes to make us work (CVE-2019-9511).
    mutating func sentData(_ count: Int, cut: Bool) {
        controls.give(count / Limits.dataBytesPerControl + (cut ? 0 : Limits.controlsPerData))
    }

    private mutating func takeControl(_ now: Instant) -> HTTP2Fault? { controls.take(now) ? nil : .controlFlood }
}
